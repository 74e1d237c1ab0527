"""Signals: all that an index says about a change, asked in a few rounds, and the files that come into question by it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from review.context.bm25 import Postings, best, postings, union
from review.context.history import Together, together, wanted
from review.context.index import Holders, Index, IndexedFile, Named, Numbers, Totals
from review.context.query import Query

Vector = NDArray[np.float32]

BY_WORDS, BY_AROUND, BY_NAMES, BY_HISTORY, BESIDE, NEAREST = 150, 60, 60, 100, 40, 60
"""How many files each source may bring into question."""

NEWEST = 60
"""Changesets whose files come into question because they are being worked on."""

MENTIONED = 200
"""Names that the change's files use somewhere, which are asked for: those that look rarest."""


@dataclass(frozen=True, slots=True)
class Signals:
    """Of the candidates, by id ascending. `words`, `defined` and `used` know them only, by their place among `files`.

    `touched` has the changesets of the candidates by path; `similar` the largest cosine of each, None without vectors.
    """

    totals: Totals
    files: tuple[IndexedFile, ...]
    asking: tuple[IndexedFile, ...]
    words: Postings
    defined: Postings
    used: Postings
    together: Together | None
    touched: Mapping[str, Numbers]
    similar: Mapping[int, float] | None

    @property
    def mean_length(self) -> float:
        return self.totals.words / max(self.totals.files, 1)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the first round brought."""

    totals: Totals
    asking: Sequence[IndexedFile]
    words: Postings
    defined: Postings
    used: Postings
    together: Together | None
    newest: Sequence[str]
    beside: Sequence[IndexedFile]
    similar: Mapping[int, float] | None


async def gather(index: Index, query: Query, vector: Vector | None) -> Signals:
    """Ask the index about the change; `vector` stands for its text where both have vectors of one kind.

    Raises TryAgain when the index cannot answer just now.
    """
    answers = await _answers(index, query, vector)
    ids = union([*_by_terms(query, answers), *_by_place(answers)])
    far = [*(answers.together.paths(BY_HISTORY) if answers.together else ()), *answers.newest]
    by_id, by_path = await asyncio.gather(index.files([int(one) for one in ids]), index.at(list(dict.fromkeys(far))))
    files = {file.id: file for file in (*by_id, *by_path) if file.path not in query.paths}
    kept = tuple(files[number] for number in sorted(files))
    places = np.array([file.id for file in kept], np.int64)
    return Signals(
        answers.totals,
        kept,
        tuple(answers.asking),
        answers.words.among(places),
        answers.defined.among(places),
        answers.used.among(places),
        answers.together,
        await index.touched([file.path for file in kept]) if answers.totals.changesets else {},
        answers.similar,
    )


async def _answers(index: Index, query: Query, vector: Vector | None) -> _Answers:
    totals = await index.totals()
    asking, held, named, history, beside, similar = await asyncio.gather(
        index.at(query.paths),
        index.holding(list({**query.words, **query.around})),
        index.named(names_to_ask(query)),
        _history(index, query.paths, totals.changesets),
        index.beside(query.paths, BESIDE),
        _similar(index, vector),
    )
    defined, used = _named(named)
    return _Answers(totals, asking, _held(held), defined, used, *history, beside, similar)


def names_to_ask(query: Query) -> list[str]:
    """The identifiers whose definitions and uses matter, and what the changed files are called (for who imports them)."""
    called = (path.rpartition("/")[2].partition(".")[0] for path in query.paths)
    mentioned = list(query.mentioned)[:MENTIONED]
    return list(dict.fromkeys([*query.names, *query.altered, *query.lost, *query.defined, *mentioned, *called]))


def _held(held: Mapping[str, Holders]) -> Postings:
    return postings({word: (holders.files, holders.counts) for word, holders in held.items()})


def _named(named: Mapping[str, Named]) -> tuple[Postings, Postings]:
    defined = postings({name: (one.defined_in, None) for name, one in named.items()})
    return defined, postings({name: (one.used_in, None) for name, one in named.items()})


async def _history(index: Index, paths: Sequence[str], newest: int) -> tuple[Together | None, list[str]]:
    """What changed together with these paths, and the files of the newest changesets."""
    touched = wanted(await index.touched(paths))
    recent = range(max(newest - NEWEST, 0) + 1, newest + 1)
    numbers = sorted({*recent, *(int(number) for each in touched.values() for number in each)})
    changesets = await index.changesets(numbers)
    files = dict.fromkeys(path for number in recent for path in changesets.get(number, ()))
    return together(touched, changesets) if touched else None, list(files)


async def _similar(index: Index, vector: Vector | None) -> Mapping[int, float] | None:
    if vector is None:
        return None
    found: dict[int, float] = {}
    for neighbour in await index.nearest(vector, NEAREST):
        found[neighbour.file] = max(found.get(neighbour.file, -1.0), neighbour.similarity)
    return found


def _by_terms(query: Query, answers: _Answers) -> Iterable[Numbers]:
    files = answers.totals.files
    words, defined, used = answers.words, answers.defined, answers.used
    shares = words.counts / (words.counts + 1.2) * words.rarity(files)[words.terms]
    for weights, most in ((query.words, BY_WORDS), (query.around, BY_AROUND)):
        yield best(words.files, shares * np.log1p(words.weights(weights))[words.terms], most)
    asked = np.log1p(defined.weights(query.names)) + 0.1
    yield best(defined.files, (defined.rarity(files) * asked)[defined.terms], BY_NAMES)
    for names in (query.names, dict.fromkeys(query.altered, 1.0), dict.fromkeys([*query.defined, *query.lost], 1.0)):
        yield best(used.files, (used.rarity(files) * np.log1p(used.weights(names)))[used.terms], BY_NAMES)
    known = dict.fromkeys(query.altered, 1.0)
    yield best(defined.files, (defined.rarity(files) * defined.weights(known))[defined.terms], BY_NAMES)


def _by_place(answers: _Answers) -> Iterable[Numbers]:
    yield np.array([file.id for file in answers.beside], np.int64)
    yield np.array(list(answers.similar or ()), np.int64)
