"""Users: made with a home of their own, found by e-mail address, by id, or by their account on GitHub."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.errors import UniqueViolation

from review.errors import RefactorIQError
from storage.audit import Act, record
from storage.database import Connection, Database, plain


class Taken(RefactorIQError):
    """Another user has that e-mail address."""


@dataclass(frozen=True, slots=True)
class User:
    """A person. `home_id` is their own organization; `administrator` of this instance. Times are UTC."""

    id: int
    home_id: int
    email: str | None
    full_name: str
    password_hash: str | None
    github_login: str
    administrator: bool
    confirmed_at: datetime | None
    disabled_at: datetime | None
    created_at: datetime


COLUMNS = """id, home_id, email, full_name, password_hash, github_login, administrator, confirmed_at, disabled_at, created_at"""


class Users:
    """The table of users. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, email: str, full_name: str, password_hash: str | None, act: Act, *, administrator: bool = False
    ) -> User:
        """A new user, owner of a new home. Raises Taken."""
        try:
            async with self._database.system() as connection:
                home_id = await _new_home(connection, full_name or email)
                cursor = await connection.execute(
                    "INSERT INTO users (home_id, email, full_name, password_hash, administrator)"  # noqa: S608
                    " VALUES (%s, %s, %s, %s, %s)"
                    f" RETURNING {COLUMNS}",
                    (home_id, plain(email), plain(full_name), password_hash, administrator),
                )
                row = await cursor.fetchone()
                assert row is not None  # noqa: S101  (an insert returns its row)
                user = User(*row)
                await connection.execute(
                    "INSERT INTO members (organization_id, user_id, role) VALUES (%s, %s, 'owner')", (home_id, user.id)
                )
                await record(connection, None, act, f"user:{user.id}", {"email": email})
        except UniqueViolation:
            raise Taken("Another account has this e-mail address.") from None
        return user

    async def by_id(self, user_id: int) -> User | None:
        """That user, or None."""
        return await self._one("WHERE id = %s", user_id)

    async def by_email(self, email: str) -> User | None:
        """The user with that address, in any case of its letters."""
        return await self._one("WHERE lower(email) = lower(%s)", plain(email))

    async def _one(self, which: LiteralString, value: object) -> User | None:
        async with self._database.system() as connection:
            cursor = await connection.execute(f"SELECT {COLUMNS} FROM users {which}", (value,))  # noqa: S608
            row = await cursor.fetchone()
        return None if row is None else User(*row)


async def _new_home(connection: Connection, name: str) -> int:
    cursor = await connection.execute(
        "INSERT INTO organizations (login, kind) VALUES (%s, 'Personal') RETURNING id", (plain(name),)
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  (an insert returns its row)
    return int(row[0])
