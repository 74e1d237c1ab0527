"""Edits: a tool's changes of characters become whole lines that GitHub applies to exactly the same file."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from review.suggestions.edits import Edit, Places, suggestion
from review.suggestions.patch import apply_suggestions

pytestmark = pytest.mark.unit


def edited(text: str, edits: list[Edit]) -> str:
    """The text as the tool itself would leave it."""
    for edit in sorted(edits, key=lambda edit: edit.first, reverse=True):
        text = text[: edit.first] + edit.text + text[edit.last :]
    return text


def replace(text: str, old: str, new: str) -> Edit:
    first = text.index(old)
    return Edit(first, first + len(old), new)


def applied(text: str, edits: list[Edit]) -> str:
    found = suggestion(text, edits)
    assert found is not None
    return apply_suggestions(text.encode(), [found]).decode()


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("a = 1\nb = 2\nc = 3\n", "2", "5"),
        ("a = 1\r\nb = 2\r\nc = 3\r\n", "2", "5"),
        ("a = 1\nb = 2", "2", "5"),
        ("a = 1\nb = 2", "1\nb", "3\n\nb"),
        ("\tif x:\n\t\ty = 1\n", "y = 1", "z = 1\n\t\ty = 2"),
        ("a = 1\x0c\nb = 2\n", "2", "5"),
        ("é = 'ü😀'\nb = 2\n", "ü😀", "a"),
        ("a\nb\nc\n", "b\n", ""),
        ("a\nb\nc\n", "\nb", ""),
        ("a\nc\n", "c\n", "b\nc\n"),
        ("a\n\nb\n", "a\n\nb", "a\nb"),
    ],
)
def test_one_edit_applies_exactly(text: str, old: str, new: str) -> None:
    edit = replace(text, old, new)
    assert applied(text, [edit]) == edited(text, [edit])


def test_new_lines_take_the_file_s_own_line_ends() -> None:
    text = "def f(a=[]):\r\n    pass\r\n"
    edits = [replace(text, "[]", "None"), Edit(14, 14, "    a = a or []\n")]
    assert applied(text, edits) == "def f(a=None):\r\n    a = a or []\r\n    pass\r\n"


def test_several_edits_are_one_suggestion_of_the_lines_between() -> None:
    text = "a\nb\nc\nd\ne\n"
    found = suggestion(text, [replace(text, "d", "D"), replace(text, "b", "B")])
    assert found is not None
    assert (found.first_line, found.last_line, found.replacement) == (2, 4, "B\nc\nD")


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [Edit(0, 1, "a")],
        [Edit(0, 3, "x"), Edit(2, 4, "y")],
        [Edit(0, 1, "x"), Edit(60, 61, "y")],
        [Edit(0, 1, "x\n" * 30)],
    ],
)
def test_what_changes_nothing_overlaps_is_far_apart_or_too_long_is_none(edits: list[Edit]) -> None:
    assert suggestion("a\n" * 40, edits) is None


def test_rows_are_counted_as_python_does_and_lines_as_git_does() -> None:
    places = Places("a\rb\nc")
    assert [places.offset(row, 1) for row in (1, 2, 3)] == [0, 2, 4]
    assert [places.line(offset) for offset in (0, 2, 3, 4)] == [1, 1, 1, 2]
    assert (places.offset(0, 0), places.offset(9, 9)) == (0, 5)


TEXT = st.text(alphabet="ab \t\x0c\u00e9\n", max_size=40)


@given(TEXT, st.booleans(), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6), TEXT), min_size=1, max_size=3))
def test_whatever_is_suggested_applies_to_exactly_what_the_tool_meant(
    text: str, crlf: bool, wanted: list[tuple[int, int, str]]
) -> None:
    end = "\r\n" if crlf else "\n"
    text = text.replace("\n", end)
    assume(not crlf or end in text)
    edits, position = [], 0
    for skip, length, new in wanted:
        first = min(position + skip, len(text))
        last = min(first + length, len(text))
        edits.append(Edit(first, last, new))
        position = last + 1
    assume(not any(text[e.last - 1 : e.last + 1] == "\r\n" or text[e.first - 1 : e.first + 1] == "\r\n" for e in edits))
    assume(all(one.last < two.first for one, two in pairwise(edits)))
    found = suggestion(text, edits)
    if found is not None:
        meant = edited(text, [Edit(edit.first, edit.last, edit.text.replace("\n", end)) for edit in edits])
        out = apply_suggestions(text.encode(), [found]).decode()
        assert out.rstrip("\r\n") == meant.rstrip("\r\n")  # a suggestion cannot alter how the file ends
