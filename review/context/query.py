"""Query: what a change asks of the repository's other code."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import log1p

from review.context.chunk import Chunk, Kind, ParsedFile
from review.context.parse import parse
from review.context.words import names_of, words_of
from review.diff import Diff, FileDiff, Line

CHANGED, SECTION, NEAR = 1.0, 0.4, 0.25
"""What a name counts on a changed line, in the header of a hunk, on the lines around."""

MOST_WORDS, MOST_AROUND = 150, 150
MOST_NAMES, MOST_ALTERED, MOST_LOST, MOST_DEFINED, MOST_MENTIONED = 150, 60, 60, 120, 200
"""What is asked at most: an index answers all of it together in a few milliseconds."""

MOST_LINES = 20_000
"""Lines of a change that are read: more say nothing more about what it is."""

MOST_FILES = 60
"""Files of a change whose whole text is asked with: each is parsed."""

TEXT = 6_000
"""Characters for an embedder."""


@dataclass(frozen=True, slots=True)
class Query:
    """Made by `query_of`. Weights are positive; the words and names that matter most are kept where there are too many.

    `paths` are the files of the change by their path at the base (never an answer to it). Of the changed lines and those near
    them: `words` are the parts of identifiers, as in `ParsedFile.words`, and `names` the whole identifiers. `altered` are the
    names of the definitions that the change alters, whose callers, tests and namesakes are wanted; `lost` those identifiers
    that stand on removed lines only: who still uses them may have to follow. Of the changed files as a whole, at the base:
    `around` are the words, `mentioned` the identifiers, `defined` the names that they define. `text` is for an embedder.
    """

    paths: tuple[str, ...]
    words: Mapping[str, float]
    names: Mapping[str, float]
    altered: frozenset[str]
    text: str
    lost: frozenset[str] = frozenset()
    around: Mapping[str, float] = field(default_factory=dict)
    mentioned: Mapping[str, float] = field(default_factory=dict)
    defined: frozenset[str] = frozenset()


def query_of(diff: Diff, base: Mapping[str, bytes]) -> Query:
    """What this change asks. `base` has the changed files' bytes before it, by their path there; it may lack some."""
    files = list(_within_bounds(diff.files))
    parsed = {path: parse(path, data) for path, data in islice(_of(files, base), MOST_FILES)}
    weighed = [_weighed(file) for file in files]
    names = _damped(weighed)
    whole = [(parsed[path], file) for file in files if (path := _at_base(file)) in parsed]
    altered = _by_telling({name: 1.0 for one, file in whole for name in _altered(one, file)}, MOST_ALTERED)
    defined = {definition.name: 1.0 for one, _ in whole for definition in one.definitions}
    return Query(
        paths=tuple(_at_base(file) for file in diff.files),
        words=_by_telling(_damped(map(_words, weighed)), MOST_WORDS),
        names=_by_telling(names, MOST_NAMES),
        altered=frozenset(altered),
        text=_text(files),
        lost=frozenset(_by_telling(_lost(files), MOST_LOST)),
        around=_by_telling(_sum(one.words for one, _ in whole), MOST_AROUND),
        mentioned=_by_telling(_sum(dict.fromkeys(one.references, 1) for one, _ in whole), MOST_MENTIONED),
        defined=frozenset(_by_telling(defined, MOST_DEFINED)),
    )


def _at_base(file: FileDiff) -> str:
    return file.previous_path or file.path


