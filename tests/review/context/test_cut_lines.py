"""A run of lines in pieces: none too long, none empty at its ends, no line lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.context.cut_lines import cut_lines

pytestmark = pytest.mark.unit


@given(lines=st.lists(st.sampled_from(["", " ", "a", "b"]), max_size=300), most=st.integers(1, 80))
def test_pieces_hold_every_line_once_and_are_short_enough(lines: list[str], most: int) -> None:
    spans = cut_lines(lines, (0, len(lines) - 1), most)
    held = [line for first, last in spans for line in range(first, last + 1)]
    assert held == sorted(set(held))
    assert {place for place, line in enumerate(lines) if line.strip()} <= set(held)
    assert all(last + 1 - first <= most and lines[first].strip() and lines[last].strip() for first, last in spans)


def test_pieces_are_about_equal_where_no_line_is_empty() -> None:
    assert cut_lines(["a"] * 130, (0, 129), 60) == [(0, 43), (44, 86), (87, 129)]


def test_a_piece_ends_at_the_empty_line_that_is_nearest_to_its_share() -> None:
    lines = ["a"] * 100
    lines[40] = lines[55] = ""
    assert cut_lines(lines, (0, 99), 60) == [(0, 54), (56, 99)]
