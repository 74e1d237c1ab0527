"""Rank a repository's other files for a change: ask the index, turn its answers into features, and let the trees decide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from review.context.embedders.embedder import Embedder
from review.context.evidence import Evidence, Source, evidence_of, why
from review.context.features import features
from review.context.index import Index, IndexedFile
from review.context.query import Query
from review.context.signals import Vector, gather
from review.context.trees import ranking_model
from review.secrets.blank import blank_secrets

__all__ = ["Candidate", "Evidence", "Source", "rank", "why"]

MOST = 100
"""Files of one answer."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may belong to the change. Scores can be compared within one answer; the strongest evidence comes first."""

    file: IndexedFile
    score: float
    evidence: tuple[Evidence, ...]


async def rank(index: Index, query: Query, embedder: Embedder | None) -> Sequence[Candidate]:
    """The files that belong to this change, best first, at most MOST, none of its own.

    `embedder` is the one that made the index's vectors; None leaves them out. Raises EmbedderFailed and TryAgain.
    """
    signals = await gather(index, query, await _vector(query, embedder))
    if not signals.files:
        return []
    scores = ranking_model().scores(features(query, signals))
    best = [int(at) for at in np.argsort(-scores, kind="stable")[:MOST]]
    reasons = evidence_of(query, signals, best)
    return [Candidate(signals.files[at], float(scores[at]), given) for at, given in zip(best, reasons, strict=True)]


async def _vector(query: Query, embedder: Embedder | None) -> Vector | None:
    """What stands for the change among the vectors; none for a text without names, which is near nothing."""
    if embedder is None or not query.text:
        return None
    text = blank_secrets(query.text) if embedder.remote else query.text
    vector = (await embedder.embed([text]))[0]
    return vector if vector.any() else None
