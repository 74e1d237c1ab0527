"""Analyses as people ask for them, change and remove them: each change with its audit, and with the job that it takes."""

from collections.abc import Callable
from typing import Any

from psycopg.types.json import Jsonb

from storage.analyses.analysis import COLUMNS, AnalysisRecord, WantedAnalysis, read_record
from storage.audit import Act, record
from storage.database import Connection, Database, plain
from storage.deliveries import Deliveries, NewDelivery

# Looked up among the newest of the organization only, so that it costs the same however many there are. What is of the same
# repository, or of about as many bytes, goes before what is merely of the same kind.
ESTIMATE = """
WITH lately AS (
    SELECT a.subject, a.repository_id, extract(epoch FROM a.finished_at - a.started_at) AS seconds, u.size
    FROM (SELECT * FROM analyses WHERE organization_id = %(organization_id)s ORDER BY created_at DESC, id DESC LIMIT 500) AS a
    LEFT JOIN uploads AS u ON u.id = a.upload_id
    WHERE a.status = 'completed' AND a.started_at IS NOT NULL AND a.subject = %(subject)s
), alike AS (
    SELECT seconds FROM lately
    WHERE repository_id = %(repository_id)s
       OR size BETWEEN (SELECT size FROM uploads WHERE id = %(upload_id)s) / 3
                   AND (SELECT size FROM uploads WHERE id = %(upload_id)s) * 3
)
SELECT coalesce((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM alike),
                (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM lately))
"""

ASK = """
INSERT INTO analyses (organization_id, repository_id, subject, upload_id, number, ref, requested_by, analysis_type, options,
                      title, tags, status, progress, message, estimated_seconds)
VALUES (%(organization_id)s, %(repository_id)s, %(subject)s, %(upload_id)s, %(number)s, %(ref)s, %(requested_by)s,
        %(analysis_type)s, %(options)s, %(title)s, %(tags)s, 'queued', 0, 'Waiting for a worker...', %(estimated_seconds)s)
RETURNING id
"""

CHANGE = """
UPDATE analyses SET title = coalesce(%(title)s, title), tags = coalesce(%(tags)s, tags) WHERE id = %(id)s
"""

CANCEL = """
UPDATE analyses SET status = 'cancelled', message = '', finished_at = now() WHERE id = %s AND status IN ('queued', 'running')
"""


class AskedAnalyses:
    """The table of analyses, as those who ask for them write to it. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(
        self, wanted: WantedAnalysis, default_seconds: float, act: Act, delivery: Callable[[int], NewDelivery]
    ) -> AnalysisRecord:
        """A new analysis, queued, and in the same transaction its audit and the `delivery` that has it run.

        It is estimated to take as long as the last ones like it did, or `default_seconds` where there was none.
        """
        values = _values(wanted, act)
        async with self._database.tenant(wanted.organization_id) as connection:
            known = await (await connection.execute(ESTIMATE, values)).fetchone()
            seconds = known[0] if known and known[0] is not None else default_seconds
            row = await (await connection.execute(ASK, values | {"estimated_seconds": seconds})).fetchone()
            assert row is not None  # noqa: S101  (an INSERT returns its row)
            id = int(row[0])
            details = {"subject": wanted.subject, "analysis_type": wanted.analysis_type}
            await record(connection, wanted.organization_id, act, f"analysis:{id}", details)
            asked = await _read(connection, id)
            await Deliveries(self._database).remember_with(connection, delivery(id))
        assert asked is not None  # noqa: S101  (it was inserted just now)
        return asked

    async def change(
        self, organization_id: int, id: int, act: Act, *, title: str | None = None, tags: list[str] | None = None
    ) -> AnalysisRecord | None:
        """Give it another title, other tags; what is None stays. None where there is no such analysis any more."""
        new = {"title": None if title is None else plain(title), "tags": None if tags is None else [plain(tag) for tag in tags]}
        async with self._database.tenant(organization_id) as connection:
            await connection.execute(CHANGE, new | {"id": id})
            changed = await _read(connection, id)
            if changed is not None:
                given = {name: value for name, value in new.items() if value is not None}
                await record(connection, organization_id, act, f"analysis:{id}", given)
        return changed

    async def cancel(self, organization_id: int, id: int, act: Act) -> bool:
        """Nobody wants it any more: a job that is at it notices, a later one finds nothing to do. False where it has ended."""
        async with self._database.tenant(organization_id) as connection:
            cancelled = (await connection.execute(CANCEL, (id,))).rowcount == 1
            if cancelled:
                await record(connection, organization_id, act, f"analysis:{id}", {"status": "cancelled"})
        return cancelled

    async def delete(self, organization_id: int, id: int, act: Act) -> bool:
        """It is gone, with its findings, reports and proposals; False where it was already.

        A job that is at it notices. Reviews that were posted from it stay. Files of it are for the caller to remove.
        """
        async with self._database.tenant(organization_id) as connection:
            await connection.execute("UPDATE reviews SET analysis_id = NULL WHERE analysis_id = %s", (id,))
            gone = (await connection.execute("DELETE FROM analyses WHERE id = %s", (id,))).rowcount == 1
            if gone:
                await record(connection, organization_id, act, f"analysis:{id}")
        return gone


def _values(wanted: WantedAnalysis, act: Act) -> dict[str, Any]:
    return {
        "organization_id": wanted.organization_id,
        "repository_id": wanted.repository_id,
        "subject": wanted.subject,
        "upload_id": wanted.upload_id,
        "number": wanted.number,
        "ref": wanted.ref,
        "requested_by": act.user_id,
        "analysis_type": wanted.analysis_type,
        "options": Jsonb(wanted.options),
        "title": plain(wanted.title),
        "tags": [plain(tag) for tag in wanted.tags],
    }


async def _read(connection: Connection, id: int) -> AnalysisRecord | None:
    row = await (
        await connection.execute(f"SELECT {COLUMNS} FROM analyses AS a WHERE a.id = %s", (id,))  # noqa: S608
    ).fetchone()
    return None if row is None else read_record(row)
