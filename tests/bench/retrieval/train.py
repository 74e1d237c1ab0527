"""`python -m tests.bench.retrieval.train FOLDER`: train the ranking on what `extract` wrote, tell how good it is, write it.

Needs lightgbm (and its scipy), which nothing else here does: install it into an environment of its own.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from review.context.trees import MODEL, VERSION
from tests.bench.table import table

SAMPLES = Path("tests/data/ranking_samples.json")
HELD_OUT = "pallets+flask psf+requests expressjs+express gin-gonic+gin google+gson httpie+cli encode+starlette spf13+cobra"
"""Repositories that the shipped model has never seen: the documented figures are of these."""

SINGLE = {
    "path": ("near",),
    "words": ("words",),
    "vectors": ("similar",),
    "symbols": ("defines_named", "uses_altered", "uses_defined", "namesake_altered"),
    "co-change": ("together_damped",),
}
HISTORY, VECTORS = ("together_", "own_", "changesets"), ("similar",)
PARAMETERS = {
    "objective": "lambdarank", "num_leaves": 20, "learning_rate": 0.05, "min_data_in_leaf": 40, "lambda_l2": 5.0,
    "feature_fraction": 0.4, "bagging_fraction": 0.8, "bagging_freq": 1, "lambdarank_truncation_level": 15,
    "max_bin": 127, "verbose": -1, "num_threads": 1, "seed": 7, "deterministic": True,
}  # fmt: skip
TREES = 160
HARD = ("words_share", "together_damped_share", "near_share", "shares_named_share")
MOST_CANDIDATES, EASY = 60, 0.2
"""Candidates of a question that are trained on, and the share of the others that may be among them."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Those of one repository; `rows` of all candidates, `sizes` how many each question has, `answers` places among them."""

    rows: NDArray[np.float32]
    sizes: NDArray[np.int64]
    answers: NDArray[np.int64]

    def labels(self) -> NDArray[np.int64]:
        """1 for the hidden files' rows."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        labels = np.zeros(len(self.rows), np.int64)
        labels[(starts + self.answers)[self.answers >= 0]] = 1
        return labels

    def quality(self, scores: NDArray[np.float64]) -> tuple[float, float]:
        """Recall@10 and MRR of the ranking by these scores."""
        ranks, start = [], 0
        for size, answer in zip(self.sizes, self.answers, strict=True):
            ranks.append(_rank(scores[start : start + size], answer))
            start += size
        found = np.array(ranks)
        return float((found <= 10).mean()), float((1 / found).mean())

    def sample(
        self, names: Sequence[str], share: float, chosen: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Rows, labels and sizes of this share of the questions: of each the answer, the hardest candidates, some others."""
        hard = np.nan_to_num(self.rows[:, [names.index(name) for name in HARD]]).sum(axis=1)
        hard += self.labels() * 100 + chosen.random(len(hard)) * (chosen.random(len(hard)) < EASY)
        kept, sizes, start = [], [], 0
        for size, answer in zip(self.sizes, self.answers, strict=True):
            if answer >= 0 and chosen.random() < share:
                kept.append(start + np.sort(np.argsort(-hard[start : start + size])[:MOST_CANDIDATES]))
                sizes.append(len(kept[-1]))
            start += size
        places = np.concatenate(kept)
        return self.rows[places], self.labels()[places], np.array(sizes)


def without(rows: NDArray[np.float32], names: Sequence[str], prefixes: tuple[str, ...]) -> NDArray[np.float32]:
    """The rows as they are where a source has nothing to ask."""
    unknown = rows.copy()
    unknown[:, [at for at, name in enumerate(names) if prefixes and name.startswith(prefixes)]] = np.nan
    return unknown


def _rank(scores: NDArray[np.float64], answer: int) -> float:
    if answer < 0 or not scores[answer]:
        return float("inf")
    mine = scores[answer]
    return 1 + float((scores > mine).sum()) + (float((scores == mine).sum()) - 1) / 2


def read(folder: Path) -> tuple[list[str], dict[str, Questions]]:
    """The names of the features, and the questions by repository."""
    names, found = [], {}
    for file in sorted(folder.glob("*.npz")):
        kept = np.load(file)
        names = [str(name) for name in kept["names"]]
        found[file.stem] = Questions(kept["rows"], kept["sizes"], kept["answers"])
    return names, found


