"""Keep what GitHub says of an installation: that it is there, suspended or removed, and on which repositories."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from handlers.context import Context
from handlers.put_jobs import put_index_jobs
from review.pull_request import Installation, Repository
from storage.installations import Installed


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
    outcome = await _keep(context, request)
    await _forget_code(context, request)
    wanted = await _to_index(context, request)
    await put_index_jobs(context.deliveries, context.queue, wanted, request.delivery_id)
    return f"{outcome} {_repositories(len(wanted))} to be indexed." if wanted else outcome


async def _keep(context: Context, request: Request) -> str:
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


async def _forget_code(context: Context, request: Request) -> None:
    """What is indexed of repositories that the app may not read any more. While it is suspended nothing is forgotten."""
    removed = [repository.whole() for repository in request.repositories_removed]
    for tenant in await context.installations.left(request.installation, removed):
        await context.code_indexes.forget(tenant.organization_id, tenant.repository_id)


async def _to_index(context: Context, request: Request) -> list[Installed]:
    """What came under the app's eyes; after a suspension all, since no push was heard meanwhile."""
    added = {repository.id for repository in request.repositories_added}
    if not added and request.action != "unsuspend":
        return []
    installed = await context.installations.installed(request.installation.id)
    return [one for one in installed if request.action == "unsuspend" or one.repository.id in added]


def _repositories(number: int) -> str:
    return f"{number} {'repository' if number == 1 else 'repositories'}"
