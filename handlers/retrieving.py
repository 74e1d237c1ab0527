"""Where a review finds the repository's other code: in its index, else in one made for this review, else nowhere."""

import asyncio
from dataclasses import dataclass
from time import monotonic

import structlog

from handlers.context import Context
from handlers.put_jobs import put_index_jobs
from review.change import Change
from review.context.index import Index
from review.context.memory import memory_index
from review.context.retrieve import Retriever
from review.context.tree import MOST_HISTORY, Tree
from review.errors import TryAgain
from storage.reviews import Head

MAKE_SECONDS = 12.0
"""For an index of the moment: files that come last by path are missing from it when that is not enough."""

MOST_SECONDS = 25.0
"""For all of it, the way to GitHub included. A review does without rather than waits longer."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Retrieving:
    """The other code of the repository that `head` is of. Ids in `head` are ours, `github_id` is GitHub's."""

    context: Context
    installation_id: int
    github_id: int
    head: Head

    async def retriever(self, change: Change) -> Retriever | None:
        """What finds other code for this change; None where there is nothing to find it in, or the repository's settings want
        none. Whatever fails costs that alone."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                index = await self._index(change)
        except (TryAgain, TimeoutError) as error:
            log.warning("no other code", because=str(error) or f"it took longer than {MOST_SECONDS:.0f} s")
            return None
        return None if index is None else Retriever(index, change.tree, self.context.embedders.named)

    async def _index(self, change: Change) -> Index | None:
        indexes, head = self.context.code_indexes, self.head
        settings = await self.context.repositories.settings(head.organization_id, head.repository_id)
        if not settings.index:
            return None
        state = await indexes.state(head.organization_id, head.repository_id)
        if state is not None and state.commit_sha:
            return indexes.index(head.organization_id, head.repository_id)
        if state is None or state.state != "running":
            await self._have_it_indexed(change.base_sha)
        return await self._made_for_now(change.tree)

    async def _have_it_indexed(self, base_sha: str) -> None:
        """The app may have been installed before we knew of it, or its event was lost. Once for each base is enough."""
        installed = await self.context.installations.installed(self.installation_id)
        these = [one for one in installed if one.repository.id == self.github_id]
        await put_index_jobs(self.context.deliveries, self.context.queue, these, f"review of a change to {base_sha}")

    async def _made_for_now(self, tree: Tree | None) -> Index | None:
        if tree is None:
            return None
        return await memory_index(tree, changesets=MOST_HISTORY, deadline=monotonic() + MAKE_SECONDS)