def train(names: list[str], questions: Mapping[str, Questions], trees: int = TREES) -> Any:
    """A booster. Copies of some questions lack history, vectors or both, so that it knows how to do without."""
    chosen = np.random.default_rng(1)
    rows, labels, sizes = [], [], []
    for one in questions.values():
        for share, lacking in ((1.0, ()), (0.3, HISTORY), (0.3, VECTORS), (0.3, HISTORY + VECTORS)):
            part, marked, counted = one.sample(names, share, chosen)
            rows.append(without(part, names, lacking))
            labels.append(marked)
            sizes.append(counted)
    given = lightgbm.Dataset(np.concatenate(rows), np.concatenate(labels), group=np.concatenate(sizes), feature_name=names)
    return lightgbm.train(PARAMETERS, given, trees)


def as_json(booster: Any, names: Sequence[str], trained_on: Sequence[str]) -> dict[str, Any]:
    """The model as review.context.trees reads it. Only features that a tree asks for are named."""
    nodes: list[tuple[int, float, int, int, bool, bool, float]] = []
    roots = [_add(nodes, tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    used = sorted({feature for feature, _, left, *_ in nodes if left >= 0})
    place = {feature: at for at, feature in enumerate(used)}
    columns = list(zip(*nodes, strict=True))
    return {
        "version": VERSION,
        "trained_on": [name.replace("+", "/") for name in trained_on],
        "features": [names[feature] for feature in used],
        "roots": roots,
        "feature": [place.get(feature, 0) for feature in columns[0]],
        "threshold": list(columns[1]),
        "left": list(columns[2]),
        "right": list(columns[3]),
        "nan_left": [int(flag) for flag in columns[4]],
        "nan_is_zero": [int(flag) for flag in columns[5]],
        "value": [round(value, 6) for value in columns[6]],
    }


def _add(nodes: list[tuple[int, float, int, int, bool, bool, float]], node: Mapping[str, Any]) -> int:
    """Put a node and those below it at the end; gives its place."""
    at = len(nodes)
    nodes.append((0, 0.0, -1, -1, False, False, float(node.get("leaf_value", 0.0))))
    if "split_feature" in node:
        left, right = _add(nodes, node["left_child"]), _add(nodes, node["right_child"])
        asks = (int(node["split_feature"]), float(node["threshold"]), left, right)
        nodes[at] = (*asks, bool(node["default_left"]), node["missing_type"] != "NaN", 0.0)
    return at


def report(names: Sequence[str], questions: Mapping[str, Questions], booster: Any) -> str:
    """Recall@10 and MRR by repository: each source alone, all, and all without history and vectors."""
    rows = []
    for repository, one in questions.items():
        scores = [np.nan_to_num(one.rows[:, [names.index(name) for name in said]]).sum(axis=1) for said in SINGLE.values()]
        scores += [booster.predict(one.rows), booster.predict(without(one.rows, names, HISTORY + VECTORS))]
        results = [one.quality(np.asarray(each, np.float64)) for each in scores]
        rows.append((repository, str(len(one.sizes)), *(f"{recall:.1%} {mrr:.3f}" for recall, mrr in results)))
    return table("recall@10 and MRR", ("repository", "questions", *SINGLE, "hybrid", "without history, vectors"), rows)


def samples(booster: Any, names: Sequence[str], questions: Mapping[str, Questions]) -> dict[str, Any]:
    """A few rows with what lightgbm makes of them, by which our own evaluation is tested."""
    chosen = np.random.default_rng(1)
    rows = np.concatenate([one.rows[chosen.choice(len(one.rows), 4)] for one in questions.values()])
    rows = np.concatenate([rows, np.where(chosen.random(rows.shape) < 0.2, np.nan, rows)]).astype(np.float64)
    listed = [[None if np.isnan(value) else float(f"{value:.6g}") for value in row] for row in rows]
    given = np.array([[np.nan if value is None else value for value in row] for row in listed])
    return {"features": list(names), "rows": listed, "scores": [float(score) for score in booster.predict(given)]}


def main() -> None:
    """Train on all repositories but those held out, and tell of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--held-out", default=HELD_OUT, help="names of repositories, with spaces between")
    parser.add_argument("--trees", type=int, default=TREES)
    parser.add_argument("--write", action="store_true", help=f"write {MODEL.name} and {SAMPLES}")
    given = parser.parse_args()
    names, every = read(given.folder)
    held_out = {name: one for name, one in every.items() if name in given.held_out.split()}
    others = {name: one for name, one in every.items() if name not in held_out}
    booster = train(names, others, given.trees)
    print("Held out:" + report(names, held_out, booster), flush=True)
    if given.write:
        MODEL.write_text(json.dumps(as_json(booster, names, list(others)), separators=(",", ":")) + "\n")
        SAMPLES.write_text(json.dumps(samples(booster, names, held_out), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
