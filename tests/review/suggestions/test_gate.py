"""The gate: what a replacement's own text gives away, and what it must not be taken for."""

from time import perf_counter

import pytest

from review.finding import Suggestion
from review.suggestions.gate import why_unfit
from review.suggestions.patch import Patch, lay

pytestmark = pytest.mark.unit

CODE = "def f(a):\n    b = a - 1\n    return b\n\n\ndef g(c):\n    return c\n"


def unfit(replacement: str, first: int = 2, last: int = 2, text: str = CODE, path: str = "app.py") -> str:
    patch = lay(path, text.encode(), Suggestion(first, last, replacement))
    assert isinstance(patch, Patch), patch
    return why_unfit(patch)


@pytest.mark.parametrize(
    "fine",
    [
        "    b = a + 1",
        "    b = -1\n    b += a",
        "    # the rest of the tree is read later",
        "    b = a - 1  # existing callers rely on it",
        "    b = [*a, ...]",
        "    b = a\n    c = b",
        "",
        "    print('…')",
        "    # See the existing implementation of `g` for why this is an int.",
    ],
)
def test_code_passes(fine: str) -> None:
    assert unfit(fine) == ""


@pytest.mark.parametrize(
    "elided",
    [
        "# ...", "# … rest of the code …", "# ... existing code ...", "# existing code here", "# rest of the function",
        "/* ... */", "// ... rest of the code", "# unchanged", "# remaining code stays the same", "# your code here",
        "<!-- existing content -->", "{/* ... other props ... */}", "-- rest of the file", "# other methods...",
        "# (rest of the code remains unchanged)",
    ],
)  # fmt: skip
def test_an_ellipsis_in_place_of_code_is_seen(elided: str) -> None:
    assert unfit(f"    {elided}") == "it leaves out code (an ellipsis in place of lines)"


def test_a_hostile_comment_is_judged_at_once() -> None:
    for words in ("rest " * 1_900, "..." * 3_000, " " * 9_000 + "x", "existing " * 1_000):
        started = perf_counter()
        assert unfit(f"    # {words}.") == ""
        assert perf_counter() - started < 0.5


def test_an_ellipsis_that_the_file_has_stays() -> None:
    text = "x = 1\n# ... rest of the code\ny = 2\n"
    assert unfit("x = 2\n# ... rest of the code", 1, 2, text) == ""


def test_advice_is_not_code_except_in_prose() -> None:
    said = "Consider using a dictionary here instead."
    assert unfit(said) == "it is prose, not code"
    assert unfit(said, 1, 1, "Use a list here for now.\n", "README.md") == ""
    assert unfit(said, 1, 1, "Old words stood in this file.\n", "notes.py") == ""
    assert unfit(said, 1, 1, "flask==3.0\n", "requirements/dev.txt") == "it is prose, not code"
    assert unfit(said, 1, 1, "project(x)\n", "CMakeLists.txt") == "it is prose, not code"


def test_markdown_and_curly_quotation_marks_are_for_prose() -> None:
    fenced = "Use this:\n```\nb: 2\n```"
    assert unfit(fenced, 1, 1, "b: 1\n", "a.scss") == "it holds a Markdown fence"
    assert unfit(fenced, 1, 1, "b: 1\n", "README.md") == ""
    assert unfit("```sh\nb\n```", 1, 3, "```\nb\n```\n", "a.py") == ""
    assert unfit("x = \u201ca\u201d;", 1, 1, 'x = "b";\n', "a.ts") == "it turns straight quotation marks into curly ones"
    assert unfit('x = "\u201ca\u201d";', 1, 1, 'x = "a";\n', "a.ts") == ""
    assert unfit("\u201ca\u201d", 1, 1, '"b"\n', "README.md") == ""


@pytest.mark.parametrize(
    "diff", ["-    b = a - 1\n+    b = 1", "+    b = 1", "    def f(a):\n-    b = a - 1\n+    b = 1\n     return b", "- b"]
)
def test_a_diff_is_seen_even_after_its_indentation_was_mended(diff: str) -> None:
    assert unfit(diff) == "it is written as a diff"
    assert unfit("    " + diff.replace("\n", "\n    ")) == "it is written as a diff"


def test_a_diff_of_lines_that_begin_with_a_sign_themselves_is_seen() -> None:
    assert unfit("-  - a\n+  - b", 2, 2, "x:\n  - a\n", "a.yml") == "it is written as a diff"
    assert unfit("+  - b", 2, 2, "x:\n  - a\n", "a.yml") == "it is written as a diff"
    assert unfit("-- a\n+- b", 1, 1, "- a\n", "a.md") == "it is written as a diff"
    assert unfit("* a\n+ b", 1, 1, "* a\n", "a.md") == ""


def test_what_begins_with_a_sign_in_the_file_may_do_so_afterwards() -> None:
    assert unfit("  - b\n  - c", 2, 2, "x:\n  - a\n", "a.yml") == ""
    assert unfit("--i;", 1, 1, "i = i - 1;\n", "a.c") == ""


