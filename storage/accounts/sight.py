"""What one caller may see: their organizations with their roles, and the repositories that GitHub lets them read."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.accounts.role import Role, effective
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization of the caller's. `whole`: they may read all of its repositories (GitHub's owners, one's own home)."""

    organization_id: int
    login: str
    kind: str
    role: Role
    whole: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What may be read: handed to `Database.reader`, which shows nothing else whatever a query asks for.

    `repositories` are our ids of those that GitHub lets the caller read; with `whole` organizations they need not be named.
    """

    memberships: tuple[Membership, ...] = ()
    repositories: tuple[int, ...] = ()

    @property
    def organizations(self) -> tuple[int, ...]:
        return tuple(membership.organization_id for membership in self.memberships)

    @property
    def whole(self) -> tuple[int, ...]:
        return tuple(membership.organization_id for membership in self.memberships if membership.whole)

    def role_in(self, organization_id: int) -> Role | None:
        """The caller's role there; None where they have none."""
        return next((member.role for member in self.memberships if member.organization_id == organization_id), None)

    def reads(self, organization_id: int, repository_id: int | None) -> bool:
        """Whether something of that organization, and of that repository where it belongs to one, may be seen."""
        if organization_id not in self.organizations:
            return False
        return repository_id is None or organization_id in self.whole or repository_id in self.repositories

    def within(self, organization_ids: Sequence[int]) -> "Sight":
        """The same, of these organizations alone."""
        return Sight(
            tuple(member for member in self.memberships if member.organization_id in organization_ids), self.repositories
        )


NOTHING = Sight()

# A collaborator of single repositories is a viewer by GitHub, and may be given another role here: that opens no repository.
MEMBERSHIPS = """
SELECT o.id, o.login, o.kind, m.role, m.github_role
FROM members AS m JOIN organizations AS o ON o.id = m.organization_id
WHERE m.user_id = %s ORDER BY o.kind <> 'Personal', lower(o.login), o.id
"""
READABLE = "SELECT coalesce(array_agg(repository_id), '{}') FROM repository_readers WHERE user_id = %s"


async def sight_of(database: Database, user_id: int) -> Sight:
    """What that user may see, as far as GitHub was last asked. Raises Away."""
    async with database.system() as connection:
        rows = await (await connection.execute(MEMBERSHIPS, (user_id,))).fetchall()
        readable = await (await connection.execute(READABLE, (user_id,))).fetchone()
    assert readable is not None  # noqa: S101  (an aggregate is one row)
    memberships = tuple(
        Membership(id, login, kind, effective(role, github), kind == "Personal" or github == Role.OWNER)
        for id, login, kind, role, github in rows
    )
    return Sight(memberships, tuple(readable[0]))
