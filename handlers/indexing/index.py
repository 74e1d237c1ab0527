"""One repository's index brought up to date: what is new is kept and embedded, then all of it is published at once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from handlers.context import Context
from handlers.heartbeat import beside
from handlers.host import Gone, Rejected
from handlers.indexing.files import Keeping, Listed, keep_missing, list_files
from handlers.indexing.vectors import embed_missing
from handlers.indexing.work import Paused, Work
from review.context.embedders.embedder import Embedder, EmbedderFailed
from review.context.tree import MOST_FILES, MOST_HISTORY, Tree
from review.errors import RefactorIQError, Superseded, TryAgain, UserError
from review.progress import Rising, untold
from review.reviewer import Clock
from review.rules import RULES_PATH, parse_rules
from review.words import count
from storage.code.state import ClaimedIndex, IndexState, NewHistory
from storage.database import Away
from storage.installations import Installed, Tenant

BEAT_EVERY = 3.0
"""Seconds between two signs of life of a claim."""

WAIT_FOR_OTHER = 10.0
"""Seconds until the next try when another job is indexing the same repository."""

MOST_REASONS = 3
"""Reasons for which files were skipped that an outcome names."""

log = structlog.get_logger()


NOT_WANTED = f"`context: false` in `{RULES_PATH}` of its default branch says so."

SWITCHED_OFF = "`index` is switched off in the repository's settings here."


class Busy(TryAgain):
    """Another job is at this index."""


class NotIndexed(RefactorIQError):
    """This repository has no index, and nothing is kept of its code. The text says why."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Whether every chunk has its vector by now, and if not, why; `paused` says that nothing is wrong, it only takes long."""

    because: str = ""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Indexed:
    """How an attempt ended: the index as it stands, how many files (and lines in them) were new, and what is left out."""

    repository: str
    state: IndexState
    parsed: int = 0
    lines: int = 0
    all: bool = True
    vectors: Vectors = Vectors()

    def __str__(self) -> str:
        """The outcome, as sentences with their figures."""
        state = self.state
        words = f"Indexed {self.repository} at {state.commit_sha[:7]}: {count(state.files, 'file')}, "
        words += f"{count(state.chunks, 'chunk')}; {self.parsed:,} parsed{_skipped(state.skipped)}."
        if not self.all:
            words += f" Only the first {MOST_FILES:,} files were looked at."
        return f"{words} Some have no vectors yet: {self.vectors.because}" if self.vectors.because else words


def _skipped(reasons: Mapping[str, int]) -> str:
    if not reasons:
        return ""
    most = [f"{number:,} {because}" for because, number in Counter(reasons).most_common(MOST_REASONS)]
    return f"; {sum(reasons.values()):,} skipped ({', '.join(most)}{', …' if len(reasons) > MOST_REASONS else ''})"


async def bring_up_to_date(context: Context, installed: Installed, tenant: Tenant, work: Work) -> Indexed:
    """Index the newest commit of the repository's default branch, as far as it is not indexed already.

    Raises Busy, TryAgain (something is away), Paused, Superseded (another job took it over), NotIndexed.
    """
    settings = await context.repositories.settings(tenant.organization_id, tenant.repository_id)
    if not settings.index:
        await context.code_indexes.forget(tenant.organization_id, tenant.repository_id)
        raise NotIndexed(f"Nothing is indexed of {installed.repository.full_name}: {SWITCHED_OFF}")
    claimed = await context.code_indexes.claim(tenant)
    if claimed is None:
        raise Busy("Another job is indexing this repository.", after=WAIT_FOR_OTHER)
    try:
        running = Indexing(context, installed, claimed, work).run()
        return await beside(_beat(context, claimed), running, ends_work=True)
    except (TryAgain, Paused):
        await context.code_indexes.release(claimed)
        raise
    except (Gone, NotIndexed) as error:
        await context.code_indexes.forget(claimed.organization_id, claimed.repository_id)
        raise NotIndexed(f"Nothing is indexed of {installed.repository.full_name}: {error}") from error
    except (UserError, Rejected) as error:
        await context.code_indexes.failed(claimed, str(error))
        raise


