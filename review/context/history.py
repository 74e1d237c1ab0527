"""Files that change together: what the newest changesets of a change's files say about each other file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from review.context.index import Numbers

Floats = NDArray[np.float64]

MOST_CHANGESETS = 400
"""Changesets that are looked into, the newest of each of the change's files in turn."""

RECENT = 12.0
"""Changesets of a file after which one of them counts some third."""


@dataclass(frozen=True, slots=True)
class Together:
    """The changesets of the change's files, as matrices.

    `asked` is 1 where a changeset (row) touched one of the change's files (column), `sizes` how many files each touched,
    `ages` how many of the file's own changesets are newer (by row and column), `numbers` the rows' own numbers.
    """

    numbers: Numbers
    asked: Floats
    ages: Floats
    sizes: Floats
    rows: Mapping[str, tuple[int, ...]]
    """By path, the changesets (rows) that touched it."""
    paths_asked: tuple[str, ...]
    """The columns: the change's files that have a history."""

    def touching(self, paths: Sequence[str]) -> Floats:
        """1 where a changeset (column) touched the path (row)."""
        found = np.zeros((len(paths), len(self.numbers)))
        for at, path in enumerate(paths):
            found[at, list(self.rows.get(path, ()))] = 1.0
        return found

    def paths(self, most: int) -> list[str]:
        """Those that were together with the change's files most often, small changesets counting more."""
        weights = self.damped() @ np.ones(self.asked.shape[1])
        sums = {path: float(sum(weights[row] for row in rows)) for path, rows in self.rows.items()}
        return sorted(sums, key=lambda path: (-sums[path], path))[:most]

    def damped(self) -> Floats:
        """`asked`, where a changeset of many files says little about any two of them, and an old one less than a new one."""
        return self.asked / np.log2(1.0 + self.sizes)[:, None] * np.exp(-self.ages / RECENT)


def wanted(touched: Mapping[str, Numbers]) -> Mapping[str, Numbers]:
    """Of each file's changesets the newest, so that all together are at most some MOST_CHANGESETS."""
    each = max(MOST_CHANGESETS // max(len(touched), 1), 5)
    return {path: numbers[-each:] for path, numbers in touched.items()}


def together(touched: Mapping[str, Numbers], changesets: Mapping[int, Sequence[str]]) -> Together:
    """Out of what `wanted` gave and the paths of these changesets."""
    numbers = np.array(sorted({int(n) for each in touched.values() for n in each if int(n) in changesets}), np.int64)
    asked = np.zeros((len(numbers), len(touched)))
    ages = np.zeros_like(asked)
    for column, each in enumerate(touched.values()):
        here = np.searchsorted(numbers, np.array([n for n in each if int(n) in changesets], np.int64))
        asked[here, column] = 1.0
        ages[here, column] = np.arange(len(here))[::-1]
    rows: dict[str, list[int]] = {}
    for row, number in enumerate(numbers):
        for path in dict.fromkeys(changesets[int(number)]):
            rows.setdefault(path, []).append(row)
    sizes = np.array([max(len(set(changesets[int(number)])), 2) for number in numbers], np.float64)
    return Together(numbers, asked, ages, sizes, {path: tuple(found) for path, found in rows.items()}, tuple(touched))
