"""Retrieve what other code a change should be seen with: rank files, cut them at the base, weigh the chunks, pack a few."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from review.context.at_base import Cut, chunks_at_base, shown_at_base
from review.context.embedders.embedder import Embedder, EmbedderFailed
from review.context.index import Index
from review.context.pack import pack
from review.context.places import called_in, weigh
from review.context.query import Query
from review.context.ranking import Candidate, rank, why
from review.context.retrieved import RankedFile, Retrieved
from review.context.tree import Tree
from review.diff import Diff

MOST_FILES, MOST_OWN_FILES = 12, 12
"""Files whose chunks are weighed: the best of the others, and those of the change itself."""


@dataclass(frozen=True, slots=True)
class Retriever:
    """Finds places in one repository, as they stand in `tree` (the index is believed where it is None).

    `embedder` gives the embedder of a name, None where there is no such any more.
    """

    index: Index
    tree: Tree | None
    embedder: Callable[[str], Embedder | None] = lambda _name: None
    parsed: Cut = field(default_factory=dict, repr=False, compare=False)
    """What was cut anew for one part of a change serves the others."""

    async def retrieve(
        self, query: Query, diff: Diff, *, budget_tokens: int, without: frozenset[str] = frozenset()
    ) -> Retrieved:
        """All files that come into question, best first, and the places worth that many tokens, none of which `diff` shows.

        No place is taken from the files at the paths `without`: they change or go, and whoever sees the places sees not how.
        Raises TryAgain when the index or the tree cannot be read just now.
        """
        name = await self.index.embedded_by()
        ranked, embedded = await self._ranked(query, self.embedder(name) if name else None)
        own = [path for path in query.paths if path not in without][:MOST_OWN_FILES]
        others = [candidate.file for candidate in ranked if candidate.file.path not in without][:MOST_FILES]
        files = [*await self.index.at(own), *others]
        chunks = await chunks_at_base(self.index, files, own, self.tree, self.parsed)
        return Retrieved(
            files=tuple(RankedFile(candidate.file.path, candidate.score, why(candidate.evidence)) for candidate in ranked),
            places=pack(weigh(chunks, query, shown_at_base(diff), called_in(diff)), budget_tokens),
            without=tuple(await self._without(embedded)),
        )

    async def _ranked(self, query: Query, embedder: Embedder | None) -> tuple[Sequence[Candidate], bool]:
        """The files, and whether vectors were asked. An embedder that fails costs its own vote only."""
        try:
            return await rank(self.index, query, embedder), embedder is not None
        except EmbedderFailed:
            return await rank(self.index, query, None), False

    async def _without(self, embedded: bool) -> list[str]:
        history = (await self.index.totals()).changesets > 0
        return [source for source, there in (("history", history), ("vectors", embedded)) if not there]
