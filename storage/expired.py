"""What has had its time: found without knowing whose it is, removed as its tenant; and what a file may still belong to."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, LiteralString

from storage.database import Database

Table = Literal["uploads", "exports"]
Owner = Literal["uploads", "exports", "analyses", "proposals"]

EXPIRED: dict[Table, LiteralString] = {
    "uploads": "SELECT organization_id, id, object_key FROM uploads WHERE expires_at <= now() ORDER BY expires_at LIMIT %s",
    "exports": "SELECT organization_id, id, 'exports/' || id || '.' || format FROM exports WHERE expires_at <= now()"
    " ORDER BY expires_at LIMIT %s",
}
REMOVE: dict[Table, LiteralString] = {
    "uploads": "DELETE FROM uploads WHERE id = %s AND expires_at <= now()",
    "exports": "DELETE FROM exports WHERE id = %s AND expires_at <= now()",
}
STANDING: dict[Owner, LiteralString] = {
    "uploads": "SELECT id FROM uploads WHERE id = ANY(%s)",
    "exports": "SELECT id FROM exports WHERE id = ANY(%s)",
    "analyses": "SELECT id FROM analyses WHERE id = ANY(%s)",
    "proposals": "SELECT id FROM proposals WHERE id = ANY(%s)",
}
IDEMPOTENCY_HOURS = 24


@dataclass(frozen=True, slots=True)
class ExpiredRow:
    """A row that has had its time, with the key of its object."""

    organization_id: int
    id: int
    object_key: str


class Expired:
    """Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, table: Table, limit: int) -> list[ExpiredRow]:
        """Some that have expired, the longest ago first."""
        async with self._database.system() as connection:
            return [ExpiredRow(*row) for row in await (await connection.execute(EXPIRED[table], (limit,))).fetchall()]

    async def remove(self, table: Table, row: ExpiredRow) -> None:
        """That row is gone, with all that hangs on it."""
        async with self._database.tenant(row.organization_id) as connection:
            await connection.execute(REMOVE[table], (row.id,))

    async def forget_links_and_keys(self) -> int:
        """Mailed links that are no good any more, and idempotency keys of yesterday; gives how many are gone."""
        async with self._database.system() as connection:
            links = await connection.execute("DELETE FROM user_links WHERE expires_at <= now()")
            keys = await connection.execute(
                "DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(hours => %s)", (IDEMPOTENCY_HOURS,)
            )
        return links.rowcount + keys.rowcount

    async def standing(self, owner: Owner, ids: Collection[int]) -> set[int]:
        """Which of these are there."""
        async with self._database.system() as connection:
            return {row[0] for row in await (await connection.execute(STANDING[owner], (list(ids),))).fetchall()}
