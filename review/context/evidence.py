"""Evidence: why a file is thought to belong to a change, with the names that say so, and as a clause for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from review.context.bm25 import Postings
from review.context.path_likeness import Place, place_of
from review.context.query import Query
from review.context.signals import Signals
from review.context.word_weights import is_telling
from review.context.words import parts

Floats = NDArray[np.float64]

MOST_NAMES = 3
WEAKEST = 0.05
"""Of the strongest evidence of its kind in one answer; less is chance."""

LEAST_WORDS = 2
"""A single word that two files share is no reason."""

OFTEN, SHARE = 2, 0.1
"""Commits in common that are a reason, or the share of all of a file's commits."""

NOTHING_SAID = "belongs to the change by small signs only"


class Source(StrEnum):
    """What kind of evidence."""

    DEFINES = "defines"
    USES = "uses"
    MISSES = "misses"
    NAMESAKE = "namesake"
    TOGETHER = "together"
    WORDS = "words"
    SIMILAR = "similar"
    NEAR = "near"


TRUST = {
    Source.DEFINES: 1.0, Source.USES: 1.0, Source.TOGETHER: 0.8, Source.MISSES: 0.7, Source.NAMESAKE: 0.6, Source.WORDS: 0.5,
    Source.NEAR: 0.4, Source.SIMILAR: 0.3,
}  # fmt: skip
"""What the strongest of each kind weighs beside the others: how much it tells a person."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason. `weight` is from 0 to 1; it rests on `names` (most telling first), or is the clause `detail`."""

    source: Source
    weight: float
    names: tuple[str, ...] = ()
    detail: str = ""


def why(evidence: Sequence[Evidence]) -> str:
    """The strongest one or two reasons, as a clause that goes on after the file's path."""
    return ", and ".join(_clause(one) for one in evidence[:2]) or NOTHING_SAID


def _clause(one: Evidence) -> str:
    names = ", ".join(f"`{name}`" for name in one.names)
    match one.source:
        case Source.DEFINES:
            return f"defines {names}, which the change uses"
        case Source.USES:
            return f"uses {names}, which the change alters"
        case Source.MISSES:
            return f"uses {names}, which the change takes out of a file"
        case Source.NAMESAKE:
            return f"defines {names} too, which the change alters elsewhere"
        case Source.WORDS:
            return f"speaks of {names}, as the change does"
    return one.detail


def evidence_of(query: Query, signals: Signals, chosen: Sequence[int]) -> list[tuple[Evidence, ...]]:
    """The reasons for each of the chosen candidates (places in `signals.files`), strongest first."""
    altered = dict.fromkeys(filter(is_telling, query.altered), 1.0)
    gone = (name for name in query.lost - query.altered if len(parts(name)) > 1 or name in query.defined)
    lost = dict.fromkeys(filter(is_telling, gone), 1.0)
    tables = {
        Source.DEFINES: _Names(signals.defined, _telling(query.names), signals),
        Source.USES: _Names(signals.used, altered, signals),
        Source.MISSES: _Names(signals.used, lost, signals),
        Source.NAMESAKE: _Names(signals.defined, altered, signals),
        Source.WORDS: _Names(signals.words, _telling(query.words), signals),
    }
    history = _together(signals)
    strongest_cosine = max((signals.similar or {}).values(), default=0.0)
    found = []
    for at in chosen:
        reasons = [
            Evidence(source, weight, names)
            for source, table in tables.items()
            for weight, names in table.of(at)
            if source is not Source.WORDS or len(names) >= LEAST_WORDS
        ]
        reasons += history.get(signals.files[at].path, ())
        reasons += _near(query, signals.files[at].path)
        reasons += _similar(signals, at, strongest_cosine)
        weighed = (Evidence(one.source, one.weight * TRUST[one.source], one.names, one.detail) for one in reasons)
        found.append(tuple(sorted(weighed, key=lambda one: -one.weight)))
    return found


def _telling(names: Mapping[str, float]) -> dict[str, float]:
    return {name: weight for name, weight in names.items() if is_telling(name)}


class _Names:
    """The names that candidates hold of a few that count, sorted by candidate."""

    def __init__(self, held: Postings, asked: Mapping[str, float], signals: Signals) -> None:
        weights = np.log1p(held.weights(asked)) * held.rarity(signals.totals.files)
        values = weights[held.terms]
        some = np.flatnonzero(values > 0)
        order = some[np.lexsort((-values[some], held.files[some]))]
        self._names, self._terms, self._values = held.names, held.terms[order], values[order]
        self._starts = np.searchsorted(held.files[order], np.arange(len(signals.files) + 1))
        sums = held.sums(values, len(signals.files))
        self._strongest = float(sums.max(initial=0.0))
        self._sums = sums

    def of(self, at: int) -> Iterator[tuple[float, tuple[str, ...]]]:
        """The weight and the most telling names of a candidate, if it has any that count."""
        first, last = self._starts[at], self._starts[at + 1]
        if first == last or self._sums[at] < WEAKEST * self._strongest:
            return
        names = tuple(self._names[term] for term in self._terms[first : min(last, first + MOST_NAMES)])
        yield float(self._sums[at] / self._strongest), names


def _together(signals: Signals) -> dict[str, tuple[Evidence, ...]]:
    """By candidate, the file of the change with which it changed most often."""
    held = signals.together
    if held is None:
        return {}
    paths = [file.path for file in signals.files]
    both, asked = held.touching(paths) @ held.asked, held.asked.sum(axis=0)
    shares = both / (asked + 3.0)
    strongest = float(shares.max(initial=0.0))
    found: dict[str, tuple[Evidence, ...]] = {}
    for at in np.flatnonzero(both.max(axis=1, initial=0.0)):
        column = int(shares[at].argmax())
        times, every = int(both[at, column]), int(asked[column])
        if times < OFTEN and times < SHARE * every:
            continue
        last = "its only commit here" if every == 1 else f"{times} of its last {every} commits"
        detail = f"changed together with `{held.paths_asked[column]}` in {last}"
        found[paths[at]] = (Evidence(Source.TOGETHER, float(shares[at, column]) / strongest, detail=detail),)
    return found


def _near(query: Query, path: str) -> Iterator[Evidence]:
    place = place_of(path)
    for other in query.paths:
        if detail := _nearness(place, place_of(other), other):
            yield Evidence(Source.NEAR, 1.0 if place.stem == place_of(other).stem else 0.4, detail=detail)
            return


def _nearness(place: Place, other: Place, path: str) -> str:
    if place.stem and place.stem == other.stem and place.test != other.test:
        return f"tests what `{path}` holds, by its name" if place.test else f"holds what `{path}` tests, by its name"
    if place.stem and place.stem == other.stem:
        return f"is called like `{path}`"
    return f"lies beside `{path}`" if place.folders == other.folders else ""


def _similar(signals: Signals, at: int, strongest: float) -> Iterator[Evidence]:
    cosine = (signals.similar or {}).get(signals.files[at].id, 0.0)
    if cosine > 0:
        yield Evidence(Source.SIMILAR, cosine / strongest, detail="reads like the change")
