"""Requests that a client may send again without fear: the answer to the first one is kept by the key that it came with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from storage.database import Database

HOURS = 24
"""How long a key is known."""

CLAIM = """
INSERT INTO idempotency_keys AS kept (user_id, key, request) VALUES (%(user)s, %(key)s, %(request)s)
ON CONFLICT (user_id, key) DO UPDATE
SET request = excluded.request, status = NULL, headers = NULL, answer = NULL, created_at = now()
WHERE kept.created_at < now() - make_interval(hours => %(hours)s)
   OR (kept.status IS NULL AND kept.request = excluded.request AND kept.created_at < now() - make_interval(secs => %(stale)s))
RETURNING created_at
"""
KNOWN = "SELECT request, status, headers, answer FROM idempotency_keys WHERE user_id = %s AND key = %s"
FORGET_OLD = """
DELETE FROM idempotency_keys WHERE (user_id, key) IN (
    SELECT user_id, key FROM idempotency_keys WHERE created_at < now() - make_interval(hours => %s)
    ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer the first request with that key. `since` tells two claims of one key apart."""

    user_id: int
    key: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """The key came before, with a request of that hash. `status` is None while that one is still being answered."""

    request: bytes
    status: int | None
    headers: Mapping[str, str]
    answer: bytes


class IdempotencyKeys:
    """The table of keys, by user. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, user_id: int, key: str, request: bytes, stale: float) -> Claim | Known:
        """Claim the key for a request of that hash, or learn what became of the one that has it.

        A claim that was neither kept nor released for `stale` seconds is one whose process died: it may be claimed anew.
        """
        given = {"user": user_id, "key": key, "request": request, "hours": HOURS, "stale": stale}
        async with self._database.system() as connection:
            await connection.execute(FORGET_OLD, (HOURS,))
            claimed = await (await connection.execute(CLAIM, given)).fetchone()
            if claimed is not None:
                return Claim(user_id, key, claimed[0])
            known = await (await connection.execute(KNOWN, (user_id, key))).fetchone()
        if known is None:  # released in between
            return await self.claim(user_id, key, request, stale)
        return Known(bytes(known[0]), known[1], known[2] or {}, bytes(known[3] or b""))

    async def keep(self, claim: Claim, status: int, headers: Mapping[str, str], answer: bytes) -> None:
        """Keep the answer, if the claim still holds."""
        async with self._database.system() as connection:
            await connection.execute(
                "UPDATE idempotency_keys SET status = %s, headers = %s, answer = %s"
                " WHERE user_id = %s AND key = %s AND created_at = %s",
                (status, Jsonb(dict(headers)), answer, claim.user_id, claim.key, claim.since),
            )

    async def release(self, claim: Claim) -> None:
        """Forget the key: its request came to nothing, and may be sent again."""
        async with self._database.system() as connection:
            await connection.execute(
                "DELETE FROM idempotency_keys WHERE user_id = %s AND key = %s AND created_at = %s",
                (claim.user_id, claim.key, claim.since),
            )