def test_line_numbers_are_seen() -> None:
    assert unfit("2:     b = 1") == unfit("2 | b = 1\n3 | c = 2") == "its lines carry numbers"
    assert unfit("1: one\n2: two", 2, 2, "x\ny\n", "a.yml") == ""


def test_tabs_and_spaces_are_not_mixed() -> None:
    assert unfit("\tb = 1") == "it indents with tabs where the file uses spaces"
    tabs = CODE.replace("    ", "\t")
    assert unfit("    b = 1", text=tabs) == "it indents with spaces where the file uses tabs"
    assert unfit("\t/*\n\t * b\n */", text="\t/*\n\t * a\n\t */\n\tx\n", first=1, last=3, path="a.c") == ""


@pytest.mark.parametrize(
    ("replacement", "because"),
    [
        ("    b = 1\n    return b", "it repeats the lines after it"),
        ("    b = 1\n    return b\n", "it repeats the lines after it"),
        ("def f(a):\n    b = 1", "it repeats the lines before it"),
        ("def f(a):\n    b = 1\n    return b", "it repeats the lines before it"),
        ("    b = 1\n    return b  ", "it repeats the lines after it"),
    ],
)
def test_neighbours_that_came_along_are_seen(replacement: str, because: str) -> None:
    assert unfit(replacement) == because


def test_a_neighbour_that_was_moved_together_with_the_code_is_seen() -> None:
    assert unfit("    def f(a):\n        b = a + 1") == ""  # too little to be sure: it is for the parser to refuse
    text = CODE.replace("f(a)", "halved(amount)")
    assert unfit("    def halved(amount):\n        b = a + 1", text=text) == "it repeats the lines before it"
    text = "first:\n  settings: 1\nsecond_settings: 2\n"
    assert unfit("  settings: 3\n  second_settings: 2", 2, 2, text, "a.yml") == "it repeats the lines after it"


def test_a_bracket_may_close_at_another_depth() -> None:
    assert unfit("  if (x) {\n    f();\n  }", 2, 2, "{\n  f(x);\n}\n", "a.js") == ""


def test_a_repetition_that_was_there_before_is_none() -> None:
    text = "f(1)\nf(1)\nf(2)\n"
    assert unfit("f(1)", 2, 2, text) == "it changes nothing"
    assert unfit("f(3)\nf(1)", 1, 1, "f(0)\nf(1)\n") == "it repeats the lines after it"
    assert unfit("g(0)\nf(1)", 1, 2, "f(0)\nf(1)\nf(1)\n") == ""


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\u2066", "\ufeff", "\x1b", "\x07", "\ufffd", "\ue000", "\u2028", "\u00a0", "\x7f", "\x0c"]
)
def test_hidden_characters_may_stay_but_not_come(hidden: str) -> None:
    assert unfit(f"    b = '{hidden}'") == "it brings in invisible or control characters"
    assert unfit(f"    c = '{hidden}'", 1, 1, f"    b = '{hidden}'\n") == ""
    assert unfit("    b = 'é日🦊'") == ""


def test_sizes_that_nobody_reads() -> None:
    assert unfit("    b = 1\n" * 100 + "    b = 2") == "it is longer than 100 lines"
    assert unfit("    b = '" + "é" * 5_000 + "'") == "it is larger than 10 KB"
    long = "x\n" * 101
    assert unfit("y", 1, 101, long + "z\n") == "it is longer than 100 lines"


def test_what_cannot_be_said_in_a_block_or_changes_nothing() -> None:
    assert unfit("\n") == unfit("  ") == "it is nothing but empty lines"
    assert unfit("", 1, 7) == "it deletes all that the file holds"
    assert unfit("", 2, 2, "a\nb") == "it deletes the last line, whose missing line end would move to the line before it"
    assert unfit("    b = a - 1") == "it changes nothing"
    assert unfit("x\n\n", 2, 2, "a\nb") == "it would give the file's last line an end, which it does not have"
    assert unfit("x\n", 2, 2, "a\nb") == "it would give the file's last line an end, which it does not have"


@pytest.mark.parametrize("character", [*"\u3164\uffa0\u115f\u2800\u034f\ufe0f\u200b\u202e\u00ad", chr(0xE0101), chr(0xE0041)])
def test_nothing_that_shows_nothing_is_brought_in(character: str) -> None:
    assert unfit(f"    b = a{character} - 2") == "it brings in invisible or control characters"
    there = f"def f(a):\n    b = a{character} - 1\n"
    assert unfit(f"    b = a{character} - 2", text=there) == ""


def test_a_word_that_only_looks_like_another_is_not_brought_in() -> None:
    assert unfit("    b = \u0430b(a)") == "it brings in a word of Latin and Cyrillic letters, which look alike"
    assert unfit("    b = '\u0434\u0430'") == ""


def test_a_mark_of_ours_is_not_brought_in() -> None:
    assert unfit("    b = '<!-- refactoriq:updated -->'") == "it holds what looks like a mark of this app"
