"""Weigh the chunks of the files that belong to a change: what ties each to it, how strongly, and in which words to say so."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from review.context.at_base import ByPath, unshown
from review.context.chunk import Chunk, Kind
from review.context.query import Query
from review.context.word_weights import is_telling
from review.context.words import IDENTIFIER, parts
from review.diff import Diff
from review.places import is_test

LARGE_FILE = 200_000
"""Characters of a file beyond which only those chunks are read that hold one of the names asked for."""

WEAKENED = 0.05
"""What each place further down among the files takes from a chunk: a tenth file's chunk counts two thirds."""

FURTHER = 0.15
"""What a second and third tie add to the strongest one."""

ASKED_WORDS = 12
"""A chunk with so many of the change's rarest words is as like to it as can be."""

ON_A_CHANGED_LINE = 0.5
"""What a name weighs in a query that stands on a changed line: those that only stand near weigh less."""

LEAST_RARITY, LEAST_OF_COMPOSED = 0.3, 0.7
"""What a name that all in question hold still counts; one made of parts (`put_many`) means the same thing everywhere."""

UNMEANT, ELSEWHERE = 0.3, 0.7
ASSIGNED = re.compile(r"^(?:[a-z#]+[ \t]+)*([^\W\d]\w*)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)

CALLED = re.compile(r"(?:\.|->|::)([^\W\d]\w*)|([^\W\d]\w*)[(!]")


class Tie(StrEnum):
    """What a chunk has to do with a change; the value is what is said of it."""

    DEFINES = "defines {}, which the change uses"
    USES = "uses {}, which the change alters"
    TESTS = "tests {}, which the change alters"
    MISSES = "uses {}, which the change takes away"
    NAMESAKE = "is another {}, which the change alters"
    REST = "the rest of {}, which the change alters"
    AROUND = "is what the change stands in"
    WORDS = "shares {} with the change"


STRENGTHS = {
    Tie.DEFINES: 0.95, Tie.USES: 1.0, Tie.TESTS: 0.7, Tie.MISSES: 0.7, Tie.NAMESAKE: 0.8, Tie.REST: 0.7, Tie.AROUND: 0.6,
    Tie.WORDS: 0.5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weighed:
    """A chunk, or the part of one that the diff does not show; `about` is the name that ties it to the change, if one does."""

    path: str
    chunk: Chunk
    score: float
    why: str
    about: str = ""

    @property
    def focus(self) -> int:
        """The line that matters most: the first that holds the name, the comment above left out, or else the signature."""
        held = re.compile(rf"\b{re.escape(self.about)}\b")
        begin = signature_at(self.chunk)
        lines = enumerate(self.chunk.text.split("\n")[begin:], self.chunk.first_line + begin)
        return next((number for number, line in lines if held.search(line)), self.chunk.first_line + begin)


def signature_at(chunk: Chunk) -> int:
    """How many lines of comment and decorators stand above the signature; 0 where it has none, or cannot be found."""
    lines = (line.strip() for line in chunk.text.split("\n"))
    return next((at for at, line in enumerate(lines) if line and chunk.signature.startswith(line)), 0)


@dataclass(frozen=True, slots=True)
class _Read:
    """A chunk with what it says: `names` and what it `defines`, and which of the change's `words` it holds.

    `own`: it is of a file of the change; `changed`: the diff shows some of it; `weaker` weakens its ties.
    """

    path: str
    chunk: Chunk
    names: frozenset[str]
    words: frozenset[str]
    defines: frozenset[str]
    own: bool
    changed: bool
    weaker: float


def weigh(chunks: ByPath, query: Query, shown: Mapping[str, set[int]], called: Collection[str]) -> list[Weighed]:
    """Every chunk that has to do with the change, without the lines that the diff shows; strongest first.

    `chunks` are those of the change's own files and of the files that belong to it, best first; `shown` are the lines
    that the diff shows, by path; `called` what the change calls, see `called_in`.
    """
    read = list(_read(chunks, query, shown))
    pool = _Pool(query, read, called)
    weighed = [item for one in read if (item := pool.weighed(one))]
    return sorted(weighed, key=lambda item: (-item.score, item.path, item.chunk.first_line))


def called_in(diff: Diff) -> set[str]:
    """The names that stand in the diff as something that is called, or reached through something else: `f(`, `x.f`, `x::f`."""
    return {name for file in diff.files for line in file.lines() for pair in CALLED.findall(line.text) for name in pair}


def _read(chunks: ByPath, query: Query, shown: Mapping[str, set[int]]) -> Iterator[_Read]:
    asked = {*query.names, *query.altered, *query.lost}
    held = _Held(query.words)
    place = 0
    for path, of_file in chunks.items():
        own = path in query.paths
        large = sum(len(chunk.text) for chunk in of_file) > LARGE_FILE
        for chunk in of_file:
            if large and _last(chunk.symbol) not in asked and not any(name in chunk.text for name in query.altered):
                continue
            left = unshown(chunk, shown.get(path, set()))
            if left is not None:
                names = frozenset(IDENTIFIER.findall(left.text))
                changed = left.last_line - left.first_line < chunk.last_line - chunk.first_line
                words = frozenset(chain.from_iterable(map(held.__getitem__, names)))
                defines = frozenset(_defined(left))
                yield _Read(path, left, names, words, defines, own, own and changed, 1 / (1 + WEAKENED * place))
        place += 0 if own else 1


def _last(symbol: str) -> str:
    return symbol.rpartition(".")[2]


def _defined(chunk: Chunk) -> Iterable[str]:
    """What a definition defines; of the lines outside of all definitions, what they assign to."""
    return ASSIGNED.findall(chunk.text) if chunk.kind is Kind.MODULE else [_last(chunk.symbol)] if chunk.symbol else []


class _Held(dict[str, tuple[str, ...]]):
    """By identifier, those of its parts that are among the words; each is looked at once."""

    def __init__(self, words: Collection[str]) -> None:
        self._words = words

    def __missing__(self, name: str) -> tuple[str, ...]:
        held = self[name] = tuple(part for part in parts(name) if part in self._words)
        return held


class _Pool:
    """All chunks that come into question together: a name or a word that many of them have says little."""

    def __init__(self, query: Query, read: Sequence[_Read], called: Collection[str]) -> None:
        self._query = query
        self._called = called
        self._altered = {name for name in query.altered if not name.startswith("__")}
        # A word of a comment or a variable's name that goes is nothing that others could miss.
        self._lost = {name for name in query.lost if is_telling(name) and (len(parts(name)) > 1 or name in query.defined)}
        self._only_tests = all(map(is_test, query.paths))
        self._size = len(read)
        self._names = Counter(name for one in read for name in one.names)
        self._defined = Counter(name for one in read for name in one.defines)
        self._words = Counter(word for one in read for word in one.words)
        self._around = {one.chunk.symbol.rpartition(".")[0] for one in read if one.changed} - {""}
        weights = sorted((self._weight(word) for word in query.words), reverse=True)
        self._most = sum(weights[:ASKED_WORDS]) or 1.0

    def weighed(self, one: _Read) -> Weighed | None:
        """The chunk with its strongest tie; None where nothing ties it to the change."""
        ties = sorted(self._ties(one), key=lambda tie: -tie[1])
        if not ties:
            return None
        (tie, strength, names), *others = ties
        score = (strength + FURTHER * sum(other[1] for other in others)) * one.weaker
        said = (
            " and ".join([", ".join(f"`{name}`" for name in names[:-1]), f"`{names[-1]}`"][len(names) < 2 :]) if names else ""
        )
        return Weighed(one.path, one.chunk, score, tie.value.format(said), names[0] if names else "")

    def _ties(self, one: _Read) -> Iterator[tuple[Tie, float, list[str]]]:
        test = is_test(one.path) and not self._only_tests
        uses = (one.names & self._altered) - one.defines
        misses = (one.names & self._lost) - one.defines - uses
        outside = set() if one.own else self._query.defined
        defines = {name for name in one.defines if name in self._query.names and name[:2] != "__"} - self._altered - outside
        in_short = 0.4 if one.chunk.kind is Kind.MODULE else 1.0
        yield from self._tie(Tie.DEFINES, defines, self._defined, (0.3 if test else 1.0) * self._meant(one, defines))
        yield from self._tie(Tie.TESTS if test else Tie.USES, uses, self._names, in_short)
        yield from self._tie(Tie.MISSES, misses, self._names, in_short)
        alike = one.defines & self._altered
        yield from self._tie(Tie.REST if one.changed else Tie.NAMESAKE, alike, Counter(), 0.3 if test else 1.0)
        if one.own and one.chunk.kind is Kind.CLASS and one.chunk.symbol in self._around:
            yield Tie.AROUND, STRENGTHS[Tie.AROUND], []
        yield from self._alike(one, in_short)

    def _tie(
        self, tie: Tie, names: Iterable[str], often: Counter[str], factor: float
    ) -> Iterator[tuple[Tie, float, list[str]]]:
        """One tie by all of these names, the strongest first; at most three are told."""
        strengths = {name: self._rarity(name, often) * self._asked(tie, name) for name in names}
        if strengths:
            told = sorted(strengths, key=lambda name: (-strengths[name], name))
            yield tie, STRENGTHS[tie] * factor * strengths[told[0]], told[:3]

    def _meant(self, one: _Read, names: Iterable[str]) -> float:
        """A function that the change does not call may only have the name of a variable; `_f` of another file is not ours."""
        meant = [name for name in names if one.own or not name.startswith("_")]
        if one.chunk.kind in (Kind.FUNCTION, Kind.METHOD):
            meant = [name for name in meant if name in self._called]
        if one.chunk.kind is Kind.MODULE and not one.own:
            return ELSEWHERE if any(not name.isalpha() or not name.islower() for name in meant) else UNMEANT
        return 1.0 if meant else UNMEANT

    def _asked(self, tie: Tie, name: str) -> float:
        """What is used on lines that only stand near the changed ones matters less."""
        return 1.0 if tie is not Tie.DEFINES or self._query.names[name] >= ON_A_CHANGED_LINE else 0.6

    def _rarity(self, name: str, often: Counter[str]) -> float:
        """1 for what one chunk has, less for what many have; a name that is used everywhere is hardly worth a look."""
        least = LEAST_OF_COMPOSED if len(parts(name)) > 1 else LEAST_RARITY
        return max(1 - math.log(max(often[name], 1)) / math.log(self._size + 2), least)

    def _alike(self, one: _Read, factor: float) -> Iterator[tuple[Tie, float, list[str]]]:
        shared = {word: self._weight(word) for word in one.words}
        if len(shared) > 2:
            told = sorted(shared, key=lambda word: (-shared[word], word))[:3]
            yield Tie.WORDS, STRENGTHS[Tie.WORDS] * factor * min(sum(shared.values()) / self._most, 1.0), told

    def _weight(self, word: str) -> float:
        return math.log1p(self._query.words[word]) * math.log((self._size + 1) / (self._words[word] + 0.5))
