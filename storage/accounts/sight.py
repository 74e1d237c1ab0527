"""What one caller may see: their organizations with their roles, and the repositories that GitHub lets them read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from storage.accounts.role import Role


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
    `is_old` says that GitHub should be asked again; `fresh`, that no replica will do, which may be behind.
    """

    memberships: tuple[Membership, ...] = ()
    repositories: tuple[int, ...] = ()
    is_old: bool = False
    fresh: bool = False

    @property
    def organizations(self) -> tuple[int, ...]:
        return tuple(membership.organization_id for membership in self.memberships)

    @property
    def whole(self) -> tuple[int, ...]:
        return tuple(membership.organization_id for membership in self.memberships if membership.whole)

    def role_in(self, organization_id: int) -> Role | None:
        """The caller's role there; None where they have none."""
        return next((member.role for member in self.memberships if member.organization_id == organization_id), None)

    def within(self, organization_ids: Sequence[int]) -> "Sight":
        """The same, of these organizations alone."""
        return replace(self, memberships=tuple(m for m in self.memberships if m.organization_id in organization_ids))


NOTHING = Sight()
