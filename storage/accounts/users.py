"""Users: made with a home of their own, found by e-mail address, by id, or in a list; what they change of themselves."""

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
    last_login_at: datetime | None

    @property
    def name(self) -> str:
        """For logs and the audit."""
        return self.email or self.github_login or f"user {self.id}"


COLUMNS = (
    "id, home_id, email, full_name, password_hash, github_login, administrator, confirmed_at, disabled_at, created_at,"
    " last_login_at"
)

NEWEST = f"SELECT {COLUMNS} FROM users WHERE id < %s ORDER BY id DESC LIMIT %s"  # noqa: S608
# In the order of bytes, which an index can follow from any beginning of an address whatever the database's language is.
BEGINNING_WITH = f"""
SELECT {COLUMNS} FROM users
WHERE lower(email) COLLATE "C" >= lower(%s) AND lower(email) COLLATE "C" < lower(%s) || chr(1114111)
  AND lower(email) COLLATE "C" > lower(%s)
ORDER BY lower(email) COLLATE "C" LIMIT %s
"""  # noqa: S608

# Whoever registered with an address that was not theirs keeps no way in once its owner proves that it is.
UNPROVEN_KEYS = """
DELETE FROM api_keys USING users WHERE users.id = %s AND api_keys.user_id = users.id AND users.confirmed_at IS NULL
"""
PROVEN = """
UPDATE users SET password_hash = %s, confirmed_at = coalesce(confirmed_at, now()),
    github_id = CASE WHEN confirmed_at IS NULL THEN NULL ELSE github_id END,
    github_login = CASE WHEN confirmed_at IS NULL THEN '' ELSE github_login END,
    github_tokens = CASE WHEN confirmed_at IS NULL THEN NULL ELSE github_tokens END
WHERE id = %s AND email = %s AND disabled_at IS NULL
"""


# Somebody else may have asked for a link to another address: it would take the account over after its owner has mended all.
VOID_LINKS = """
DELETE FROM user_links USING users
WHERE users.id = %s AND user_links.user_id = users.id
  AND (purpose = 'reset_password' OR lower(user_links.email) IS DISTINCT FROM lower(users.email))
"""


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
                home_id = await new_home(connection, full_name or email)
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
                await record(connection, None, act, f"user:{user.id}", {"email": email, "administrator": administrator})
        except UniqueViolation:
            raise Taken("Another account has this e-mail address.") from None
        return user

    async def by_id(self, user_id: int) -> User | None:
        """That user, or None."""
        return await self._one("WHERE id = %s", user_id)

    async def by_email(self, email: str) -> User | None:
        """The user with that address, in any case of its letters."""
        return await self._one("WHERE lower(email) = lower(%s)", plain(email))

    async def newest(self, before: int, limit: int) -> list[User]:
        """Users with a smaller id than that, the newest first."""
        return await self._many(NEWEST, (before, limit))

    async def beginning_with(self, start: str, after: str, limit: int) -> list[User]:
        """Users whose address begins so, in the order of their addresses, from behind `after` on."""
        return await self._many(BEGINNING_WITH, (plain(start), plain(start), plain(after), limit))

    async def signed_in(self, user: User, act: Act, new_hash: str | None = None) -> None:
        """They signed in just now. `new_hash` is the same password, hashed anew: it is kept unless it was changed meanwhile."""
        async with self._database.system() as connection:
            await connection.execute("UPDATE users SET last_login_at = now() WHERE id = %s", (user.id,))
            if new_hash is not None:
                await connection.execute(
                    "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s",
                    (new_hash, user.id, user.password_hash),
                )
            await record(connection, None, act, f"user:{user.id}")

    async def note(self, user_id: int, act: Act) -> None:
        """Put on record what somebody did to that user's sessions, which are not in Postgres."""
        async with self._database.system() as connection:
            await record(connection, None, act, f"user:{user_id}")

    async def rename(self, user_id: int, full_name: str, act: Act) -> None:
        """Their name from now on."""
        async with self._database.system() as connection:
            await connection.execute("UPDATE users SET full_name = %s WHERE id = %s", (plain(full_name), user_id))
            await record(connection, None, act, f"user:{user_id}", {"full_name": full_name})

    async def set_password(self, user: User, password_hash: str, act: Act) -> bool:
        """Their password from now on; links to reset it, or to confirm another address, are void. False where it was changed
        meanwhile."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash IS NOT DISTINCT FROM %s",
                (password_hash, user.id, user.password_hash),
            )
            if cursor.rowcount:
                await _void_links(connection, user.id)
                await record(connection, None, act, f"user:{user.id}")
        return cursor.rowcount == 1

    async def reset_password(self, user_id: int, email: str, password_hash: str, act: Act) -> bool:
        """The password of somebody who proved that this address is theirs; False where it is not the account's any more.

        Where it was not proven before, API keys and the link to GitHub are taken off: somebody else may have made them. So may
        they have asked for links to an address of theirs, which are void in any case.
        """
        async with self._database.system() as connection:
            await connection.execute(UNPROVEN_KEYS, (user_id,))
            cursor = await connection.execute(PROVEN, (password_hash, user_id, email))
            if not cursor.rowcount:
                await connection.rollback()
                return False
            await _void_links(connection, user_id)
            await record(connection, None, act, f"user:{user_id}")
        return True

    async def confirm(self, user_id: int, email: str, act: Act) -> User | None:
        """That address is theirs: it is the account's from now on. None where there is no such user. Raises Taken."""
        try:
            async with self._database.system() as connection:
                cursor = await connection.execute(
                    "UPDATE users SET email = %s, confirmed_at = now() WHERE id = %s AND disabled_at IS NULL"  # noqa: S608
                    f" RETURNING {COLUMNS}",
                    (plain(email), user_id),
                )
                row = await cursor.fetchone()
                if row is not None:
                    await _void_links(connection, user_id)
                    await record(connection, None, act, f"user:{user_id}", {"email": email})
        except UniqueViolation:
            raise Taken("Another account has this e-mail address.") from None
        return None if row is None else User(*row)

    async def _one(self, which: LiteralString, value: object) -> User | None:
        users = await self._many(f"SELECT {COLUMNS} FROM users {which}", (value,))  # noqa: S608
        return users[0] if users else None

    async def _many(self, statement: LiteralString, values: tuple[object, ...]) -> list[User]:
        async with self._database.system() as connection:
            cursor = await connection.execute(statement, values)
            return [User(*row) for row in await cursor.fetchall()]


async def _void_links(connection: Connection, user_id: int) -> None:
    await connection.execute(VOID_LINKS, (user_id,))


async def new_home(connection: Connection, name: str) -> int:
    """An organization of its own kind for one person; gives its id."""
    cursor = await connection.execute(
        "INSERT INTO organizations (login, kind) VALUES (%s, 'Personal') RETURNING id", (plain(name),)
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  (an insert returns its row)
    return int(row[0])
