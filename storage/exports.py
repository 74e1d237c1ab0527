"""Exports: tables that people have made as a file, each kept for some days and seen by whoever asked for it alone."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from storage.accounts.known import known
from storage.accounts.reading import Reading
from storage.accounts.role import Role
from storage.accounts.sight import Sight
from storage.accounts.users import User
from storage.audit import Act, record
from storage.database import Database, plain_json
from storage.deliveries import Deliveries, NewDelivery
from storage.exported import Kind, rows

Format = Literal["csv", "json", "zip"]
State = Literal["queued", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Export:
    """One export. `filters` are plain JSON, as they were asked for. Once it is ready it has `rows` rows in `size` bytes."""

    id: int
    organization_id: int
    user_id: int
    kind: Kind
    format: Format
    filters: dict[str, Any]
    state: State
    object_key: str
    size: int
    rows: int
    error: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class WantedExport:
    """What somebody asks for."""

    organization_id: int
    kind: Kind
    format: Format
    filters: dict[str, Any]


ADD = """
INSERT INTO exports (organization_id, user_id, kind, format, filters, state, expires_at)
VALUES (%s, %s, %s, %s, %s, 'queued', now() + make_interval(secs => %s))
RETURNING id, organization_id, user_id, kind, format, filters, state, object_key, size, rows, error, created_at, expires_at
"""
FOR_JOB = """
SELECT id, organization_id, user_id, kind, format, filters, state, object_key, size, rows, error, created_at, expires_at
FROM exports WHERE id = %s AND expires_at > now()
"""
# A job that was given up for what is no fault of the export has left it queued.
OWN = """
SELECT e.id, e.organization_id, e.user_id, e.kind, e.format, e.filters,
       CASE WHEN e.state = 'queued' AND d.state = 'failed' THEN 'failed' ELSE e.state END, e.object_key, e.size, e.rows,
       CASE WHEN e.state = 'queued' AND d.state = 'failed' THEN d.outcome ELSE e.error END, e.created_at, e.expires_at
FROM exports AS e LEFT JOIN deliveries AS d ON d.id = 'export-' || e.id
WHERE e.user_id = %(user)s AND e.expires_at > now() AND e.id < %(before)s AND (%(id)s::bigint IS NULL OR e.id = %(id)s)
  AND (e.kind <> 'audit' OR e.organization_id = ANY(%(administered)s))
ORDER BY e.id DESC LIMIT %(limit)s
"""
# Of the repositories that the sight holds, those of this organization: the others are not in it.
READY = """
UPDATE exports SET state = 'ready', error = '', object_key = %s, size = %s, rows = %s, made_whole = %s,
    made_of = ARRAY(SELECT repositories.id FROM repositories WHERE repositories.id = ANY(%s))
WHERE id = %s
"""
NEWEST = 2**63 - 1


class Exports:
    """The table of exports. Expired ones are not seen any more. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading, days: float) -> None:
        self._database = database
        self._reading = reading
        self._seconds = days * 24 * 3600

    async def ask(self, wanted: WantedExport, user_id: int, act: Act, delivery: Callable[[int], NewDelivery]) -> Export:
        """A new export, queued, and in the same transaction its audit and the `delivery` that has it made."""
        organization_id, filters = wanted.organization_id, Jsonb(plain_json(wanted.filters))
        values = (organization_id, user_id, wanted.kind, wanted.format, filters, self._seconds)
        async with self._database.tenant(organization_id) as connection:
            row = await (await connection.execute(ADD, values)).fetchone()
            assert row is not None  # noqa: S101  (an INSERT returns its row)
            details = {"kind": wanted.kind, "format": wanted.format, **wanted.filters}
            await record(connection, organization_id, act, f"export:{row[0]}", details)
            await Deliveries(self._database).remember_with(connection, delivery(row[0]))
        return Export(*row)

    async def get(self, sight: Sight, user_id: int, id: int) -> Export | None:
        """That user's export, where that sight reaches it."""
        found = await self._own(sight, {"user": user_id, "id": id, "before": NEWEST, "limit": 1})
        return found[0] if found else None

    async def page(self, sight: Sight, user_id: int, limit: int, before: int) -> list[Export]:
        """That user's newest exports, below the id `before`."""
        return await self._own(sight, {"user": user_id, "id": None, "before": before, "limit": limit})

    async def _own(self, sight: Sight, values: dict[str, Any]) -> list[Export]:
        administered = [of.organization_id for of in sight.memberships if of.role.at_least(Role.ADMIN)]
        async with self._reading.of(sight) as connection:
            rows = await (await connection.execute(OWN, values | {"administered": administered})).fetchall()
        return [Export(*row) for row in rows]

    async def for_job(self, organization_id: int, id: int) -> Export | None:
        """An export of that organization; None where it is gone."""
        async with self._database.tenant(organization_id) as connection:
            row = await (await connection.execute(FOR_JOB, (id,))).fetchone()
        return Export(*row) if row else None

    async def requester(self, export: Export) -> tuple[User, Sight] | None:
        """Who asked for it, with what they may see by now; None where there is no such account any more."""
        return await known(self._database, export.user_id)

    def rows(self, export: Export, sight: Sight) -> AsyncGenerator[list[tuple[Any, ...]]]:
        """Pages of what is in it, as far as that sight goes. Close it when you break off (`aclosing`)."""
        return rows(self._reading, sight, export.organization_id, export.kind, export.filters)

    async def ready(self, export: Export, sight: Sight, key: str, size: int, rows: int) -> bool:
        """It was made of what that sight shows, and lies under that key; False where it is gone meanwhile.

        It is seen for as long as all of that may be read.
        """
        whole = export.organization_id in sight.whole
        values = (key, size, rows, whole, [] if whole else list(sight.repositories), export.id)
        async with self._database.tenant(export.organization_id) as connection:
            return (await connection.execute(READY, values)).rowcount == 1

    async def failed(self, export: Export, because: str) -> None:
        """It will not be made, for that reason: a sentence."""
        query = "UPDATE exports SET state = 'failed', error = %s WHERE id = %s AND state = 'queued'"
        async with self._database.tenant(export.organization_id) as connection:
            await connection.execute(query, (because, export.id))

    async def delete(self, export: Export, act: Act) -> bool:
        """It is gone; False where it was already. Its object is for the caller to remove."""
        async with self._database.tenant(export.organization_id) as connection:
            gone = (await connection.execute("DELETE FROM exports WHERE id = %s", (export.id,))).rowcount == 1
            if gone:
                await record(connection, export.organization_id, act, f"export:{export.id}", {"kind": export.kind})
        return gone
