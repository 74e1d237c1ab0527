"""Suggestions: one that breaks code, lands elsewhere or does something else than it shows is never published."""

from dataclasses import replace
from typing import Any

import pytest

from review.finding import Severity, Side, Suggestion, Verdict
from review.suggestions.patch import apply_suggestions
from review.verify import TAKEN, TOGETHER, verify_all
from tests.builders_diff import a_diff
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

CODE = """\
import os


def total(items, start=0):
    result = start
    for item in items:
        if item is None:
            continue
        result += item.price
    return result


class Basket:
    def add(self, item):
        self.items.append(item)
        return self
"""


def one(suggestion: Suggestion, text: str | bytes = CODE, path: str = "app.py", **finding: Any) -> Suggestion:
    """What becomes of that suggestion in a new file of that text; its finding is about the same lines unless told."""
    return verified([suggestion], text, path, **finding)[0]


def verified(suggestions: list[Suggestion], text: str | bytes = CODE, path: str = "app.py", **finding: Any) -> list[Suggestion]:
    data = text.encode() if isinstance(text, str) else text
    places = [{"line": s.first_line, "last": s.last_line} | finding for s in suggestions]
    findings = [a_finding(path, suggestion=s, **place) for s, place in zip(suggestions, places, strict=True)]
    done = verify_all(findings, {path: data}, a_diff(path, None, data))
    assert [replace(f, suggestion=None) for f in done] == [replace(f, suggestion=None) for f in findings]
    return [finding.suggestion for finding in done if finding.suggestion]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_verified_suggestion_knows_the_lines_that_it_replaces(end: str) -> None:
    text = CODE.replace("\n", end)
    opening = "def total(items, start=0):\n    result = start\n"
    assert one(Suggestion(4, 5, "def total(items):\n    result = 0"), text).replaced == opening


def after(suggestion: Suggestion, text: str | bytes = CODE) -> str:
    assert suggestion.verdict is Verdict.VERIFIED, suggestion.because
    return apply_suggestions(text.encode() if isinstance(text, str) else text, [suggestion]).decode()


@pytest.mark.parametrize(
    ("suggestion", "old", "new"),
    [
        (Suggestion(5, 5, "    result = start or 0"), "    result = start\n", "    result = start or 0\n"),
        (Suggestion(7, 8, "        if not item:\n            continue"), "item is None:", "not item:"),
        (Suggestion(1, 1, ""), "import os\n", ""),
        (
            Suggestion(9, 9, "        result += item.price\n        print(result)"),
            "item.price\n",
            "item.price\n        print(result)\n",
        ),
        (Suggestion(16, 16, "        return item"), "return self", "return item"),
    ],
)
def test_a_sound_suggestion_is_applied_as_written(suggestion: Suggestion, old: str, new: str) -> None:
    assert after(one(suggestion)) == CODE.replace(old, new)


@pytest.mark.parametrize(
    ("replacement", "lines"),
    [
        ("result = start or 0", "    result = start or 0\n"),
        ("```python\nresult = start or 0\n```", "    result = start or 0\n"),
        ("    result = start or 0\n", "    result = start or 0\n"),
        ("    result = start or 0\r\n", "    result = start or 0\n"),
        ("\tresult = start or 0", "    result = start or 0\n"),
        ("result = start\nresult += 0", "    result = start\n    result += 0\n"),
        ("result = (\n    start\n)", "    result = (\n        start\n    )\n"),
    ],
)
def test_a_lost_layout_is_mended_where_there_is_one_way(replacement: str, lines: str) -> None:
    assert after(one(Suggestion(5, 5, replacement))) == CODE.replace("    result = start\n", lines)


