"""Postings as arrays, and what BM25 makes of them: how much a file has of the rare terms of a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from review.context.index import Numbers

Floats = NDArray[np.float64]

SATURATION, LENGTH = 1.2, 0.75
"""BM25's k1 and b."""


@dataclass(frozen=True, slots=True)
class Postings:
    """Which files hold which terms and how often, an entry for each pair; `terms` are places in `names`."""

    names: tuple[str, ...]
    files: Numbers
    terms: Numbers
    counts: Floats
    spread: Numbers
    """By term, how many files hold it."""

    def among(self, ids: Numbers) -> "Postings":
        """The entries of these files (ascending) only, `files` as places in `ids`. The spread stays that of the whole index."""
        at = np.searchsorted(ids, self.files)
        held = at < len(ids)
        held[held] = ids[at[held]] == self.files[held]
        return Postings(self.names, at[held], self.terms[held], self.counts[held], self.spread)

    def rarity(self, files: int) -> Floats:
        """By term, its inverse document frequency in an index of so many files; 0 for what none holds."""
        rare = np.log1p((np.maximum(files - self.spread, 0) + 0.5) / (self.spread + 0.5))
        return np.where(self.spread > 0, rare, 0.0)

    def weights(self, weights: Mapping[str, float]) -> Floats:
        """The weights of the terms in their order; 0 for those that it does not name."""
        return np.array([weights.get(name, 0.0) for name in self.names], np.float64)

    def sums(self, values: Floats, files: int) -> Floats:
        """By file (a place, as after `among`), the sum of one value for each entry."""
        return np.asarray(np.bincount(self.files, values, files), np.float64)


def postings(held: Mapping[str, tuple[Numbers, Numbers | None]]) -> Postings:
    """Out of files and counts by term; None counts each file once."""
    names = tuple(held)
    lengths = np.array([len(held[name][0]) for name in names], np.int64)
    files = np.concatenate([held[name][0] for name in names]) if names else np.zeros(0, np.int64)
    counts = [ones(one) if times is None else times.astype(np.float64) for one, times in (held[name] for name in names)]
    merged = np.concatenate(counts) if names else np.zeros(0, np.float64)
    return Postings(names, files, np.repeat(np.arange(len(names)), lengths), merged, lengths)


def ones(files: Numbers) -> Floats:
    """A count of one for each."""
    return np.ones(len(files), np.float64)


def bm25(held: Postings, weights: Floats, lengths: Floats, mean: float) -> Floats:
    """BM25 of files (places, as after `among`) for terms of these weights, rarity included; `mean` is the mean length."""
    long = 1 - LENGTH + LENGTH * lengths / max(mean, 1.0)
    shares = held.counts * (SATURATION + 1) / (held.counts + SATURATION * long[held.files])
    return held.sums(shares * weights[held.terms], len(lengths))


def best(files: Numbers, values: Floats, most: int) -> Numbers:
    """The files with the largest sums of values (files may repeat), at most that many, in no order."""
    ids, at = np.unique(files, return_inverse=True)
    sums = np.bincount(at, values, len(ids)) if len(ids) else np.zeros(0)
    chosen = np.argsort(-sums, kind="stable")[:most]
    return ids[chosen[sums[chosen] > 0]]


def union(ids: Sequence[Numbers]) -> Numbers:
    """All of them, ascending, each once."""
    return np.unique(np.concatenate(ids)) if ids else np.zeros(0, np.int64)
