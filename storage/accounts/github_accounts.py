"""Users by their account on GitHub: found, made, linked, and the tokens that GitHub lets us act for them with, encrypted."""

import base64
from dataclasses import asdict, dataclass
from typing import LiteralString

import orjson
from cryptography.fernet import Fernet, InvalidToken
from psycopg.errors import UniqueViolation

from review.errors import RefactorIQError
from storage.accounts.users import COLUMNS, User, new_home
from storage.audit import Act, record
from storage.database import Connection, Database, plain


@dataclass(frozen=True, slots=True)
class GitHubPerson:
    """Who signed in on GitHub. `email` is their primary address, which GitHub has verified; None where it may not be read."""

    id: int
    login: str
    name: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class GitHubTokens:
    """What one person lets us ask GitHub with. `expires` are seconds since 1970, 0 for never; `refresh` is empty then."""

    access: str
    expires: float = 0.0
    refresh: str = ""


@dataclass(frozen=True, slots=True)
class HeldTokens:
    """A person's tokens as they are kept: `sealed` tells whether they have been replaced since."""

    user_id: int
    github_id: int
    tokens: GitHubTokens
    sealed: bytes


class LinkedElsewhere(RefactorIQError):
    """That GitHub account belongs to another user, or that user has another one."""


LINK = """
UPDATE users SET github_id = %(github)s, github_login = %(login)s, github_tokens = %(tokens)s, seen_on_github_at = NULL
FROM (SELECT github_id FROM users WHERE id = %(user)s FOR UPDATE) AS before
WHERE id = %(user)s AND coalesce(before.github_id, %(github)s) = %(github)s RETURNING before.github_id IS NULL
"""


class GitHubAccounts:
    """What the table of users says about GitHub. Every method may raise Away."""

    def __init__(self, database: Database, key: bytes) -> None:
        """`key` are 32 bytes, derived from SECRET_KEY for this purpose alone."""
        self._database = database
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    async def by_github_id(self, github_id: int) -> User | None:
        """The user who is linked to that account."""
        return await self._one("WHERE github_id = %s", github_id)

    async def by_proven_email(self, email: str) -> User | None:
        """The user without a GitHub account who has proved to own that address.

        Somebody may have registered with an address that is not theirs: whoever has not proved it is not found.
        """
        return await self._one(
            "WHERE lower(email) = lower(%s) AND confirmed_at IS NOT NULL AND github_id IS NULL", plain(email)
        )

    async def add(self, person: GitHubPerson, tokens: GitHubTokens, act: Act) -> User:
        """A new user, owner of a new home. An address that another user has, proved or not, stays theirs.

        Raises LinkedElsewhere where somebody else has just made one for the same account on GitHub.
        """
        try:
            async with self._database.system() as connection:
                taken = await connection.execute(
                    "SELECT FROM users WHERE lower(email) = lower(%s)", (plain(person.email or ""),)
                )
                email = None if taken.rowcount or not person.email else plain(person.email)
                user = await self._insert(connection, person, email, tokens)
                await _login_is_theirs(connection, person)
                await record(connection, None, act, f"user:{user.id}", {"github": person.login, "new": True})
        except UniqueViolation:
            raise LinkedElsewhere("This account was made a moment ago: sign in once more.") from None
        return user

    async def _insert(self, connection: Connection, person: GitHubPerson, email: str | None, tokens: GitHubTokens) -> User:
        name = plain(person.name or person.login)
        cursor = await connection.execute(
            "INSERT INTO users (home_id, email, full_name, confirmed_at, github_id, github_login, github_tokens)"  # noqa: S608
            f" VALUES (%s, %s, %s, CASE WHEN %s THEN now() END, %s, %s, %s) RETURNING {COLUMNS}",
            (
                await new_home(connection, name), email, name, email is not None, person.id, plain(person.login),
                self._seal(tokens),
            ),
        )  # fmt: skip
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101  (an insert returns its row)
        user = User(*row)
        await connection.execute(
            "INSERT INTO members (organization_id, user_id, role) VALUES (%s, %s, 'owner')", (user.home_id, user.id)
        )
        return user

    async def link(self, user: User, person: GitHubPerson, tokens: GitHubTokens, act: Act) -> None:
        """This user is that person on GitHub, from now on if they were not before. Raises LinkedElsewhere."""
        values = {"github": person.id, "login": plain(person.login), "tokens": self._seal(tokens), "user": user.id}
        try:
            async with self._database.system() as connection:
                row = await (await connection.execute(LINK, values)).fetchone()
                if row is None:
                    raise LinkedElsewhere("Your account is linked to another GitHub account.")
                await _login_is_theirs(connection, person)
                if row[0]:
                    await record(connection, None, act, f"user:{user.id}", {"github": person.login, "linked": True})
        except UniqueViolation:
            raise LinkedElsewhere("This GitHub account is linked to another account here: sign in with it there.") from None

    async def tokens(self, user_id: int) -> HeldTokens | None:
        """The tokens of that user; None where there are none. Those that another SECRET_KEY encrypted come out empty."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "SELECT github_id, github_tokens FROM users WHERE id = %s AND github_tokens IS NOT NULL", (user_id,)
            )
            row = await cursor.fetchone()
        return None if row is None else HeldTokens(user_id, row[0], self._open(row[1]), row[1])

    async def renew(self, held: HeldTokens, tokens: GitHubTokens) -> HeldTokens:
        """Keep the tokens that came for those; where somebody replaced them meanwhile, theirs stay."""
        sealed = self._seal(tokens)
        async with self._database.system() as connection:
            await connection.execute(
                "UPDATE users SET github_tokens = %s WHERE id = %s AND github_tokens = %s", (sealed, held.user_id, held.sealed)
            )
        return HeldTokens(held.user_id, held.github_id, tokens, sealed)

    async def _one(self, which: LiteralString, value: object) -> User | None:
        async with self._database.system() as connection:
            cursor = await connection.execute(f"SELECT {COLUMNS} FROM users {which}", (value,))  # noqa: S608
            row = await cursor.fetchone()
        return None if row is None else User(*row)

    def _seal(self, tokens: GitHubTokens) -> bytes:
        return self._fernet.encrypt(orjson.dumps(asdict(tokens)))

    def _open(self, sealed: bytes) -> GitHubTokens:
        try:
            return GitHubTokens(**orjson.loads(self._fernet.decrypt(sealed)))
        except InvalidToken:
            return GitHubTokens("")


async def _login_is_theirs(connection: Connection, person: GitHubPerson) -> None:
    """A login that passed from one account on GitHub to another names only the one that has it now."""
    await connection.execute(
        "UPDATE users SET github_login = '' WHERE lower(github_login) = lower(%s) AND github_id <> %s",
        (plain(person.login), person.id),
    )
