"""Deliveries remembered: each webhook once, what it became, and which of them still wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, LiteralString

import msgspec

from storage.database import Connection, Database, plain

MAX_OUTCOME = 2_000


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery as it comes in. Ids are GitHub's; `job` is the JSON of what shall be queued, None where nothing shall."""

    id: str
    event: str
    action: str
    account_id: int | None
    installation_id: int | None
    repository_id: int | None
    pull_number: int | None
    head_sha: str | None
    state: Literal["received", "ignored", "done"]
    outcome: str = ""
    job: bytes | None = None
    owner_id: int | None = None
    """Our own id of the organization that a job of ours is done for, where no GitHub account says it."""
    own_repository_id: int | None = None
    """Our own id of the repository that it concerns, in place of GitHub's: whoever may not read that one does not see it."""


@dataclass(frozen=True, slots=True)
class UnfinishedDelivery:
    """One that has no final state yet. `sequence` orders all deliveries."""

    id: str
    sequence: int
    job: bytes | None


@dataclass(frozen=True, slots=True)
class RememberedDelivery:
    """One as it stands now. `repository` is the newest name that we know of it; `outcome` is a sentence."""

    id: str
    event: str
    action: str
    state: str
    outcome: str
    attempts: int
    pull_number: int | None
    head_sha: str | None
    repository: str | None = None


REMEMBER = """
INSERT INTO deliveries
    (id, event, action, account_id, installation_id, repository_id, pull_number, head_sha, state, outcome, job, owner_id)
SELECT id, event, action, account_id, installation_id,
       coalesce(repository_id, (SELECT github_id FROM repositories WHERE id = new.own_repository_id)), pull_number,
       head_sha, state, outcome, decode(job, 'base64'), owner_id
FROM json_to_recordset(%s) AS new(
    id text, event text, action text, account_id bigint, installation_id bigint, repository_id bigint, pull_number int,
    head_sha text, state text, outcome text, job text, owner_id bigint,
    own_repository_id bigint)
ON CONFLICT (id) DO UPDATE SET state = 'received', outcome = '', attempts = 0, updated_at = now()
WHERE deliveries.state = 'failed'
RETURNING id
"""

# Deliveries come in any order. A later one with another head counts only when it put a job, since that job reads the pull
# request anew and reviews whatever it is by then; a label's late delivery with an old head ends nothing. Likewise a `closed`
# that comes after a `reopened` may be the one before it: then the look before the post decides.
NEWER = """
SELECT later.action, later.head_sha
FROM deliveries AS this
JOIN deliveries AS later ON later.repository_id = %s AND later.pull_number = %s AND later.event = 'pull_request'
WHERE this.id = %s AND later.sequence > this.sequence
  AND ((later.head_sha <> %s AND later.job IS NOT NULL)
       OR (later.action = 'closed' AND this.action <> 'reopened')
       OR (later.action = 'converted_to_draft' AND this.action <> 'ready_for_review'))
ORDER BY later.sequence DESC
LIMIT 1
"""

NAME = """
(SELECT full_name FROM repositories WHERE github_id = deliveries.repository_id ORDER BY updated_at DESC LIMIT 1)
"""

FORGET = """
DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries
    WHERE received_at < now() - make_interval(secs => %s) AND state NOT IN ('received', 'running', 'retrying')
    LIMIT %s)
"""
FORGOTTEN_AT_ONCE = 10_000
"""Rows in one transaction, so that the receiver never waits long for it."""