async def _beat(context: Context, claimed: ClaimedIndex) -> None:
    """Raises TryAgain when the claim went to somebody else. A database that is away stops nothing here."""
    while True:
        await asyncio.sleep(BEAT_EVERY)
        try:
            if not await context.code_indexes.touch(claimed):
                raise TryAgain("Another job took this index over, or it is not wanted any more.", after=WAIT_FOR_OTHER)
        except Away as away:
            log.warning("no heartbeat", because=str(away))


async def _is_wanted(tree: Tree) -> bool:
    """What the rules say on the branch that is indexed."""
    blobs = await tree.blobs([RULES_PATH])
    contents = await tree.read(list(blobs.values()))
    return parse_rules(next(iter(contents.values()), None)).rules.context


@dataclass(frozen=True, slots=True)
class Indexing:
    """An index that is ours to bring up to date."""

    context: Context
    installed: Installed
    claimed: ClaimedIndex
    work: Work

    async def run(self) -> Indexed:
        """All of it. Retrieval sees what was there before until everything is ready, and then all of it."""
        clock, indexes = Clock(self.context.on_step, Rising(untold)), self.context.code_indexes
        with clock.step("fetch"):
            tree = await self.context.source.branch(self.installed.installation.id, self.installed.repository)
        if await self._is_done(tree):
            await indexes.release(self.claimed)
            return await self._indexed()
        if not await _is_wanted(tree):
            raise NotIndexed(NOT_WANTED)
        with clock.step("parse"):
            listed = await list_files(tree)
            keeping = await keep_missing(indexes, self.claimed, tree, listed, self.work)
        with clock.step("embed"):
            vectors = await self._embed()
        with clock.step("history"):
            history = await self._history(tree)
        if vectors.because and tree.sha == self.claimed.commit_sha:
            await indexes.release(self.claimed)  # nothing to publish before all of the new model's vectors are there
            return await self._indexed(keeping, listed, vectors)
        with clock.step("publish"):
            self.work.on_progress("publish", 0, 0)
            fit, embedder = listed.without(keeping.unfit), self._serving(vectors)
            coming = self._embedder.name
            await indexes.publish(self.claimed, tree.sha, fit.files, fit.skipped, history, embedder, coming)
        return await self._indexed(keeping, listed, vectors)

    async def _is_done(self, tree: Tree) -> bool:
        """Whether this commit is what retrieval sees, and each of its chunks has a vector of today's embedder."""
        name = self._embedder.name
        if (self.claimed.commit_sha, self.claimed.embedder) != (tree.sha, name):
            return False
        return not await self.context.code_indexes.unembedded(self.claimed, name, 1)

    async def _embed(self) -> Vectors:
        try:
            await embed_missing(self.context.code_indexes, self.claimed, self._embedder, self.work)
        except Paused as paused:
            return Vectors(str(paused), paused=True)
        except EmbedderFailed as failed:
            return Vectors(str(failed))
        return Vectors()

    def _serving(self, vectors: Vectors) -> str:
        """The embedder whose vectors retrieval shall use: after a change of model the old one's, until all are made anew."""
        return self.claimed.embedder if vectors.because else self._embedder.name

    async def _history(self, tree: Tree) -> NewHistory:
        """What came since the indexed commit; all of it where that one is not part of the history (any more)."""
        if self.claimed.commit_sha:
            since = await tree.changesets_since(self.claimed.commit_sha, MOST_HISTORY)
            if since is not None:
                return NewHistory(since)
        return NewHistory(await tree.changesets(MOST_HISTORY), replaces=True)

    async def _indexed(
        self, keeping: Keeping | None = None, listed: Listed | None = None, vectors: Vectors = Vectors()
    ) -> Indexed:
        state = await self.context.code_indexes.state(self.claimed.organization_id, self.claimed.repository_id)
        if state is None:
            raise Superseded("The repository was taken away from the app while it was indexed.")
        new = keeping or Keeping()
        name, whole = self.installed.repository.full_name, listed is None or listed.all
        return Indexed(name, state, new.parsed, new.lines, whole, vectors)

    @property
    def _embedder(self) -> Embedder:
        return self.context.embedders.current