@pytest.mark.parametrize(
    ("suggestion", "because"),
    [
        (Suggestion(5, 5, "    result = (start"), "the file would no longer parse"),
        (Suggestion(7, 7, "        if not item:\n            pass\n        else:"), ""),
        (Suggestion(8, 8, ""), "the file would no longer parse"),
        (Suggestion(5, 5, "    result = start"), "it changes nothing"),
        (Suggestion(5, 5, "    # ... rest of the code"), "it leaves out code (an ellipsis in place of lines)"),
        (Suggestion(5, 5, "You should use a generator here instead."), "it is prose, not code"),
        (Suggestion(5, 5, "-    result = start\n+    result = 1"), "it is written as a diff"),
        (Suggestion(5, 5, "5: result = 1"), "its lines carry numbers"),
        (Suggestion(5, 5, "    result = 1\n    for item in items:"), "it repeats the lines after it"),
        (Suggestion(6, 6, "    result = start\n    for item in list(items):"), "it repeats the lines before it"),
        (Suggestion(5, 5, "    result = '\u202e'"), "it brings in invisible or control characters"),
        (Suggestion(5, 5, "    result = '\0'"), "it holds characters that a comment cannot carry"),
        (Suggestion(5, 5, "    result = 1\r    x = 2"), "it holds characters that a comment cannot carry"),
        (Suggestion(5, 5, "    result = '\ud800'"), "it holds characters that a comment cannot carry"),
        (Suggestion(5, 5, "    x = 1\n" * 101), "it is longer than 100 lines"),
        (Suggestion(0, 5, "x"), "lines 0 to 5 are not part of this diff"),
        (Suggestion(6, 5, "x"), "the file has no lines 6 to 5"),
        (Suggestion(16, 17, "        return item"), "lines 16 to 17 are not part of this diff"),
        (Suggestion(5, 5, "\n"), "it is nothing but empty lines"),
        (Suggestion(5, 5, "\r"), "it is nothing but empty lines"),
    ],
)
def test_what_is_not_sound_is_refused_with_its_reason(suggestion: Suggestion, because: str) -> None:
    result = one(suggestion)
    assert (result.because, result.verdict) == (because, Verdict.REFUSED if because else Verdict.VERIFIED)


def test_a_suggestion_on_lines_outside_the_diff_or_over_two_hunks_is_refused() -> None:
    before = "".join(f"x{n} = {n}\n" for n in range(40))
    text = before.replace("x5 = 5", "x5 = 55").replace("x30 = 30", "x30 = 3")
    for first, last, said in ((20, 20, "line 20 is not part of this diff"), (6, 31, "lines 6 to 31 are not part of this diff")):
        finding = a_finding(line=first, last=last, suggestion=Suggestion(first, last, "y = 1"))
        (done,) = verify_all([finding], {"app.py": text.encode()}, a_diff("app.py", before, text))
        assert done.suggestion and done.suggestion.because == said


def test_a_suggestion_far_from_its_finding_or_for_deleted_code_is_refused() -> None:
    fix = Suggestion(1, 1, "import sys")
    assert one(fix, line=4, last=4).verdict is Verdict.VERIFIED
    assert one(fix, line=9, last=9).because == "it changes lines far from those that the comment speaks of"
    assert one(fix, side=Side.LEFT).because == "a suggestion cannot replace deleted lines"


def test_a_file_that_was_not_read_or_that_the_diff_does_not_show_gets_none() -> None:
    finding = a_finding(line=5, suggestion=Suggestion(5, 5, "    result = 1"))
    for head, said in (
        ({}, "this file was not read"),
        ({"app.py": CODE.replace("start", "begin").encode()}, "the diff shows other lines than the file has"),
        ({"app.py": b"import os\n"}, "the diff shows other lines than the file has"),
    ):
        (done,) = verify_all([finding], head, a_diff("app.py", None, CODE))
        assert done.suggestion and done.suggestion.because == said
    (done,) = verify_all([finding], {"app.py": CODE.encode()}, a_diff("other.py", None, CODE))
    assert done.suggestion and done.suggestion.because == "this file was not read"


def test_two_suggestions_never_replace_one_line_and_the_most_severe_stays() -> None:
    mild = a_finding(line=5, last=6, suggestion=Suggestion(5, 6, "    result = 0\n    for item in list(items):"))
    grave = a_finding(line=5, severity=Severity.HIGH, suggestion=Suggestion(5, 5, "    result = 0"))
    for order in ([mild, grave], [grave, mild]):
        done = {f.severity: f.suggestion for f in verify_all(order, {"app.py": CODE.encode()}, a_diff("app.py", None, CODE))}
        assert done[Severity.HIGH] and done[Severity.HIGH].verdict is Verdict.VERIFIED
        assert done[Severity.MEDIUM] and done[Severity.MEDIUM].because == TAKEN


