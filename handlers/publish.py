"""Post one review on a head, exactly once, whatever crashes, is lost on the way, or comes twice."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from handlers.host import CodeHost, PostedReview, Unclear
from review.errors import Superseded, TryAgain
from review.marker import Marker
from review.pull_request import PullRequest
from review.review import Review

LOOKS = (1.0, 3.0, 6.0)
"""Seconds before each look for a review whose post was not answered: GitHub may still be writing it."""

REPLICA_LAG = 2.0
"""Seconds before GitHub is asked again where its answer is not what it told us before: a replica may lag behind."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Our own reviews that stand on a pull request, by each head that their marks name."""

    reviews: dict[str, PostedReview]

    @property
    def heads(self) -> frozenset[str]:
        return frozenset(self.reviews)


async def nobody_else_writes() -> None:
    """For a thread that is written to without a claim."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One pull request as one installation of the app sees it: where reviews are posted.

    `make_sure` is awaited right before each write, and raises where the claim on the review was lost: a process that was
    frozen in its last look at the pull request must not write after another one did.
    """

    host: CodeHost
    installation_id: int
    pull: PullRequest
    marker: Marker
    make_sure: Callable[[], Awaitable[None]] = nobody_else_writes

    async def look(self) -> Standing:
        """What of ours stands there. A pending review that was left behind is taken away: GitHub allows one, and it blocks.

        Raises TryAgain where nobody can say whether it was taken away: the next look tells.
        """
        reviews: dict[str, PostedReview] = {}
        for posted in await self.host.bot_reviews(self.installation_id, self._repository, self.pull.number):
            if posted.state == "PENDING":
                # GitHub shows pending reviews to their author only, so this one is ours.
                await self._take_away(posted.id)
            elif posted.by_bot:
                reviews |= dict.fromkeys(self.marker.heads(posted.body), posted)
        return Standing(reviews)

    async def post(self, review: Review) -> int:
        """Post a review that was looked for and does not stand yet; gives its id on GitHub.

        Raises Superseded when the head is no longer the pull request's, and TryAgain when nobody can say whether it was
        posted: the next try looks first.
        """
        await self.still_at(review.head_sha)
        await self.make_sure()
        try:
            return await self.host.post_review(self.installation_id, self._repository, self.pull.number, review)
        except Unclear as unclear:
            return await self._look_for(review.head_sha, unclear)

    async def edit(self, head_sha: str, review_id: int, body: str) -> None:
        """Replace the body of an earlier review of ours, while the pull request is still at this head.

        Writing the same body twice does no harm, so an unanswered edit is simply tried again. Raises Superseded, TryAgain.
        """
        await self.still_at(head_sha)
        await self.make_sure()
        try:
            await self.host.edit_review(self.installation_id, self._repository, self.pull.number, review_id, body)
        except Unclear as unclear:
            raise TryAgain(str(unclear)) from unclear

    async def still_at(self, head_sha: str) -> None:
        """Raises Superseded when the pull request has another head by now, or is not open any more."""
        now = await self._now()
        if now.head_sha != head_sha:
            await asyncio.sleep(REPLICA_LAG)
            now = await self._now()
        if now.head_sha != head_sha:
            raise Superseded(f"The pull request has moved on to {now.head_sha[:7]}.")
        if now.state != "open":
            raise Superseded(f"The pull request is {now.state}.")

    async def _now(self) -> PullRequest:
        return await self.host.pull_request(self.installation_id, self._repository, self.pull.number)

    async def _take_away(self, review_id: int) -> None:
        try:
            await self.host.delete_pending_review(self.installation_id, self._repository, self.pull.number, review_id)
        except Unclear as unclear:
            raise TryAgain(str(unclear)) from unclear

    async def _look_for(self, head_sha: str, unclear: Unclear) -> int:
        for seconds in LOOKS:
            await asyncio.sleep(seconds)
            standing = await self.look()
            if head_sha in standing.reviews:
                return standing.reviews[head_sha].id
        raise TryAgain(f"{unclear} It will be looked for again before it is posted again.", after=10) from unclear

    @property
    def _repository(self) -> str:
        return self.pull.repository.full_name