class Deliveries:
    """The table of deliveries, as the receiver, the jobs and the sweep use it. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, batch: Sequence[NewDelivery]) -> set[str]:
        """Write these down in one round trip, durably; gives the ids that are new, or had failed and are tried again.

        Only those shall be queued. An id that stands twice in the batch counts once.
        """
        rows = list({delivery.id: delivery for delivery in batch}.values())
        return {row[0] for row in await self._database.at_once(REMEMBER, (msgspec.json.encode(rows).decode(),))}

    async def remember_with(self, connection: Connection, delivery: NewDelivery) -> None:
        """Write one down in a transaction that wrote down what it is for: neither can be without the other.

        The transaction is the system's from here on, and writes nothing else of its tenant.
        """
        await connection.execute("SELECT set_config('role', 'refactoriq_system', true)")
        await connection.execute(REMEMBER, (msgspec.json.encode([delivery]).decode(),))

    async def started(self, delivery_id: str) -> int | None:
        """Work begins; gives how many times it has begun by now, or None where the delivery has a final state already."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "UPDATE deliveries SET state = 'running', attempts = attempts + 1, updated_at = now()"
                " WHERE id = %s AND state IN ('received', 'running', 'retrying') RETURNING attempts",
                (delivery_id,),
            )
            row = await cursor.fetchone()
        return row[0] if row else None

    async def retrying(self, delivery_id: str, because: str) -> None:
        """It will be tried again."""
        await self._set(delivery_id, "retrying", because)

    async def finished(self, delivery_id: str, outcome: str) -> None:
        """It is done, with this outcome."""
        await self._set(delivery_id, "done", outcome)

    async def superseded(self, delivery_id: str, because: str) -> None:
        """It has lost its point."""
        await self._set(delivery_id, "superseded", because)

    async def failed(self, delivery_id: str, error: str) -> None:
        """It failed for good."""
        await self._set(delivery_id, "failed", error)

    async def newer_head(self, repository_id: int, pull_number: int, than_delivery_id: str, head_sha: str) -> str | None:
        """A sentence when a delivery received after that one names another head, or ended the pull request; else None."""
        async with self._database.system() as connection:
            cursor = await connection.execute(NEWER, (repository_id, pull_number, than_delivery_id, head_sha))
            row = await cursor.fetchone()
        if row is None:
            return None
        action, newer = row
        if action == "closed":
            return "The pull request was closed."
        if action == "converted_to_draft":
            return "The pull request became a draft."
        return f"The pull request has moved on to {(newer or '')[:7]}."

    async def unfinished(self, older_than: float, after: int = 0, limit: int = 500) -> list[UnfinishedDelivery]:
        """Those without a final state whose last change is more than `older_than` seconds ago, oldest first.

        A page of them: `after` is the `sequence` of the last one of the page before.
        """
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "SELECT id, sequence, job FROM deliveries WHERE state IN ('received', 'running', 'retrying')"
                " AND updated_at < now() - make_interval(secs => %s) AND sequence > %s ORDER BY sequence LIMIT %s",
                (older_than, after, limit),
            )
            return [UnfinishedDelivery(*row) for row in await cursor.fetchall()]

    async def again(self, delivery_id: str) -> bytes | None:
        """Take a delivery that failed for good as just received; gives its job, None where there is no such delivery."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "UPDATE deliveries SET state = 'received', outcome = '', attempts = 0, updated_at = now()"
                " WHERE id = %s AND state = 'failed' AND job IS NOT NULL RETURNING job",
                (delivery_id,),
            )
            row = await cursor.fetchone()
        return None if row is None else bytes(row[0])

    async def open(self, limit: int = 100) -> list[RememberedDelivery]:
        """Those that wait, run, or failed for good, newest first."""
        return await self._select(
            "WHERE state IN ('received', 'running', 'retrying', 'failed') ORDER BY sequence DESC LIMIT %s", (limit,)
        )

    async def forget(self, older_than_days: float) -> int:
        """Delete those that came in more than so many days ago and have a final state; gives how many.

        A delivery that was forgotten would be new if it came again: GitHub delivers again for 3 days (Enterprise Server: 7).
        """
        forgotten = 0
        while True:
            async with self._database.system() as connection:
                cursor = await connection.execute(FORGET, (older_than_days * 86_400, FORGOTTEN_AT_ONCE))
            forgotten += cursor.rowcount
            if cursor.rowcount < FORGOTTEN_AT_ONCE:
                return forgotten

    async def get(self, delivery_id: str) -> RememberedDelivery | None:
        """One delivery, or None."""
        return next(iter(await self._select("WHERE id = %s", (delivery_id,))), None)

    async def recent(self, limit: int = 50) -> list[RememberedDelivery]:
        """The newest, newest first."""
        return await self._select("ORDER BY sequence DESC LIMIT %s", (limit,))

    async def _select(self, which: LiteralString, values: tuple[object, ...]) -> list[RememberedDelivery]:
        columns = f"id, event, action, state, outcome, attempts, pull_number, head_sha, {NAME}"
        async with self._database.system() as connection:
            cursor = await connection.execute(f"SELECT {columns} FROM deliveries {which}", values)  # noqa: S608
            return [RememberedDelivery(*row) for row in await cursor.fetchall()]

    async def _set(self, delivery_id: str, state: str, outcome: str) -> None:
        """What came to a good end stays so, whatever a second job of the same delivery has to say of it."""
        async with self._database.system() as connection:
            await connection.execute(
                "UPDATE deliveries SET state = %s, outcome = %s, updated_at = now()"
                " WHERE id = %s AND state NOT IN ('ignored', 'done', 'superseded')",
                (state, plain(outcome)[:MAX_OUTCOME], delivery_id),
            )
