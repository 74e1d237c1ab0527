"""Reports that were made of analyses: which ones there are, of what they were made, and where they are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString

from review.analysis import Dropped
from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.analyses.analysis import FINDING_COLUMNS, read_finding
from storage.database import Connection, Database, plain


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A report in one format. `made_of` stands for what may change of its analysis (`handlers.reporting.job.made_of`).

    Where the state is `failed`, `error` is the sentence why, and there is no object.
    """

    state: Literal["ready", "failed"]
    made_of: str
    object_key: str
    size: int
    error: str
    updated_at: datetime


ONE = "SELECT state, made_of, object_key, size, error, updated_at FROM reports WHERE analysis_id = %s AND format = %s"

# Only while there is the analysis: it may be removed while its report is made.
KEEP = """
INSERT INTO reports (organization_id, analysis_id, format, state, made_of, object_key, size, error)
SELECT organization_id, id, %(format)s, %(state)s, %(made_of)s, %(key)s, %(size)s, %(error)s FROM analyses WHERE id = %(id)s
ON CONFLICT (analysis_id, format) DO UPDATE SET state = excluded.state, made_of = excluded.made_of,
    object_key = excluded.object_key, size = excluded.size, error = excluded.error, updated_at = now()
"""

DROPPED: LiteralString = f"""
SELECT {FINDING_COLUMNS}, dropped_because FROM findings
WHERE analysis_id = %s AND dropped_because IS NOT NULL ORDER BY id LIMIT 10000
"""  # noqa: S608


class Reports:
    """The table of reports. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database = database
        self._reading = reading

    async def get(self, sight: Sight, analysis_id: int, format: str) -> ReportRecord | None:
        """The report in that format, where it was made and that caller may see it."""
        async with self._reading.of(sight) as connection:
            return await _one(connection, analysis_id, format)

    async def for_job(self, organization_id: int, analysis_id: int, format: str) -> ReportRecord | None:
        """The report of that organization's analysis as it stands at this moment."""
        async with self._database.tenant(organization_id) as connection:
            return await _one(connection, analysis_id, format)

    async def ready(self, organization_id: int, analysis_id: int, format: str, made_of: str, key: str, size: int) -> bool:
        """It was made, and is kept under that key; False, and nothing is written, where its analysis is gone."""
        values = {"state": "ready", "made_of": made_of, "key": key, "size": size, "error": ""}
        return await self._keep(organization_id, analysis_id, format, values)

    async def failed(self, organization_id: int, analysis_id: int, format: str, made_of: str, error: str) -> bool:
        """It cannot be made, and `error` is the sentence why; False where its analysis is gone."""
        values = {"state": "failed", "made_of": made_of, "key": "", "size": 0, "error": plain(error)}
        return await self._keep(organization_id, analysis_id, format, values)

    async def dropped(self, organization_id: int, analysis_id: int) -> list[Dropped]:
        """What an analysis found and does not report, in the order of being kept."""
        async with self._database.tenant(organization_id) as connection:
            rows = await (await connection.execute(DROPPED, (analysis_id,))).fetchall()
        return [Dropped(read_finding(row[:-1]).finding, row[-1]) for row in rows]

    async def _keep(self, organization_id: int, analysis_id: int, format: str, values: dict[str, Any]) -> bool:
        async with self._database.tenant(organization_id) as connection:
            return (await connection.execute(KEEP, values | {"id": analysis_id, "format": format})).rowcount == 1


async def _one(connection: Connection, analysis_id: int, format: str) -> ReportRecord | None:
    row = await (await connection.execute(ONE, (analysis_id, format))).fetchone()
    return None if row is None else ReportRecord(*row)
