"""Links that are mailed to people to prove themselves with: good once, for a while, and only their hash is kept."""

import secrets
from dataclasses import dataclass
from typing import Literal

from storage.accounts.sessions import hashed
from storage.audit import Act, record
from storage.database import Database, plain

Purpose = Literal["confirm_email", "reset_password"]

MOST = 5
"""Links of a purpose that one user may have out at a time: nobody can fill a stranger's mailbox."""


@dataclass(frozen=True, slots=True)
class Link:
    """Whose it is, and the address that it was mailed to."""

    user_id: int
    email: str


class Links:
    """The table of mailed links. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, user_id: int, purpose: Purpose, email: str, seconds: float, act: Act) -> str | None:
        """A new link's secret, good for so many seconds, for a mail to that address; None while MOST are out."""
        secret = secrets.token_urlsafe(32)
        async with self._database.system() as connection:
            await connection.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user_id,))  # of two at once one waits
            await connection.execute("DELETE FROM user_links WHERE user_id = %s AND expires_at < now()", (user_id,))
            cursor = await connection.execute(
                "INSERT INTO user_links (hash, user_id, purpose, email, expires_at)"
                " SELECT %s, %s, %s, %s, now() + make_interval(secs => %s)"
                " WHERE (SELECT count(*) FROM user_links WHERE user_id = %s AND purpose = %s) < %s",
                (hashed(secret), user_id, purpose, plain(email), seconds, user_id, purpose, MOST),
            )
            if not cursor.rowcount:
                return None
            await record(connection, None, act, f"user:{user_id}", {"purpose": purpose, "email": email})
        return secret

    async def look(self, secret: str, purpose: Purpose) -> Link | None:
        """That link, without using it up; None where it is not good (any more)."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "SELECT user_id, email FROM user_links WHERE hash = %s AND purpose = %s AND expires_at > now()",
                (hashed(secret), purpose),
            )
            row = await cursor.fetchone()
        return None if row is None else Link(*row)

    async def take(self, secret: str, purpose: Purpose) -> Link | None:
        """Use that link up, and with it all others of the user's for the same purpose; None where it is not good (any more)."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "DELETE FROM user_links WHERE hash = %s AND purpose = %s AND expires_at > now() RETURNING user_id, email",
                (hashed(secret), purpose),
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            await connection.execute("DELETE FROM user_links WHERE user_id = %s AND purpose = %s", (row[0], purpose))
        return Link(*row)

    async def drop(self, secret: str) -> None:
        """Forget a link that could not be mailed."""
        async with self._database.system() as connection:
            await connection.execute("DELETE FROM user_links WHERE hash = %s", (hashed(secret),))