def test_the_same_finding_twice_shows_its_suggestion_once() -> None:
    fix = Suggestion(5, 5, "    result = 0")
    assert [s.because for s in verified([fix, fix])] == ["", TAKEN]


def test_suggestions_that_break_the_file_only_together_are_not_all_shown() -> None:
    text = "def f():\n    a = 1\n    b = 2\n\n\ndef g():\n    return 1\n"
    gone = [Suggestion(2, 2, ""), Suggestion(3, 3, ""), Suggestion(7, 7, "    return 2")]
    assert [s.because for s in verified(gone, text)] == ["", TOGETHER, ""]


@pytest.mark.parametrize("path", ["app.py", "app.txt"])
@pytest.mark.parametrize("replacement", ["B\nC", "B\r\nC", "B\nC\n", "B\r\nC\r\n"])
def test_crlf_is_kept_whichever_ends_a_model_wrote(replacement: str, path: str) -> None:
    text = b"A\r\nb\r\nD\r\n"
    done = one(Suggestion(2, 2, replacement), text, path)
    assert after(done, text) == "A\r\nB\r\nC\r\nD\r\n"
    assert done.replacement == "B\r\nC\r"


def test_a_file_with_both_line_ends_gets_no_suggestion() -> None:
    assert one(Suggestion(2, 2, "B"), b"a\r\nb\nc\r\n").because == "the file mixes two kinds of line ends"


def test_the_end_of_the_file_stays_as_it_is() -> None:
    for text in (b"a\nb", b"a\r\nb"):
        end = "\r\n" if b"\r" in text else "\n"
        assert after(one(Suggestion(2, 2, "B\nC"), text), text) == f"a{end}B{end}C"
        assert "last line" in one(Suggestion(2, 2, ""), text).because
    assert after(one(Suggestion(2, 2, "B\nC"), b"a\nb\n"), b"a\nb\n") == "a\nB\nC\n"


def test_what_is_not_utf8_or_begins_with_a_mark_is_left_alone() -> None:
    assert one(Suggestion(1, 1, "x"), b"caf\xe9\n", "a.txt").because == "the file is not UTF-8"
    marked = b"\xef\xbb\xbfa = 1\nb = 2\n"
    assert (
        one(Suggestion(1, 1, "a = 2"), marked).because == "the file begins with a byte order mark, which a comment cannot carry"
    )
    assert after(one(Suggestion(2, 2, "b = 3"), marked), marked) == "\ufeffa = 1\nb = 3\n"


def test_an_indentation_that_can_be_read_in_two_ways_is_refused_unless_it_says_the_same() -> None:
    text = "  a: 1\n  b: 2\nc:\n"
    assert one(Suggestion(1, 1, "a: 1\nb: 3"), text, "notes.unknown").because == "its indentation can be read in two ways"
    code = "def f():\n    x = g(\n        1)\n"
    assert one(Suggestion(2, 3, "x = g(\n        2)"), code).verdict is Verdict.VERIFIED


def test_a_broken_file_may_only_be_mended() -> None:
    text = "def f(:\n    pass\n"
    assert after(one(Suggestion(1, 1, "def f():"), text), text) == "def f():\n    pass\n"
    assert one(Suggestion(2, 2, "    return 1"), text).because == "the file does not parse as it is, and this would not mend it"


@pytest.mark.parametrize(
    ("path", "text", "good", "bad"),
    [
        ("a.json", '{\n  "a": 1\n}\n', '  "a": 2', '  "a": 2,'),
        ("a.yml", "a:\n  - 1\n  - 2\n", "  - 3", "  - [3"),
        ("a.toml", "a = 1\nb = 2\n", "b = 3", "a = 3"),
        ("a.js", "f(\n  1,\n)\n", "  2,", "  2, )"),
        ("a.ts", "const a: X = {\n  b: 1,\n};\n", "  b: 2,", "  b: {,"),
        ("a.go", "package a\nvar b = 1\n", "var b = 2", "var b = ("),
    ],
)
def test_other_languages_are_parsed_too(path: str, text: str, good: str, bad: str) -> None:
    assert one(Suggestion(2, 2, good), text, path).verdict is Verdict.VERIFIED
    assert one(Suggestion(2, 2, bad), text, path).because == "the file would no longer parse"
