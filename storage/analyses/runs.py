"""An analysis on its way: claimed by one job at a time, its progress kept, and in the end what came of it."""

from review.analysis import Analysis
from storage.analyses.analysis import COLUMNS, AnalysisRecord, ClaimedAnalysis, read_record
from storage.analyses.keep import Measured, keep_findings, keep_usage, outcome
from storage.audit import Act, record
from storage.database import Connection, Database, plain

STALE_SECONDS = 15.0
"""A claim without a heartbeat for this long belongs to a job that died. Jobs give one every second or so."""

# What failed runs again when somebody has its job tried again: nobody else has it run then.
CLAIM = """
UPDATE analyses SET status = 'running', tries = tries + 1, heartbeat_at = now(), started_at = now(), finished_at = NULL,
    progress = 0, message = 'Starting...', error = ''
WHERE id = %s AND (status IN ('queued', 'failed')
                   OR (status = 'running' AND heartbeat_at < now() - make_interval(secs => %s)))
RETURNING tries
"""

COMPLETE = """
UPDATE analyses SET status = 'completed', progress = 100, message = '', finished_at = now(), head_sha = %(head_sha)s,
    changed_lines = %(changed_lines)s, partial = %(partial)s, record = %(record)s, score = %(score)s, metrics = %(metrics)s,
    severities = %(severities)s
WHERE id = %(id)s AND tries = %(tries)s AND status = 'running'
"""

COMPLETED = Act("analysis.complete", "worker")
FAILED = Act("analysis.fail", "worker")


class Runs:
    """Analyses as the jobs that run them see them. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, organization_id: int, id: int) -> ClaimedAnalysis | AnalysisRecord | None:
        """Make this analysis ours, in one statement: of two jobs that try at once one wins.

        Gives the record as it stands where it is not to be had (it has ended, or another job is at it); None where there is
        no such analysis any more.
        """
        async with self._database.tenant(organization_id) as connection:
            tries = await (await connection.execute(CLAIM, (id, STALE_SECONDS))).fetchone()
            cursor = await connection.execute(f"SELECT {COLUMNS} FROM analyses AS a WHERE a.id = %s", (id,))  # noqa: S608
            row = await cursor.fetchone()
        if row is None:
            return None
        return read_record(row) if tries is None else ClaimedAnalysis(read_record(row), tries[0])

    async def touch(self, claimed: ClaimedAnalysis, progress: int, message: str) -> bool:
        """The heartbeat of a claim, with how far it has come; False when it is no longer ours: cancelled, say."""
        async with self._database.tenant(claimed.organization_id) as connection:
            cursor = await connection.execute(
                "UPDATE analyses SET heartbeat_at = now(), progress = %s, message = %s"
                " WHERE id = %s AND tries = %s AND status = 'running'",
                (progress, plain(message), claimed.id, claimed.tries),
            )
            return cursor.rowcount == 1

    async def release(self, claimed: ClaimedAnalysis) -> None:
        """Let go of it for now: the next try may claim it at once."""
        async with self._database.tenant(claimed.organization_id) as connection:
            await connection.execute(
                "UPDATE analyses SET status = 'queued', progress = 0, message = '' WHERE id = %s AND tries = %s"
                " AND status = 'running'",
                (claimed.id, claimed.tries),
            )

    async def complete(self, claimed: ClaimedAnalysis, analysis: Analysis, measured: Measured) -> bool:
        """Write down all that came of it, at once; False, and nothing is written, when it is no longer ours."""
        values = outcome(analysis, measured) | {"id": claimed.id, "tries": claimed.tries}
        async with self._database.tenant(claimed.organization_id) as connection:
            if (await connection.execute(COMPLETE, values)).rowcount == 0:
                return False
            await keep_findings(connection, claimed.organization_id, claimed.id, analysis)
            await keep_usage(connection, claimed.organization_id, claimed.record.repository_id, analysis.usage)
            details = {"findings": len(analysis.findings), "score": measured.score}
            await record(connection, claimed.organization_id, COMPLETED, f"analysis:{claimed.id}", details)
        return True

    async def failed(self, organization_id: int, id: int, because: str) -> bool:
        """It failed for good, unless it has ended already; False then."""
        async with self._database.tenant(organization_id) as connection:
            return await _failed(connection, organization_id, id, because)


async def _failed(connection: Connection, organization_id: int, id: int, because: str) -> bool:
    cursor = await connection.execute(
        "UPDATE analyses SET status = 'failed', message = '', error = %s, finished_at = now()"
        " WHERE id = %s AND status IN ('queued', 'running')",
        (plain(because), id),
    )
    if cursor.rowcount == 0:
        return False
    await record(connection, organization_id, FAILED, f"analysis:{id}", {"because": because})
    return True
