"""Features: what the signals say about each candidate, as numbers that mean the same in every repository."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from review.context.bm25 import Postings, bm25
from review.context.path_likeness import PAIR, likenesses, place_of, rare_words_shared
from review.context.query import Query
from review.context.signals import Signals

Floats = NDArray[np.float64]
Columns = dict[str, Floats]

UNKNOWN = np.nan
"""Where a source had nothing to ask; the model knows how to do without."""


def features(query: Query, signals: Signals) -> Columns:
    """One column for each feature, one row for each candidate in the order of `signals.files`."""
    columns: Columns = {}
    columns.update(_of_words(query, signals))
    columns.update(_of_names(query, signals))
    columns.update(_of_history(signals))
    columns.update(_of_popularity(signals))
    columns.update(_of_places(query, signals))
    columns.update(_of_kinds(query, signals))
    columns.update(_of_vectors(signals))
    return columns


def _ranked(name: str, scores: Floats) -> Columns:
    """The score, its share of the best, and its rank (logarithm; all without any score share the last one)."""
    top = scores.max(initial=0.0)
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(len(scores))
    ranks[scores <= 0] = max(len(scores), 300)
    return {name: scores, f"{name}_share": scores / top if top > 0 else scores, f"{name}_rank": np.log1p(ranks)}


def _of_words(query: Query, signals: Signals) -> Columns:
    held, lengths = signals.words, np.array([file.length for file in signals.files], np.float64)
    rarity = held.rarity(signals.totals.files)
    columns: Columns = {}
    for name, asked in (("words", query.words), ("around", query.around)):
        weights = np.log1p(held.weights(asked)) * rarity
        scores = bm25(held, weights, lengths, signals.mean_length)
        most = max(float(weights.sum()), 1e-9)
        columns.update(_ranked(name, scores / most))
        columns[f"{name}_found"] = held.sums(weights[held.terms], len(lengths)) / most
    return columns


def _of_names(query: Query, signals: Signals) -> Columns:
    """Edges: what of the change's names a candidate defines or uses, the rare ones counting more."""
    defined, used = signals.defined, signals.used
    altered, lost, file = (dict.fromkeys(names, 1.0) for names in (query.altered, query.lost, query.defined))
    return {
        **_edge("defines_named", defined, query.names, signals),
        **_edge("defines_mentioned", defined, query.mentioned, signals),
        **_edge("uses_altered", used, altered, signals),
        **_edge("uses_defined", used, file, signals),
        **_edge("uses_lost", used, lost, signals),
        **_edge("shares_named", used, query.names, signals),
        **_edge("shares_mentioned", used, query.mentioned, signals),
        **_edge("namesake_altered", defined, altered, signals),
        **_edge("namesake_defined", defined, file, signals),
    }


def _edge(name: str, held: Postings, asked: Mapping[str, float], signals: Signals) -> Columns:
    weights = np.log1p(held.weights(asked)) * held.rarity(signals.totals.files)
    scores = held.sums(weights[held.terms], len(signals.files))
    strongest = np.zeros(len(signals.files))
    np.maximum.at(strongest, held.files, weights[held.terms])
    ranked = _ranked(name, scores)
    ranked[name] = np.log1p(scores)
    ranked[f"{name}_found"] = scores / max(float(weights.sum()), 1e-9)
    ranked[f"{name}_strongest"] = strongest
    return ranked


HISTORY = ("support", "confidence", "confidence_mean", "damped", "recent", "lift", "reverse", "several", "newest")


def _of_history(signals: Signals) -> Columns:
    if signals.together is None:
        unknown = np.full(len(signals.files), UNKNOWN)
        names = [*HISTORY, "damped_share", "damped_rank", "recent_share", "recent_rank"]
        return {f"together_{name}": unknown for name in names}
    held = signals.together
    found = held.touching([file.path for file in signals.files])
    both, asked = found @ held.asked, held.asked.sum(axis=0)
    own = np.array([max(len(signals.touched.get(file.path, ())), 1) for file in signals.files], np.float64)
    damped = _shares(found, held.asked / np.log2(1.0 + held.sizes)[:, None])
    recent = _shares(found, held.damped())
    every = max(signals.totals.changesets, 1)
    several = found @ (held.asked.sum(axis=1) ** 2 / np.log2(1.0 + held.sizes)) / max(held.asked.shape[1], 1)
    return {
        "together_support": np.log1p(both.max(axis=1, initial=0.0)),
        "together_confidence": (both / (asked + 3.0)).max(axis=1, initial=0.0),
        "together_confidence_mean": (both / (asked + 3.0)).mean(axis=1),
        **_ranked("together_damped", damped),
        **_ranked("together_recent", recent),
        "together_lift": np.log1p((both * every / (own[:, None] * asked + 5.0)).max(axis=1, initial=0.0)),
        "together_reverse": (both / (own[:, None] + 3.0)).max(axis=1, initial=0.0),
        "together_several": np.log1p(several),
        "together_newest": _newest(found),
    }


