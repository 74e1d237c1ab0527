"""Analyses remembered: asked for, run, read again, changed and removed. `keep.py` writes what came of one."""

from collections.abc import Sequence
from typing import Any

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.analyses.analysis import (
    COLUMNS,
    FINDING_COLUMNS,
    AnalysisRecord,
    ClaimedAnalysis,
    NumberedFinding,
    SeenRepository,
    WantedAnalysis,
    WholeAnalysis,
    read_finding,
    read_record,
)
from storage.analyses.asked import AskedAnalyses
from storage.analyses.pages import AnalysisFilter, Sort, question
from storage.analyses.runs import Runs
from storage.database import Connection, Database

__all__ = [
    "Analyses",
    "AnalysisFilter",
    "AnalysisRecord",
    "ClaimedAnalysis",
    "NumberedFinding",
    "Sort",
    "WantedAnalysis",
    "WholeAnalysis",
]


class Analyses:
    """The table of analyses and their findings. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database = database
        self._reading = reading
        self.runs = Runs(database)
        """As the jobs that run analyses see them."""
        self.asked = AskedAnalyses(database)
        """As people ask for them, change and remove them."""

    async def get(self, sight: Sight, id: int) -> AnalysisRecord | None:
        """The analysis, where that caller may see it."""
        rows = await self._reading.rows(sight, ONE, (id,))
        return read_record(rows[0]) if rows else None

    async def findings(self, sight: Sight, id: int) -> list[NumberedFinding]:
        """What was found and stands, worst first within each category; none where the caller may not see the analysis."""
        async with self._reading.of(sight) as connection:
            return await _findings(connection, id)

    async def page(
        self, sight: Sight, wanted: AnalysisFilter, sort: Sort, limit: int, after: Sequence[Any] | None = None
    ) -> list[AnalysisRecord]:
        """At most `limit` of the analyses that the caller may see, without their `record`.

        `after` holds the sort value and the id of the last one of the page before. Sorted by score, those without one are
        left out.
        """
        query, values = question(sight, wanted, sort, limit, after)
        return [read_record(row) for row in await self._reading.rows(sight, query, values)]

    async def repository(self, sight: Sight, id: int | None, full_name: str | None) -> SeenRepository | None:
        """The repository of that id of ours, or of that `owner/name` in any case, where that caller may see it."""
        async with self._reading.of(sight) as connection:
            cursor = await connection.execute(REPOSITORY, (id, list(sight.organizations), full_name))
            row = await cursor.fetchone()
        return None if row is None else SeenRepository(*row)

    async def for_job(self, organization_id: int, id: int) -> AnalysisRecord | None:
        """The analysis of that organization, for work that is done for it."""
        async with self._database.tenant(organization_id) as connection:
            return await _one(connection, id)

    async def findings_for_job(self, organization_id: int, id: int) -> list[NumberedFinding]:
        """What was found and stands, worst first."""
        async with self._database.tenant(organization_id) as connection:
            return await _findings(connection, id)

    async def whole(self, sight: Sight, id: int) -> WholeAnalysis | None:
        """The analysis with all that it found and dropped, where that caller may see it."""
        async with self._reading.of(sight) as connection:
            found = await _one(connection, id)
            if found is None:
                return None
            cursor = await connection.execute(DROPPED, (id,))
            return WholeAnalysis(found, await _findings(connection, id), dict(await cursor.fetchall()))


ONE = f"SELECT {COLUMNS}, a.record FROM analyses AS a WHERE a.id = %s"  # noqa: S608

DROPPED = """
SELECT dropped_because, count(*) FROM findings WHERE analysis_id = %s AND dropped_because IS NOT NULL
GROUP BY dropped_because ORDER BY count(*) DESC, dropped_because
"""


# Of one name the newest: it may have passed from one repository to another.
REPOSITORY = """
SELECT id, organization_id, full_name FROM repositories
WHERE id = %s OR (organization_id = ANY (%s) AND lower(full_name) = lower(%s))
ORDER BY removed, updated_at DESC, id DESC LIMIT 1
"""


async def _one(connection: Connection, id: int) -> AnalysisRecord | None:
    cursor = await connection.execute(ONE, (id,))
    row = await cursor.fetchone()
    return None if row is None else read_record(row)


async def _findings(connection: Connection, id: int) -> list[NumberedFinding]:
    """In the order in which they were kept: worst first."""
    cursor = await connection.execute(
        f"SELECT {FINDING_COLUMNS} FROM findings WHERE analysis_id = %s AND dropped_because IS NULL ORDER BY id",  # noqa: S608
        (id,),
    )
    return [read_finding(row) for row in await cursor.fetchall()]
