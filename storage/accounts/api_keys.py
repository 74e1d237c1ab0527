"""API keys, for services: shown once, kept as a hash, with scopes, an end, and the time of their last use."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.accounts.sessions import hashed
from storage.audit import Act, record
from storage.database import Database, plain

PREFIX = "riq_"
"""What every key begins with, so that scanners for leaked secrets know it."""

NOTED_EVERY = 60
"""Seconds: the time of the last use is no more exact than this, so that reads do not write each time."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner sees it: `start` are its first characters. Times are UTC."""

    id: int
    user_id: int
    name: str
    start: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


MOST = 100
"""Keys of one user."""

COLUMNS = "id, user_id, name, start, scopes, expires_at, last_used_at, created_at"


class ApiKeys:
    """The table of API keys. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, user_id: int, name: str, scopes: Sequence[str], expires_at: datetime | None, act: Act
    ) -> tuple[ApiKey, str] | None:
        """A new key and its secret, which nobody sees again; None where the user has MOST already."""
        secret = PREFIX + secrets.token_urlsafe(32)
        async with self._database.system() as connection:
            await connection.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user_id,))  # of two at once one waits
            counted = await connection.execute("SELECT count(*) >= %s FROM api_keys WHERE user_id = %s", (MOST, user_id))
            if await counted.fetchone() == (True,):
                return None
            cursor = await connection.execute(
                "INSERT INTO api_keys (user_id, name, start, hash, scopes, expires_at) VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608
                f" RETURNING {COLUMNS}",
                (user_id, plain(name), secret[:10], hashed(secret), list(scopes), expires_at),
            )
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  (an insert returns its row)
            await record(connection, None, act, f"api_key:{row[0]}", {"name": name, "scopes": list(scopes)})
        return _key(row), secret

    async def of(self, user_id: int, before: int, limit: int) -> list[ApiKey]:
        """The user's keys with a smaller id than that, the newest first."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                f"SELECT {COLUMNS} FROM api_keys WHERE user_id = %s AND id < %s ORDER BY id DESC LIMIT %s",  # noqa: S608
                (user_id, before, limit),
            )
            return [_key(row) for row in await cursor.fetchall()]

    async def used(self, secret: str) -> ApiKey | None:
        """The key with that secret, unless it has expired; its last use is noted."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                f"SELECT {COLUMNS}, last_used_at < now() - make_interval(secs => %s) OR last_used_at IS NULL FROM api_keys"  # noqa: S608
                " WHERE hash = %s AND (expires_at IS NULL OR expires_at > now())",
                (NOTED_EVERY, hashed(secret)),
            )
            row = await cursor.fetchone()
            if row is not None and row[-1]:
                await connection.execute("UPDATE api_keys SET last_used_at = now() WHERE id = %s", (row[0],))
        return None if row is None else _key(row[:-1])

    async def remove(self, user_id: int, key_id: int, act: Act) -> bool:
        """Take a key of that user away, at once; False where there is none."""
        async with self._database.system() as connection:
            cursor = await connection.execute("DELETE FROM api_keys WHERE id = %s AND user_id = %s", (key_id, user_id))
            if cursor.rowcount:
                await record(connection, None, act, f"api_key:{key_id}")
        return cursor.rowcount == 1


def _key(row: tuple[object, ...]) -> ApiKey:
    id, user_id, name, start, scopes, *times = row
    return ApiKey(id, user_id, name, start, tuple(scopes), *times)  # type: ignore[arg-type]
