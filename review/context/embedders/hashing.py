"""The embedder without a model: names, their parts and their letters hashed into a vector. No key, no download, no waiting."""

import asyncio
import math
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from review.context.words import names_of, parts, words_of

VERSION = 1
"""Counted up with whatever changes the vectors: those of another version cannot be compared."""

DIMENSIONS = 384
GRAM = 4
AT_ONCE = 512
"""Texts that are worked on together: bounds the memory, and how long the event loop's thread waits for the interpreter."""

OF_NAMES, OF_GRAMS = 1.0, 0.5
"""What a whole name weighs, and all its grams together, beside the parts of names."""

WEIGHTS = Path(__file__).with_name("word_weights.toml")


@dataclass(frozen=True, slots=True)
class Spread:
    """Where a name or a word comes to lie: places in the vector, each with a sign and a share."""

    places: NDArray[np.int64]
    shares: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hashing:
    """Fulfils Embedder. A text without any name has a row of zeros, which is near nothing.

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
    """All that is in the texts, each at its places, added up in one go."""
    rows, places, shares, weights, counts = [], [], [], [], []
    for row, text in enumerate(texts):
        for spread, weight in _contents(text):
            rows.append(row)
            weights.append(weight)
            places.append(spread.places)
            shares.append(spread.shares)
            counts.append(len(spread.places))
    if not rows:
        return np.zeros((len(texts), DIMENSIONS), np.float32)
    at = np.repeat(rows, counts) * DIMENSIONS + np.concatenate(places)
    each = np.repeat(weights, counts) * np.concatenate(shares)
    sums = np.bincount(at, each, len(texts) * DIMENSIONS).reshape(len(texts), DIMENSIONS)
    lengths = np.sqrt((sums**2).sum(axis=1, keepdims=True))
    return (sums / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def _contents(text: str) -> Iterator[tuple[Spread, float]]:
    """The names and words of a text, and how much each weighs there: repetitions count less and less."""
    names = names_of(text)
    for name, times in names.items():
        if weight := _weight_of_name(name):
            yield _name(name), (1 + math.log(times)) * weight
    for word, times in words_of(names).items():
        if weight := _weight(word):
            yield _word(word), (1 + math.log(times)) * weight


@lru_cache(maxsize=100_000)
def _name(name: str) -> Spread:
    """A whole name, and its runs of four letters, by which `colour` is found for `colours`."""
    marked = f"^{name.lower()}$"
    grams = {marked[i : i + GRAM] for i in range(max(len(marked) - GRAM + 1, 1))}
    return _spread({f"n:{name}": OF_NAMES} | {f"g:{gram}": OF_GRAMS / math.sqrt(len(grams)) for gram in sorted(grams)})


@lru_cache(maxsize=20_000)
def _word(word: str) -> Spread:
    return _spread({f"w:{word}": 1.0})


def _spread(features: Mapping[str, float]) -> Spread:
    """Each feature at the place and with the sign that its hash names: what meets there by chance cancels out."""
    hashes = np.array([zlib.crc32(feature.encode("utf-8", "surrogateescape")) for feature in features], np.uint64)
    mixed = hashes * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)  # CRCs of like texts are alike in their lower bits
    signs = np.where(mixed & np.uint64(1), 1.0, -1.0)
    return Spread(((mixed >> np.uint64(1)) % DIMENSIONS).astype(np.int64), signs * np.array(list(features.values())))


@cache
def _weights() -> Mapping[str, float]:
    """By word, how much it tells, for those that stand in code everywhere; any other tells 1."""
    table = tomllib.loads(WEIGHTS.read_text())
    return {word: float(weight) for weight, words in table.items() for word in words.split()}


def _weight(word: str) -> float:
    return _weights().get(word, 1.0)


@lru_cache(maxsize=100_000)
def _weight_of_name(name: str) -> float:
    """That of its rarest part."""
    return max((_weight(word) for word in parts(name)), default=1.0)
