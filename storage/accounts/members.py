"""The members of an organization: listed, added, given roles here, and removed, as far as GitHub leaves a choice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from review.errors import RefactorIQError
from storage.accounts.reading import Reading
from storage.accounts.role import Role, effective
from storage.accounts.sight import Sight
from storage.audit import Act, record
from storage.database import Connection, Database, plain


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in an organization: `role` counts; it comes of the one that was `set_here` and the one `by_github`."""

    user_id: int
    full_name: str
    github_login: str
    email: str | None
    set_here: str | None
    by_github: str | None
    updated_at: datetime

    @property
    def role(self) -> Role:
        return effective(self.set_here, self.by_github)


class Unchangeable(RefactorIQError):
    """That membership cannot be changed so. The text says why, and what can be done."""


LAST_OWNER = "They are the last owner: make somebody else one first."
OWNER_ON_GITHUB = "They own this organization on GitHub, which counts here: it can be changed only there."
MEMBER_ON_GITHUB = "GitHub says that they belong to it: take them out there, and they are gone here within minutes."

PAGE = """
SELECT user_id, role, github_role, updated_at FROM members WHERE organization_id = %s AND user_id > %s ORDER BY user_id LIMIT %s
"""
# Of people who came by their e-mail address alone it is what they are known by here; of others it is nobody's business.
NAMES = """
SELECT id, full_name, github_login, CASE WHEN github_login = '' THEN email END FROM users WHERE id = ANY(%s)
"""

KNOWN_BY_ID = "id = %s AND EXISTS (SELECT FROM members WHERE user_id = users.id AND organization_id = ANY(%s))"
SET_ROLE = "UPDATE members SET role = %s, updated_at = now() WHERE organization_id = %s AND user_id = %s"


class Members:
    """The table of members. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database, self._reading = database, reading

    async def page(self, sight: Sight, organization_id: int, limit: int, after: int = 0) -> list[Member]:
        """At most `limit` of them, in the order of their users' ids, behind that id."""
        async with self._reading.of(sight) as connection:
            rows = await (await connection.execute(PAGE, (organization_id, after, limit))).fetchall()
        return await self._named(rows)

    async def get(self, organization_id: int, user_id: int) -> Member | None:
        """That member."""
        async with self._database.tenant(organization_id) as connection:
            row = await _of(connection, user_id)
        return (await self._named([(user_id, *row)]))[0] if row else None

    async def user_by_id(self, user_id: int, sight: Sight) -> int | None:
        """The id itself, where it is of somebody with an open account in an organization whose members that sight shows: who
        counts through the ids of strangers learns neither their names nor their addresses."""
        shown = [of.organization_id for of in sight.memberships if of.role.at_least(Role.ADMIN)]
        return await self._user(KNOWN_BY_ID, (user_id, shown))

    async def user_by_email(self, email: str) -> int | None:
        """Who has proved to own that address: nobody gets a role by registering with somebody else's."""
        return await self._user("lower(email) = lower(%s) AND confirmed_at IS NOT NULL", (plain(email),))

    async def user_by_login(self, login: str) -> int | None:
        """Who signed in with the account on GitHub that has this login."""
        return await self._user("lower(github_login) = lower(%s) AND github_login <> ''", (plain(login),))

    async def add(self, organization_id: int, user_id: int, role: Role, act: Act) -> None:
        """Make them a member. Raises Unchangeable where they are one."""
        async with self._database.tenant(organization_id) as connection:
            cursor = await connection.execute(
                "INSERT INTO members (organization_id, user_id, role) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (organization_id, user_id, role),
            )
            if cursor.rowcount == 0:
                raise Unchangeable("They are a member already: change their role instead.")
            await record(connection, organization_id, act, f"user:{user_id}", {"role": role})

    async def set_role(self, organization_id: int, user_id: int, role: Role | None, act: Act) -> bool:
        """The role that counts here before GitHub's; None leaves GitHub's alone. False where they are no member.

        Raises Unchangeable for the last owner, for owners by GitHub, and where GitHub says nothing of them.
        """
        async with self._database.tenant(organization_id) as connection:
            row = await _to_change(connection, user_id, stays_owner=role is Role.OWNER)
            if row is None:
                return False
            if role is None and row[1] is None:
                raise Unchangeable("They are a member only by the role that was set here: remove them instead.")
            await connection.execute(SET_ROLE, (role, organization_id, user_id))
            await record(connection, organization_id, act, f"user:{user_id}", {"role": role, "before": row[0]})
        return True

    async def remove(self, organization_id: int, user_id: int, act: Act) -> bool:
        """They are a member no more; False where they were none. Raises Unchangeable for the last owner and GitHub's."""
        async with self._database.tenant(organization_id) as connection:
            row = await _to_change(connection, user_id, stays_owner=False)
            if row is None:
                return False
            if row[1] is not None:
                raise Unchangeable(MEMBER_ON_GITHUB)
            await connection.execute(
                "DELETE FROM members WHERE organization_id = %s AND user_id = %s", (organization_id, user_id)
            )
            await record(connection, organization_id, act, f"user:{user_id}", {"role": None, "before": row[0]})
        return True

    async def _user(self, which: LiteralString, values: tuple[object, ...]) -> int | None:
        async with self._database.system() as connection:
            cursor = await connection.execute(f"SELECT id FROM users WHERE disabled_at IS NULL AND {which}", values)  # noqa: S608
            row = await cursor.fetchone()
        return None if row is None else int(row[0])

    async def _named(self, rows: list[Any]) -> list[Member]:
        async with self._database.system() as connection:
            found = await (await connection.execute(NAMES, ([row[0] for row in rows],))).fetchall()
        names: Mapping[int, Any] = {row[0]: row[1:] for row in found}
        return [Member(row[0], *names.get(row[0], ("", "", None)), *row[1:]) for row in rows]


async def _of(connection: Connection, user_id: int) -> Any:
    """Role here, role by GitHub, and since when, in the transaction's organization."""
    cursor = await connection.execute("SELECT role, github_role, updated_at FROM members WHERE user_id = %s", (user_id,))
    return await cursor.fetchone()


async def _to_change(connection: Connection, user_id: int, *, stays_owner: bool) -> Any:
    """The same of a member who may be changed. Raises Unchangeable.

    The owners' rows are locked until the transaction ends: of two last ones who go at once, one stays.
    """
    cursor = await connection.execute(
        "SELECT user_id FROM members WHERE role = 'owner' OR github_role = 'owner' ORDER BY user_id FOR UPDATE"
    )
    owners = [row[0] for row in await cursor.fetchall()]
    row = await _of(connection, user_id)
    if row is not None and row[1] == Role.OWNER:
        raise Unchangeable(OWNER_ON_GITHUB)
    if owners == [user_id] and not stays_owner:
        raise Unchangeable(LAST_OWNER)
    return row
