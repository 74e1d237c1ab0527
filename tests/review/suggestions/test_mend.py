"""The layout of a replacement is mended where there is one way, and shown in its readings where there are two."""

import pytest

from review.finding import Suggestion
from review.suggestions.mend import indent, indents_with, likeliest, mended
from review.suggestions.patch import Patch, lay

pytestmark = pytest.mark.unit

SPACES = "def f():\n    if a:\n        b()\n        c()\n    return 1\n"
TABS = SPACES.replace("    ", "\t")


def a_patch(replacement: str, first: int = 2, last: int = 4, text: str = SPACES, path: str = "f.py") -> Patch:
    patch = lay(path, text.encode(), Suggestion(first, last, replacement))
    assert isinstance(patch, Patch), patch
    return patch


def readings(replacement: str, first: int = 2, last: int = 4, text: str = SPACES, path: str = "f.py") -> list[str]:
    return ["\n".join(patch.new) for patch in mended(a_patch(replacement, first, last, text, path))]


def test_a_plain_replacement_is_left_as_it_is() -> None:
    for plain in ("    if a:\n        c()", "    x", "", "    if a:\n\n        c()  "):
        assert readings(plain) == [plain]


@pytest.mark.parametrize("fence", ["```", "```python", "```c++", "``` "])
def test_a_fence_around_the_code_goes(fence: str) -> None:
    assert readings(f"{fence}\n    x\n    y\n```") == ["    x\n    y"]
    assert readings(f"{fence}\n    x\n```\n", 2, 4, SPACES) == ["    x"]


def test_a_fence_that_is_the_files_own_stays() -> None:
    text = "Words.\n```\nold\n```\n"
    assert readings("```\nnew\n```", 2, 4, text) == ["```\nnew\n```"]


def test_one_empty_last_line_goes_unless_it_replaces_one() -> None:
    assert readings("    x\n") == ["    x"]
    assert readings("    x\n\n") == ["    x\n"]
    assert readings("y\n", 1, 2, "x\n\nz\n") == ["y\n"]
    assert readings("\n") == ["\n"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("    if a:\n        c()", "\tif a:\n\t\tc()"),
        ("  if a:\n    c()", "\tif a:\n\t\tc()"),
        ("        if a:\n            c()", "        if a:\n            c()"),
        ("\tif a:\n\t\tc()", "\tif a:\n\t\tc()"),
    ],
)
def test_spaces_become_the_files_tabs_where_their_number_is_beyond_doubt(given: str, wanted: str) -> None:
    assert readings(given, text=TABS) == [wanted]


def test_tabs_become_the_files_spaces() -> None:
    assert readings("\tif a:\n\t\tc()") == ["    if a:\n        c()"]
    assert readings(" \tif a:") == [" \tif a:"]
    assert readings("\t\tc(1)", 3, 3, SPACES + "  # by two\n") == ["        c(1)"]


def test_a_lost_indentation_has_two_readings_unless_they_are_the_same() -> None:
    assert readings("if a:\n    c()") == ["    if a:\n        c()", "    if a:\n    c()"]
    assert readings("x") == ["    x"]
    assert readings("x\n\n    y") == ["    x\n\n        y", "    x\n\n    y"]
    assert readings("x", 1, 1) == ["x"]


def test_a_block_that_was_moved_left_as_a_whole_goes_back_even_where_its_first_line_is_not_the_outermost() -> None:
    moved = "        b()\n        d()\n    return 2"
    assert readings("    b()\n    d()\nreturn 2", 3, 5) == [moved, "    b()\n    d()\nreturn 2"]
    found = likeliest(mended(a_patch("    b()\n    d()\nreturn 2", 3, 5)))
    assert found is not None
    assert "\n".join(found.new) == moved
    assert readings("        c()\n\n\ndef g():\n    pass", 4, 4) == ["        c()\n\n\ndef g():\n    pass"]


def test_one_line_for_another_keeps_its_place_where_that_means_nothing() -> None:
    assert readings("  y", 3, 3, path="f.js") == ["        y"]
    assert readings("  y", 3, 3, path="f.py") == ["  y"]
    assert readings("  if (x) {\n    y", 3, 3, path="f.js") == ["  if (x) {\n    y"]


def test_where_the_old_lines_stand_further_left_only_the_first_was_stripped() -> None:
    assert readings("c()\nreturn 2", 4, 5) == ["        c()\nreturn 2"]


@pytest.mark.parametrize(
    ("replacement", "first", "last", "chosen"),
    [
        ("if a:\n    b()\n    c()", 2, 4, "    if a:\n        b()\n        c()"),
        ("b()\nd()", 3, 4, "        b()\n        d()"),
        ("if z:\n            c()", 3, 4, None),
        ("x = [\n    1,\n]", 5, 5, "    x = [\n        1,\n    ]"),
        ("if a:\n    b()", 5, 5, None),
        ("x", 5, 5, "    x"),
    ],
)
def test_the_likeliest_ends_where_the_old_code_ended(replacement: str, first: int, last: int, chosen: str | None) -> None:
    found = likeliest(mended(a_patch(replacement, first, last)))
    assert (None if found is None else "\n".join(found.new)) == chosen


def test_nothing_to_choose_from() -> None:
    assert likeliest([]) is None


def test_what_a_file_indents_with() -> None:
    assert indents_with(a_patch("x")) == " "
    assert indents_with(a_patch("x", text=TABS)) == "\t"
    assert indents_with(a_patch("x", 1, 1)) == " "
    assert indents_with(a_patch("x", 1, 1, "a\n")) == ""
    assert indents_with(a_patch("x", 1, 1, "a\n\tb\n  c\n")) == ""
    assert [indent(line) for line in ("  a", "\t b", "c", "", "\u00a0d")] == ["  ", "\t ", "", "", ""]