def _shares(found: Floats, weights: Floats) -> Floats:
    """By candidate, which share of the weight of each file's changesets it was part of, all files of the change together."""
    return np.asarray((found @ weights / (weights.sum(axis=0) + 1.0)).sum(axis=1), np.float64)


def _newest(found: Floats) -> Floats:
    """How many changesets of the change's files are newer than the last one that touched the candidate too (logarithm)."""
    count = found.shape[1]
    last = np.where(found.any(axis=1), count - 1 - np.argmax(found[:, ::-1], axis=1), -1) if count else np.full(len(found), -1)
    return np.asarray(np.log1p(count - 1 - last), np.float64)


def _of_popularity(signals: Signals) -> Columns:
    every = signals.totals.changesets
    names = ("changes", "changes_20", "changes_100", "changes_1000", "age")
    if not every:
        return {f"own_{name}": np.full(len(signals.files), UNKNOWN) for name in names}
    touched = [signals.touched.get(file.path, np.zeros(0, np.int64)) for file in signals.files]
    recent = [[len(one), (one > every - 20).sum(), (one > every - 100).sum(), (one > every - 1000).sum()] for one in touched]
    counts = np.array(recent, np.float64).reshape(len(touched), 4)
    ages = np.array([every - one[-1] if len(one) else every for one in touched], np.float64)
    return {
        "own_changes": np.log1p(counts[:, 0] / every * 1000),
        "own_changes_20": counts[:, 1] / min(every, 20),
        "own_changes_100": counts[:, 2] / min(every, 100),
        "own_changes_1000": counts[:, 3] / min(every, 1000),
        "own_age": np.log1p(ages),
    }


def _of_places(query: Query, signals: Signals) -> Columns:
    paths = [file.path for file in signals.files]
    pairs = likenesses(paths, query.paths)
    columns: Columns = {f"near_{name}": pairs[:, :, at].max(axis=1, initial=0.0) for at, name in enumerate(PAIR)}
    means = pairs.mean(axis=1) if pairs.shape[1] else np.zeros((len(paths), len(PAIR)))
    columns.update({f"near_{name}_mean": means[:, at] for at, name in enumerate(PAIR)})
    columns.update(_ranked("near", columns["near_likeness"] + columns["near_likeness_mean"]))
    shared = rare_words_shared(paths, query.paths)
    columns["near_rare_words_mean"] = shared.mean(axis=1) if shared.shape[1] else np.zeros(len(paths))
    columns.update(_ranked("near_rare_words", shared.max(axis=1, initial=0.0)))
    columns.update(_called(query, signals))
    return columns


def _called(query: Query, signals: Signals) -> Columns:
    """Whether the change speaks of the file by its name."""
    places = [place_of(file.path) for file in signals.files]
    spread: dict[str, int] = {}
    for place in places:
        for word in place.all_words:
            spread[word] = spread.get(word, 0) + 1
    rarity = {word: float(np.log1p(len(places) / times)) for word, times in spread.items()}
    said = {name.lower().replace("_", "") for name in query.names}
    mentioned = {name.lower().replace("_", "") for name in query.mentioned}
    by_words = [_told(place.words, query.words, rarity) for place in places]
    return {
        **_ranked("called_words", np.array(by_words, np.float64)),
        "called_path_words": np.array([_told(place.all_words, query.words, rarity) for place in places], np.float64),
        "called_named": np.array([place.stem in said for place in places], np.float64),
        "called_mentioned": np.array([place.stem in mentioned for place in places], np.float64),
    }


def _told(words: frozenset[str], asked: Mapping[str, float], rarity: Mapping[str, float]) -> float:
    every = sum(rarity[word] for word in words)
    return sum(rarity[word] * float(np.log1p(asked.get(word, 0.0))) for word in words) / every if every else 0.0


def _of_kinds(query: Query, signals: Signals) -> Columns:
    count = len(signals.files)
    languages = [file.language for file in signals.asking]
    tests = [place_of(path).test for path in query.paths]
    mine = np.array([place_of(file.path).test for file in signals.files], np.float64)
    same = [languages.count(file.language) / max(len(languages), 1) for file in signals.files]
    return {
        "is_test": mine,
        "test_among_asking": np.full(count, float(any(tests))),
        "source_among_asking": np.full(count, float(not all(tests))),
        "same_language": np.array(same, np.float64),
        "length": np.log1p(np.array([file.length for file in signals.files], np.float64)),
        "depth": np.array([len(place_of(file.path).folders) for file in signals.files], np.float64),
        "is_init": np.array(
            [place_of(file.path).stem in ("init", "index", "mod", "lib", "main") for file in signals.files], np.float64
        ),
        "asking": np.full(count, float(len(query.paths))),
        "files": np.full(count, float(np.log1p(signals.totals.files))),
        "changesets": np.full(count, float(np.log1p(signals.totals.changesets))),
    }


def _of_vectors(signals: Signals) -> Columns:
    if signals.similar is None:
        unknown = np.full(len(signals.files), UNKNOWN)
        return {"similar": unknown, "similar_share": unknown, "similar_rank": unknown}
    similar = signals.similar
    return _ranked("similar", np.array([similar.get(file.id, 0.0) for file in signals.files], np.float64))
