"""Gradient-boosted trees out of ranking_model.json, evaluated for all rows and all trees at once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MODEL = Path(__file__).with_name("ranking_model.json")
VERSION = 1
"""Of the file's layout."""


@dataclass(frozen=True, slots=True)
class Trees:
    """The nodes of all trees one after the other; leaves are nodes without children.

    A row goes to `left` where its value is at most the threshold. NaN goes where `nan_left` says; it is taken for 0 where
    training has seen none.
    """

    features: tuple[str, ...]
    trained_on: tuple[str, ...]
    roots: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    nan_left: NDArray[np.bool_]
    nan_is_zero: NDArray[np.bool_]
    value: Floats

    def scores(self, columns: Mapping[str, Floats]) -> Floats:
        """The sum of the leaves that each row comes to. Raises KeyError for a feature that is not among the columns."""
        rows = np.column_stack([columns[name] for name in self.features])
        each = np.arange(len(rows))[:, None]
        at = np.tile(self.roots, (len(rows), 1))
        while (inner := self.left[at] >= 0).any():
            values = rows[each, self.feature[at]]
            unknown = np.isnan(values)
            known = np.where(unknown, 0.0, values) <= self.threshold[at]
            goes_left = np.where(unknown & ~self.nan_is_zero[at], self.nan_left[at], known)
            at = np.where(inner, np.where(goes_left, self.left[at], self.right[at]), at)
        return np.asarray(self.value[at].sum(axis=1), np.float64)


@cache
def ranking_model() -> Trees:
    """The model that ships with us."""
    return read_trees(json.loads(MODEL.read_text(encoding="utf-8")))


def read_trees(data: Mapping[str, Any]) -> Trees:
    """The trees of a model file. Raises ValueError where it has another layout than this code knows."""
    if data["version"] != VERSION:
        raise ValueError(f"{MODEL.name} has layout {data['version']}, and this code reads layout {VERSION}")
    return Trees(
        features=tuple(data["features"]),
        trained_on=tuple(data["trained_on"]),
        roots=np.array(data["roots"], np.int64),
        feature=np.array(data["feature"], np.int64),
        threshold=np.array(data["threshold"], np.float64),
        left=np.array(data["left"], np.int64),
        right=np.array(data["right"], np.int64),
        nan_left=np.array(data["nan_left"], np.bool_),
        nan_is_zero=np.array(data["nan_is_zero"], np.bool_),
        value=np.array(data["value"], np.float64),
    )
