"""What a member of an organization may do there, from the least to the most."""

from enum import StrEnum


class Role(StrEnum):
    """A role in an organization. Each may do all that those before it may."""

    VIEWER = "viewer"
    MEMBER = "member"
    MAINTAINER = "maintainer"
    ADMIN = "admin"
    OWNER = "owner"

    def at_least(self, other: "Role") -> bool:
        """Whether this one may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


def effective(set_here: str | None, by_github: str | None) -> Role:
    """The role that counts: an owner by GitHub is one; else the one that was set here, else GitHub's."""
    if by_github == Role.OWNER or set_here is None:
        return Role(by_github or Role.VIEWER)
    return Role(set_here)