def _of(files: Iterable[FileDiff], base: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    return ((path, base[path]) for file in files if (path := _at_base(file)) in base)


def _within_bounds(files: Iterable[FileDiff]) -> Iterator[FileDiff]:
    """The first files, as far as all of their lines together are within MOST_LINES."""
    left = MOST_LINES
    for file in files:
        left -= sum(len(hunk.lines) for hunk in file.hunks)
        if left >= 0:
            yield file


def _weighed(file: FileDiff) -> dict[str, float]:
    """The names on and around the changed lines of a file, each with the weight of all its places together."""
    names: dict[str, float] = {}
    for hunk in file.hunks:
        _add(names, names_of(hunk.section), SECTION)
        _add(names, names_of(_joined(line for line in hunk.lines if line.added or line.removed)), CHANGED)
        _add(names, names_of(_joined(line for line in hunk.lines if not (line.added or line.removed))), NEAR)
    return names


def _damped(files: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The weights of all files together: what two files say counts more than what one says many times."""
    total: dict[str, float] = {}
    for weights in files:
        for name, weight in weights.items():
            total[name] = total.get(name, 0.0) + log1p(weight)
    return total


def _joined(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _add(names: dict[str, float], found: Mapping[str, int], weight: float) -> None:
    for name, times in found.items():
        names[name] = names.get(name, 0.0) + weight * times


def _words(names: Mapping[str, float]) -> dict[str, float]:
    words: dict[str, float] = {}
    for name, weight in names.items():
        _add(words, words_of(Counter((name,))), weight)
    return words


def _sum(counted: Iterable[Mapping[str, int]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for counts in counted:
        _add(total, counts, 1.0)
    return total


def _lost(files: Sequence[FileDiff]) -> dict[str, float]:
    removed = names_of(_joined(line for file in files for line in file.lines() if line.removed))
    kept = names_of(_joined(line for file in files for line in file.lines() if not line.removed))
    return {name: float(times) for name, times in removed.items() if name not in kept}


def _by_telling(weights: Mapping[str, float], most: int) -> dict[str, float]:
    """Those that are worth asking for, where there are too many: weight and what looks rare (long, made of parts) first."""
    if len(weights) <= most:
        return dict(weights)
    chosen = sorted(weights, key=lambda name: (-((1 + weights[name]) ** 0.5) * _looks_rare(name), name))[:most]
    return {name: weights[name] for name in chosen}


def _looks_rare(name: str) -> float:
    composed = "_" in name.strip("_") or not (name.islower() or name.isupper() or name.istitle())
    return min(len(name), 16) * (1.5 if composed else 1.0)


def _altered(parsed: ParsedFile, file: FileDiff) -> Iterator[str]:
    """The names of the innermost definitions around the changed lines, and of all that the removed lines define themselves."""
    removed = {line.old for line in file.lines() if line.old is not None and line.removed}
    starts = [chunk.first_line for chunk in parsed.chunks]
    for number, indent in (*((number, None) for number in removed), *_insertions(file)):
        at = bisect_right(starts, number) - 1
        if at >= 0 and _is_inside(parsed.chunks[at], number, indent):
            yield parsed.chunks[at].symbol.rpartition(".")[2]
    yield from (definition.name for definition in parsed.definitions if definition.line in removed)


def _insertions(file: FileDiff) -> Iterator[tuple[int, int]]:
    """The base's line before each run of lines that the change adds, and how far the first of them is indented."""
    for hunk in file.hunks:
        before = 0
        for line in hunk.lines:
            if line.old is not None:
                before = line.old
            elif before and line.text.strip():
                yield before, _indent(line.text)
                before = 0


def _is_inside(chunk: Chunk, number: int, indent: int | None) -> bool:
    """Whether a line at `number`, or one with that `indent` right behind it, is part of this definition.

    What is added behind its last line is, where it is indented more than its first one: a function that follows is not.
    """
    if chunk.kind in (Kind.MODULE, Kind.LINES) or number > chunk.last_line:
        return False
    return indent is None or number < chunk.last_line or indent > _indent(chunk.text)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _text(files: Iterable[FileDiff]) -> str:
    """The paths and changed lines: what the change is about, for an embedder."""
    parts: list[str] = []
    for file in files:
        parts.append(_at_base(file))
        for hunk in file.hunks:
            parts.extend([hunk.section, *(line.text for line in hunk.lines if line.added or line.removed)])
    return "\n".join(parts)[:TEXT]
