"""Analyses remembered: asked for, run, read again, changed and removed. `keep.py` writes what came of one."""

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.analyses.analysis import (
    COLUMNS,
    FINDING_COLUMNS,
    AnalysisRecord,
    ClaimedAnalysis,
    NumberedFinding,
    WantedAnalysis,
    read_finding,
    read_record,
)
from storage.database import Connection, Database

__all__ = ["Analyses", "AnalysisRecord", "ClaimedAnalysis", "NumberedFinding", "WantedAnalysis"]


class Analyses:
    """The table of analyses and their findings. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database = database
        self._reading = reading

    async def get(self, sight: Sight, id: int) -> AnalysisRecord | None:
        """The analysis, where that caller may see it."""
        async with self._reading.of(sight) as connection:
            return await _one(connection, id)

    async def findings(self, sight: Sight, id: int) -> list[NumberedFinding]:
        """What was found and stands, worst first within each category; none where the caller may not see the analysis."""
        async with self._reading.of(sight) as connection:
            return await _findings(connection, id)

    async def for_job(self, organization_id: int, id: int) -> AnalysisRecord | None:
        """The analysis of that organization, for work that is done for it."""
        async with self._database.tenant(organization_id) as connection:
            return await _one(connection, id)

    async def findings_for_job(self, organization_id: int, id: int) -> list[NumberedFinding]:
        """What was found and stands, worst first."""
        async with self._database.tenant(organization_id) as connection:
            return await _findings(connection, id)


async def _one(connection: Connection, id: int) -> AnalysisRecord | None:
    cursor = await connection.execute(f"SELECT {COLUMNS}, a.record FROM analyses AS a WHERE a.id = %s", (id,))  # noqa: S608
    row = await cursor.fetchone()
    return None if row is None else read_record(row)


async def _findings(connection: Connection, id: int) -> list[NumberedFinding]:
    """In the order in which they were kept: worst first."""
    cursor = await connection.execute(
        f"SELECT {FINDING_COLUMNS} FROM findings WHERE analysis_id = %s AND dropped_because IS NULL ORDER BY id",  # noqa: S608
        (id,),
    )
    return [read_finding(row) for row in await cursor.fetchall()]
