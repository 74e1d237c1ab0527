"""What changed together: small and new changesets count more, and nothing is counted twice."""

import math

import numpy as np
import pytest

from review.context.history import MOST_CHANGESETS, Together, together, wanted

pytestmark = pytest.mark.unit


def history(changesets: dict[int, tuple[str, ...]], *asking: str) -> Together:
    touched = {path: np.array([n for n, paths in changesets.items() if path in paths], np.int64) for path in asking}
    return together(wanted(touched), changesets)


def test_it_is_told_how_often_a_path_was_there_when_a_file_of_the_change_was() -> None:
    held = history({1: ("q", "a"), 2: ("q", "b"), 3: ("a",), 4: ("q", "a")}, "q")
    both = held.touching(["a", "b", "nowhere"]) @ held.asked
    assert both.tolist() == [[2.0], [1.0], [0.0]]
    assert held.numbers.tolist() == [1, 2, 4]


def test_a_path_named_twice_in_a_changeset_counts_once() -> None:
    held = history({1: ("q", "a", "a")}, "q")
    assert held.touching(["a"]).tolist() == [[1.0]]
    assert held.sizes.tolist() == [2.0]


def test_a_large_changeset_says_less_and_so_does_an_old_one() -> None:
    held = history({1: ("q", "a"), 2: ("q", *map(str, range(30))), 3: ("q", "b")}, "q")
    old, large, new = held.damped()[:, 0]
    assert new == pytest.approx(1 / math.log2(3))
    assert large < old < new
    assert held.paths(3)[:3] == ["q", "b", "a"]


def test_only_the_newest_changesets_are_looked_into() -> None:
    touched = {path: np.arange(1, 1000, dtype=np.int64) for path in "abcd"}
    chosen = wanted(touched)
    assert sum(len(numbers) for numbers in chosen.values()) <= MOST_CHANGESETS
    assert all(numbers[-1] == 999 for numbers in chosen.values())


def test_changesets_that_are_gone_meanwhile_are_left_out() -> None:
    held = together({"q": np.array([1, 2], np.int64)}, {2: ("q", "a")})
    assert held.numbers.tolist() == [2]
    assert held.asked.tolist() == [[1.0]]
