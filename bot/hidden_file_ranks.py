"""Ask for the hidden files of a repository's commits, and see where each source, and all of them together, ranks them."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.git.local import LocalRepository
from bot.hidden_files import Commit, all_changesets, fitting_commits, hide_file
from review.context.embedders.hashing import Hashing
from review.context.features import features
from review.context.memory import MemoryIndex, Parsed, Vectors, follow
from review.context.query import query_of
from review.context.signals import gather
from review.context.tree import MOST_HISTORY
from review.context.trees import ranking_model

Floats = NDArray[np.float64]


SECONDS = 120.0
"""How long one commit's files may be parsed."""

SINGLE: Mapping[str, tuple[str, ...]] = {
    "path likeness": ("near",),
    "words": ("words",),
    "vectors": ("similar",),
    "symbols": ("defines_named", "uses_altered", "uses_defined", "namesake_altered"),
    "co-change": ("together_damped",),
}
"""By source, the features whose sum is what it says alone."""

HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came for one commit: a row of `columns` for each candidate; `at` is the hidden file's, None where it is none."""

    commit: Commit
    columns: Mapping[str, Floats]
    at: int | None

    def rank(self, scores: Floats) -> float:
        """The hidden file's rank by these scores, from 1, in the middle of those with the same; infinite where it has none."""
        if self.at is None or scores[self.at] == 0:
            return float("inf")
        mine = scores[self.at]
        return 1 + float((scores > mine).sum()) + (float((scores == mine).sum()) - 1) / 2

    def ranks(self) -> dict[str, float]:
        """By source, and for all together, the hidden file's rank."""
        found = {
            source: self.rank(sum((self.columns[name] for name in names), np.zeros(1))) for source, names in SINGLE.items()
        }
        return found | {HYBRID: self.rank(ranking_model().scores(self.columns))}


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one source: the share of hidden files among the first ten, and the mean of 1 / rank."""

    recall_at_10: float
    mrr: float


def quality(ranks: Sequence[float]) -> Quality:
    """How good these ranks are. Raises ZeroDivisionError without any."""
    return Quality(sum(rank <= 10 for rank in ranks) / len(ranks), sum(1 / rank for rank in ranks) / len(ranks))


async def answers(
    repository: LocalRepository, most: int, on_step: Callable[[int, int], None] = lambda _done, _of: None
) -> AsyncIterator[Answer]:
    """Ask for the hidden file of at most so many commits that lead to HEAD, oldest first. Each blob is parsed once.

    Raises UserError where there is no commit, GitFailed where the history cannot be read.
    """
    tip = await repository.commit("HEAD")
    history = await all_changesets(repository.objects, tip)
    commits = await fitting_commits(repository.objects, tip, most)
    index, parsed, vectors, embedder = MemoryIndex(), Parsed(), Vectors(), Hashing()
    for done, commit in enumerate(commits):
        on_step(done, len(commits))
        question = await hide_file(repository.objects, commit, history)
        deadline = time.monotonic() + SECONDS
        await follow(index, question.tree, changesets=MOST_HISTORY, deadline=deadline, parsed=parsed)
        await index.embed(embedder, vectors)
        query = query_of(question.diff, question.base)
        signals = await gather(index, query, (await embedder.embed([query.text]))[0])
        at = next((at for at, file in enumerate(signals.files) if file.path == commit.hidden), None)
        yield Answer(commit, features(query, signals), at)
