"""The embedder without a model: the words of names and their letters, hashed into a vector. No key, no download, no wait."""

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from review.context.word_weights import word_weight
from review.context.words import names_of, words_of

VERSION = 1
"""Counted up with whatever changes the vectors: those of another version cannot be compared."""

DIMENSIONS = 384
GRAM = 4
AT_ONCE = 512
"""Texts that are worked on together: bounds the memory."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Where a word comes to lie: places in the vector, and what is added there."""

    places: NDArray[np.int64]
    shares: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hashing:
    """Fulfils Embedder. A text without any word has a row of zeros, which is near nothing.

    The same text has the same vector in every process and on every machine.
    """

    @property
    def name(self) -> str:
        """See Embedder."""
        return f"hashing/{VERSION}/{DIMENSIONS}"

    @property
    def dimensions(self) -> int:
        """See Embedder."""
        return DIMENSIONS

    @property
    def remote(self) -> bool:
        """Nothing leaves this machine."""
        return False

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Embedder. Some 0.1 ms a text, in another thread; never fails."""
        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        for first in range(0, len(texts), AT_ONCE):
            rows[first : first + AT_ONCE] = await asyncio.to_thread(_embedded, texts[first : first + AT_ONCE])
        return rows


def _embedded(texts: Sequence[str]) -> NDArray[np.float32]:
    """All words of the texts, each at its places, added up in one go. A word's repetitions count less and less."""
    words = [words_of(names_of(text)) for text in texts]
    spreads = [_spread(word) for counts in words for word in counts]
    if not spreads:
        return np.zeros((len(texts), DIMENSIONS), np.float32)
    rows = np.repeat(np.arange(len(texts)), [len(counts) for counts in words])
    times = np.array([times for counts in words for times in counts.values()], np.float64)
    lengths = [len(spread.places) for spread in spreads]
    at = np.repeat(rows * DIMENSIONS, lengths) + np.concatenate([spread.places for spread in spreads])
    added = np.repeat(np.sqrt(times), lengths) * np.concatenate([spread.shares for spread in spreads])
    sums = np.bincount(at, added, len(texts) * DIMENSIONS).reshape(len(texts), DIMENSIONS)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(norms == 0, 1, norms), np.float32)


@lru_cache(maxsize=50_000)
def _spread(word: str) -> Spread:
    """The word itself, and its runs of four letters, which together weigh as much: by them `colour` is near `colours`."""
    marked = f"^{word}$"
    grams = sorted({marked[first : first + GRAM] for first in range(max(len(marked) - GRAM + 1, 1))})
    hashes = _hashes([f"w:{word}", *(f"g:{gram}" for gram in grams)])
    signs = np.where(hashes & np.uint64(1), 1.0, -1.0)  # what meets at a place by chance cancels out
    shares = np.array([1.0] + [len(grams) ** -0.5] * len(grams))
    return Spread(((hashes >> np.uint64(1)) % DIMENSIONS).astype(np.int64), signs * shares * word_weight(word))


def _hashes(features: Sequence[str]) -> NDArray[np.uint64]:
    """32 bits of each. The CRCs of like texts differ in few bits: multiplied, they differ in all."""
    crcs = np.array([zlib.crc32(feature.encode("utf-8", "surrogateescape")) for feature in features], np.uint64)
    return (crcs * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
