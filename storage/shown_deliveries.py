"""Deliveries and jobs as people see them: those of their organizations and repositories, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.audit import Act, record
from storage.database import Database, plain

CANCELLABLE = ("review_pull_request", "index_repository")
"""Kinds of jobs that leave nothing half done when they never run. Analyses, proposals and exports are cancelled themselves."""


@dataclass(frozen=True, slots=True)
class ShownDelivery:
    """One delivery, and its job where it put one (`kind`). `sequence` orders all of them; times are UTC."""

    id: str
    sequence: int
    event: str
    action: str
    organization_id: int | None
    repository: str | None
    pull_number: int | None
    head_sha: str | None
    state: str
    outcome: str
    attempts: int
    kind: str | None
    received_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them: `jobs` are those that put a job, all others are webhooks of GitHub's. None means any."""

    jobs: bool
    event: str | None = None
    state: str | None = None
    repository_id: int | None = None


COLUMNS = """
d.id, d.sequence, d.event, d.action, coalesce(d.owner_id, (SELECT id FROM organizations WHERE github_id = d.account_id)),
(SELECT full_name FROM repositories WHERE github_id = d.repository_id ORDER BY updated_at DESC LIMIT 1),
d.pull_number, d.head_sha, d.state, d.outcome, d.attempts, convert_from(d.job, 'UTF8')::jsonb ->> 'kind',
d.received_at, d.updated_at
"""
WHICH = """
AND sequence < %(before)s
AND CASE WHEN %(jobs)s THEN job IS NOT NULL ELSE event <> 'refactoriq' END
AND (%(event)s::text IS NULL OR event = %(event)s)
AND (%(state)s::text IS NULL OR state = %(state)s)
AND (%(repository_id)s::bigint IS NULL
     OR repository_id = (SELECT github_id FROM repositories WHERE id = %(repository_id)s))
ORDER BY sequence DESC LIMIT %(limit)s
"""
# By account and by owner, each on its own index, and once where both say the same; `organizations` holds only those that
# the reader sees.
NEWEST: LiteralString = f"""
SELECT {COLUMNS} FROM (
    (SELECT those.* FROM organizations AS o, LATERAL (
        SELECT * FROM deliveries WHERE account_id = o.github_id {WHICH}) AS those
     WHERE o.github_id IS NOT NULL AND (%(organizations)s::bigint[] IS NULL OR o.id = ANY(%(organizations)s)))
    UNION
    (SELECT those.* FROM organizations AS o, LATERAL (
        SELECT * FROM deliveries WHERE owner_id = o.id {WHICH}) AS those
     WHERE %(organizations)s::bigint[] IS NULL OR o.id = ANY(%(organizations)s))
) AS d ORDER BY d.sequence DESC LIMIT %(limit)s
"""  # noqa: S608
ONE: LiteralString = f"SELECT {COLUMNS} FROM deliveries AS d WHERE id = %s"  # noqa: S608


class ShownDeliveries:
    """The table of deliveries, for people. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database = database
        self._reading = reading

    async def newest(
        self, sight: Sight, wanted: Wanted, limit: int, before: int, organizations: Sequence[int] | None = None
    ) -> list[ShownDelivery]:
        """A page of those that the sight allows, newest first, below the sequence `before`."""
        rows = await self._reading.rows(sight, NEWEST, _values(wanted, limit, before, organizations))
        return [ShownDelivery(*row) for row in rows]

    async def newest_of_all(self, wanted: Wanted, limit: int, before: int) -> list[ShownDelivery]:
        """The same, of every organization: for administrators of the instance, who keep it running."""
        rows = await self._database.at_once(NEWEST, _values(wanted, limit, before, None))
        return [ShownDelivery(*row) for row in rows]

    async def get(self, sight: Sight, delivery_id: str) -> ShownDelivery | None:
        """That one, where the sight allows."""
        rows = await self._reading.rows(sight, ONE, (plain(delivery_id),))
        return ShownDelivery(*rows[0]) if rows else None

    async def get_of_all(self, delivery_id: str) -> ShownDelivery | None:
        """That one, whoever's it is."""
        rows = await self._database.at_once(ONE, (plain(delivery_id),))
        return ShownDelivery(*rows[0]) if rows else None

    async def again(self, delivery_id: str, organization_id: int | None, act: Act) -> bytes | None:
        """Take one with a final state as just received; gives its job, None where it has none or is not at an end."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "UPDATE deliveries SET state = 'received', outcome = '', attempts = 0, updated_at = now()"
                " WHERE id = %s AND state IN ('failed', 'done', 'superseded') AND job IS NOT NULL RETURNING job",
                (delivery_id,),
            )
            row = await cursor.fetchone()
            if row is not None:
                await record(connection, organization_id, act, f"delivery:{delivery_id}")
        return None if row is None else bytes(row[0])

    async def cancel(self, delivery_id: str, organization_id: int | None, act: Act) -> bool:
        """See to it that a job which waits is never done; False where it does not wait (any more)."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "UPDATE deliveries SET state = 'superseded', outcome = %s, updated_at = now()"
                " WHERE id = %s AND state IN ('received', 'retrying')",
                (plain(f"Cancelled by {act.actor}."), delivery_id),
            )
            if cursor.rowcount:
                await record(connection, organization_id, act, f"job:{delivery_id}")
        return cursor.rowcount == 1


def _values(wanted: Wanted, limit: int, before: int, organizations: Sequence[int] | None) -> dict[str, Any]:
    return {
        "jobs": wanted.jobs, "event": wanted.event, "state": wanted.state, "repository_id": wanted.repository_id,
        "limit": limit, "before": before, "organizations": None if organizations is None else list(organizations),
    }  # fmt: skip
