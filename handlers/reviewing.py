"""One claimed review on its way: fetch, think, keep, post; given up as soon as it has lost its point."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, TypeVar

import structlog

from handlers.analyzing.measure import measured
from handlers.context import Context
from handlers.heartbeat import beside
from handlers.host import Rejected
from handlers.measuring import count_analysis
from handlers.publish import Standing, Thread
from handlers.retrieving import Retrieving
from review.analysis import Analysis
from review.change import Change
from review.comments import without_lines, write_note, write_review, write_update
from review.context.retrieve import Retriever
from review.errors import Superseded, TryAgain
from review.find_context import cited_share
from review.marker import Marker
from review.pull_request import PullRequest
from review.review import Review
from review.rules import ReadRules, parse_rules
from review.words import count
from storage.analyses.keep import Measured
from storage.database import Away
from storage.reviews import ClaimedReview

WATCH_EVERY = 3.0
"""Seconds between looks at whether the work still has a point; each is also the heartbeat of the claim."""

STRANGER = (
    "No model looked at this change: its author is new to this public repository. "
    "The analyzers did; models look once a maintainer asks."
)

NO_MODELS = "No model looked at this change: models are switched off in the repository's settings here. The analyzers did."

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Thought:
    """The change, what was found in it, the rules that it was held against, and how good its files are."""

    change: Change
    analysis: Analysis
    read: ReadRules
    quality: Measured


@dataclass(frozen=True, slots=True)
class Reviewing:
    """A claimed review. `newer` gives a sentence once a newer head came or the pull request ended, else None."""

    context: Context
    installation_id: int
    pull: PullRequest
    claimed: ClaimedReview
    newer: Callable[[], Awaitable[str | None]]

    async def run(self) -> str:
        """All of it; gives the outcome. What an earlier try had ready is posted without thinking twice.

        Thinking is broken off when it has lost its point; posting is not, so that no answer is left on the way.
        """
        if self.claimed.planned is not None:
            return await self._while_alive(self._post_planned(self.claimed.planned), watch=False)
        thought = await self._while_alive(self._think(), watch=True)
        return await self._while_alive(self._say(thought), watch=False)

    async def _think(self) -> Thought:
        started = monotonic()
        change = await self.context.source.change(self.installation_id, self.pull)
        rules = await self.context.source.rules(self.installation_id, self.pull)
        fetched = monotonic() - started
        self.context.on_step("fetch", fetched)
        read = parse_rules(rules, tuple(analyzer.name for analyzer in self.context.reviewer.analyzers))
        head = self.claimed.head
        held_back = STRANGER if self.pull.from_stranger else ""
        held_back = held_back or await why_no_models(self.context, head.organization_id, head.repository_id)
        retriever = None if held_back else await self._retriever(change, read)
        analysis = await self.context.reviewer.review(change, read, models_held_back=held_back, retriever=retriever)
        await note_context(self.context, analysis)
        quality = await measured(change, analysis)
        return Thought(change, replace(analysis, timings={"fetch": fetched, **analysis.timings}), read, quality)

    async def _retriever(self, change: Change, read: ReadRules) -> Retriever | None:
        """What finds other code for the models, where models are asked and may see it."""
        if not (read.rules.models and read.rules.context and self.context.reviewer.providers):
            return None
        repository = self.pull.repository
        retrieving = Retrieving(self.context, self.installation_id, repository.id, self.claimed.head)
        started = monotonic()
        retriever = await retrieving.retriever(change)
        self.context.on_step("index", monotonic() - started)
        return retriever

    async def _say(self, thought: Thought) -> str:
        """Post what is new, or where nothing is, say so in the review that stands already, or in one short note."""
        started = monotonic()
        thread, analysis = self._thread(), thought.analysis
        standing = await thread.look()
        if self._head in standing.reviews:
            return await self._found(standing)
        told = await self.context.reviews.told(self.claimed.head, standing.heads)
        most = thought.read.rules.max_comments
        review = write_review(analysis, thought.change.diff, thread.marker, told=told, max_comments=most)
        if review is not None:
            outcome = await self._post_new(thought, review)
        else:
            outcome = await self._say_nothing_new(thought, still=len(analysis.findings))
        self.context.on_step("post", monotonic() - started)
        return outcome

    async def _post_new(self, thought: Thought, review: Review) -> str:
        await self.context.reviews.keep(self.claimed, thought.analysis, review, thought.quality)
        return await self._post(review)

    async def _post_planned(self, review: Review) -> str:
        standing = await self._thread().look()
        return await self._found(standing) if self._head in standing.reviews else await self._post(review)

    async def _post(self, review: Review) -> str:
        """Only called after a look that did not find it."""
        thread = self._thread()
        try:
            github_id = await thread.post(review)
        except Rejected as rejected:
            if not review.comments:
                raise
            # Every comment was proved to have its place, so this is ours to look into; the findings are told all the same.
            log.error("comments refused", because=str(rejected))
            review = without_lines(review, thread.marker)
            github_id = await thread.post(review)
        await self.context.reviews.posted(self.claimed, github_id, review.body)
        if not review.fingerprints:
            return f"Posted a note in review {github_id}: nothing found."
        return f"Posted review {github_id} with {count(len(review.comments), 'comment')} on lines."

    async def _found(self, standing: Standing) -> str:
        """An earlier try posted it and could not say so any more."""
        posted = standing.reviews[self._head]
        await self.context.reviews.posted(self.claimed, posted.id, posted.body)
        return f"Review {posted.id} of this head stands already."

    async def _say_nothing_new(self, thought: Thought, still: int) -> str:
        marker, analysis = self._thread().marker, thought.analysis
        latest = await self.context.reviews.latest(self.claimed.head)
        note = write_note(analysis, marker, still)
        if latest is None:
            return await self._post_new(thought, note)
        await self.context.reviews.keep(self.claimed, analysis, None, thought.quality)
        body = note.body if latest.is_note else write_update(latest.body, analysis, marker, still)
        await self._thread().edit(self._head, latest.github_review_id, body)
        await self.context.reviews.edited(self.claimed, latest.github_review_id, body)
        return f"Nothing new: review {latest.github_review_id} says so now."

    async def _make_sure_it_is_ours(self) -> None:
        if not await self.context.reviews.touch(self.claimed):
            raise TryAgain("Another job took this review over.")

    async def _while_alive(self, work: Coroutine[Any, Any, T], *, watch: bool) -> T:
        """The result of `work`, with a heartbeat beside it; with `watch` it is cancelled once it has lost its point."""
        return await beside(self._beat(watch=watch), work, ends_work=watch)

    async def _beat(self, *, watch: bool) -> None:
        """Raises Superseded, or TryAgain when the claim went to somebody else. A database that is away stops nothing here."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            try:
                await self._make_sure_it_is_ours()
                because = await self.newer() if watch else None
            except Away as away:
                log.warning("no heartbeat", because=str(away))
                continue
            if because:
                raise Superseded(because)

    def _thread(self) -> Thread:
        repository = self.pull.repository
        marker = Marker(self.context.marker_key, repository.id, self.pull.number, self.pull.base_ref)
        return Thread(self.context.host, self.installation_id, self.pull, marker, self._make_sure_it_is_ours)

    @property
    def _head(self) -> str:
        return self.pull.head_sha


async def why_no_models(context: Context, organization_id: int, repository_id: int) -> str:
    """The sentence, where the repository's settings here keep its code from models; else an empty string. Raises Away."""
    settings = await context.repositories.settings(organization_id, repository_id)
    return "" if settings.models else NO_MODELS


async def note_context(context: Context, analysis: Analysis) -> None:
    """How much code beyond the change the models were shown, and which share of it a finding cites; and all that is counted."""
    count_analysis(context.counts, analysis)
    share = cited_share(analysis.context)
    if share is not None or analysis.no_context:
        tokens = sum(place.tokens for place in analysis.context)
        log.info("context", places=len(analysis.context), tokens=tokens, cited=share, because=analysis.no_context)
