"""Keep what GitHub says of an installation: that it is there, suspended or removed, and on which repositories."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from handlers.context import Context
from review.pull_request import Installation, Repository


@dataclass(frozen=True, slots=True)
class NamedRepository:
    """A repository as installation events name it: without its default branch."""

    id: int
    full_name: str
    private: bool

    def whole(self) -> Repository:
        """With the default branch that most have; the first pull request tells the real one."""
        return Repository(self.id, self.full_name, self.private)


@dataclass(frozen=True, slots=True)
class Request:
    """What the delivery said. All ids are GitHub's."""

    delivery_id: str
    action: str
    installation: Installation
    repositories_added: list[NamedRepository]
    repositories_removed: list[NamedRepository]


async def update_installation(context: Context, arguments: Mapping[str, Any]) -> str:
    """Bring our records up to date; gives the outcome as a sentence. Raises Away."""
    request = msgspec.convert(arguments, Request)
    installation = request.installation
    added = [repository.whole() for repository in request.repositories_added]
    removed = [repository.whole() for repository in request.repositories_removed]
    match request.action:
        case "deleted":
            await context.installations.set_state(installation, "removed")
            return f"The app was removed from {installation.account}."
        case "suspend":
            await context.installations.set_state(installation, "suspended")
            return f"The app was suspended on {installation.account}."
        case "unsuspend":
            await context.installations.set_state(installation, "active")
            return f"The app was resumed on {installation.account}."
        case "added" | "removed":
            await context.installations.change_repositories(installation, added, removed)
            return f"{installation.account}: {_repositories(len(added))} added, {len(removed)} removed."
    await context.installations.keep(installation, added)
    return f"The app is installed on {installation.account}, with {_repositories(len(added))} named."


def _repositories(number: int) -> str:
    return f"{number} {'repository' if number == 1 else 'repositories'}"
