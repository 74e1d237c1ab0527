"""How alike two files are by where they lie and what they are called: folders, stems, endings, a source and its test."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log1p

import numpy as np
from numpy.typing import NDArray

from review.context.source_files import is_test
from review.context.words import names_of, parts, stem

Floats = NDArray[np.float64]

MOST_ASKING = 20
"""Files of a change that every candidate is compared with."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path taken apart."""

    folders: tuple[str, ...]
    stem: str
    ending: str
    words: frozenset[str]
    all_words: frozenset[str]
    test: bool


@lru_cache(maxsize=50_000)
def place_of(path: str) -> Place:
    """Take a path apart."""
    folder, _, name = path.rpartition("/")
    folders = tuple(folder.split("/")) if folder else ()
    called = _words(name.partition(".")[0]) - {"test", "tests", "spec"}
    ending = name.rpartition(".")[2]
    return Place(
        folders, stem(path), ending, called, called | frozenset(w for one in folders for w in _words(one)), is_test(path)
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(part for name in names_of(text) for part in parts(name))


PAIR = ("same_folder", "prefix", "same_stem", "stem_part", "name_words", "path_words", "same_ending", "test_of", "likeness")
"""What is said of two paths, each from 0 to 1."""


def likeness(one: Place, other: Place) -> tuple[float, ...]:
    """The values of PAIR for two paths."""
    common = _common(one.folders, other.folders)
    deepest = max(len(one.folders), len(other.folders))
    prefix = common / deepest if deepest else 1.0
    same_stem = float(one.stem == other.stem and one.stem != "")
    part = float(min(len(one.stem), len(other.stem)) > 2 and (one.stem in other.stem or other.stem in one.stem))
    name_words = _overlap(one.words, other.words)
    test_of = part * (one.test != other.test)
    total = (float(one.folders == other.folders) + prefix + 2 * same_stem + part + 2 * name_words) / 7
    same_ending = float(one.ending == other.ending)
    words = _overlap(one.all_words, other.all_words)
    return (float(one.folders == other.folders), prefix, same_stem, part, name_words, words, same_ending, test_of, total)


def likenesses(paths: Sequence[str], asking: Sequence[str]) -> Floats:
    """PAIR's values for each of the paths (first axis) with each file of the change (second), of which the first few count."""
    others = [place_of(path) for path in asking[:MOST_ASKING]]
    table = [[likeness(place_of(path), other) for other in others] for path in paths]
    return np.array(table, np.float64).reshape(len(paths), len(others), len(PAIR))


def rare_words_shared(paths: Sequence[str], asking: Sequence[str]) -> Floats:
    """By path and file of the change, how much of the words of both paths they share; rare ones count more."""
    places, others = [place_of(path) for path in paths], [place_of(path) for path in asking[:MOST_ASKING]]
    spread = Counter(word for place in places for word in place.all_words)
    rarity = {word: log1p(len(places) / (spread[word] + 1)) for place in (*places, *others) for word in place.all_words}
    table = [[_shared(place.all_words, other.all_words, rarity) for other in others] for place in places]
    return np.array(table, np.float64).reshape(len(paths), len(others))


def _shared(one: frozenset[str], other: frozenset[str], rarity: Mapping[str, float]) -> float:
    both = sum(rarity[word] for word in one & other)
    return both / sum(rarity[word] for word in one | other) if both else 0.0


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
