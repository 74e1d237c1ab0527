"""Fingerprints: a finding that was told is known again, whatever moved; another one is not taken for it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.analysis import Analysis
from review.comments import write_review
from review.dedupe import merged
from review.diff import Diff
from review.finding import Category, Finding, Severity, Side
from review.fingerprint import fingerprinted
from review.marker import Marker
from review.parse_diff import parse_diff
from tests.builders import a_repository
from tests.builders_diff import PROPERTY, a_diff
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

CODE = "def f(a=[]):\n    return a\n\n\ndef g(b=[]):\n    return b\n"
MARKER = Marker(b"k", 1, 1, "main")


def prints(*findings: Finding, text: str = CODE, before: str | None = None, path: str = "app.py") -> list[str]:
    diff = a_diff(path, before, text)
    return [finding.fingerprint for finding in fingerprinted(findings, {path: text.encode()}, diff)]


def model(line: int = 1, last: int | None = None, **changes: Any) -> Finding:
    return a_finding(line=line, last=last, source="openai", rule="some-slug", **changes)


def test_it_is_hex_and_always_the_same() -> None:
    assert prints(a_finding()) == prints(a_finding()) == ["82ea7ed764baf23e756eeefa58513ada"]


@pytest.mark.parametrize("finding", [a_finding(), model()], ids=["analyzer", "model"])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import os\n\n\n" + CODE, 4),
        (CODE.replace("def f(a=[])", "    def f( a = [] )"), 1),
        (CODE.replace("\n", "\r\n"), 1),
        (CODE.replace("return b", "return 17"), 1),
    ],
)
def test_it_survives_what_moves_or_reformats_its_line(finding: Finding, text: str, line: int) -> None:
    moved = a_finding(line=line, source=finding.source, rule=finding.rule)
    assert prints(moved, text=text) == prints(finding)


@pytest.mark.parametrize(
    "other",
    [a_finding(line=5), a_finding(rule="B007"), a_finding(side=Side.LEFT), model(), model(category=Category.SECURITY)],
)
def test_another_finding_has_another(other: Finding) -> None:
    assert prints(other) != prints(a_finding())


def test_altered_code_makes_a_new_finding() -> None:
    assert prints(a_finding(), text=CODE.replace("a=[]", "a={}")) != prints(a_finding())


def test_the_tool_its_words_and_its_grade_do_not_matter() -> None:
    assert prints(a_finding(source="flake8", message="Other.", severity=Severity.LOW, confidence=0.1)) == prints(a_finding())


def test_a_models_slug_and_words_do_not_matter() -> None:
    assert prints(model(message="A")) == prints(a_finding(source="anthropic", rule="other", message="B"))


def test_identical_lines_are_told_apart_by_their_order() -> None:
    text = "try: x()\nexcept: pass\ntry: y()\nexcept: pass\n"
    first, second = prints(a_finding(line=2), a_finding(line=4), text=text)
    assert first != second
    assert prints(a_finding(line=5), a_finding(line=3), text="import os\n" + text) == [second, first]


def test_two_tools_with_one_rule_on_one_line_do_not_count_as_two() -> None:
    assert len(set(prints(a_finding(), a_finding(source="flake8"), a_finding(message="Another argument.")))) == 1


def test_a_renamed_file_keeps_its_findings(tmp_path: Path) -> None:
    code = CODE + "x = 1\n" * 20
    built = a_repository(tmp_path / "r.git", {"old.py": code}, {"old.py": None, "new.py": code + "y = 2\n"})
    (moved,) = fingerprinted([a_finding("new.py")], {"new.py": code.encode()}, parse_diff(built.diff()))
    (stayed,) = prints(a_finding("old.py"), text=code, before="x\n", path="old.py")
    assert moved.fingerprint == stayed


def test_deleted_code_is_known_by_the_lines_that_went(tmp_path: Path) -> None:
    left = a_finding(line=1, side=Side.LEFT)
    whole = prints(left, before=CODE, text=CODE.replace("def f(a=[]):\n", ""))
    above = "import os\n"
    assert prints(a_finding(line=2, side=Side.LEFT), before=above + CODE, text=above) == whole
    assert prints(left, before=CODE.replace("a=[]", "c=[]"), text="x\n") != whole


def test_lines_that_are_not_there_and_odd_bytes_are_no_trouble() -> None:
    diff = Diff()
    odd = [a_finding("gone.py", 5), a_finding(line=0), a_finding(line=900, last=10**9), a_finding(line=9, last=2)]
    assert all(len(f.fingerprint) == 32 for f in fingerprinted(odd, {"app.py": b"caf\xe9\n\0\n"}, diff))


@pytest.mark.parametrize(("line", "last"), [(1, 1), (2, 2), (1, 3), (2, 3)])
def test_a_model_that_says_it_of_a_line_more_or_less_is_known_again(line: int, last: int) -> None:
    text = "total = sum(items)\naverage = total / len(items)\nprint(average)\n"
    (before,) = fingerprinted([model(1, 2)], {"app.py": text.encode()}, a_diff("app.py", None, text))
    (after,) = fingerprinted([model(line, last)], {"app.py": text.encode()}, a_diff("app.py", None, text))
    assert not set(before.fingerprints).isdisjoint(after.fingerprints)


def test_lines_that_say_nothing_do_not_make_two_points_of_a_model_one() -> None:
    text = "if one:\n    first(1)\n}\nif two:\n    second(2)\n}\n"
    one, two = fingerprinted([model(2, 3), model(5, 6)], {"app.py": text.encode()}, a_diff("app.py", None, text))
    assert set(one.fingerprints).isdisjoint(two.fingerprints)


@settings(PROPERTY, max_examples=60)
@given(st.lists(st.sampled_from(["x = 1", "y = 2", "", "  z"]), min_size=1, max_size=12), st.integers(0, 5), st.data())
def test_lines_above_never_matter(lines: list[str], above: int, data: st.DataObject) -> None:
    """However many identical lines there are, and wherever the findings stand."""
    numbers = data.draw(st.lists(st.integers(1, len(lines)), max_size=6))
    text = "\n".join(lines) + "\n"
    findings = [(a_finding if number % 2 else model)(line=number) for number in numbers]
    shifted = [(a_finding if number % 2 else model)(line=number + above) for number in numbers]
    assert prints(*findings, text=text) == prints(*shifted, text="import os\n" * above + text)


# From push to push: fingerprints, dedupe and the review together.


def push(findings: list[Finding], told: set[str], text: str = CODE) -> list[str]:
    """One head's review: gives the messages that it says, and remembers them in `told`."""
    diff = a_diff("app.py", None, text)
    kept, _ = merged(fingerprinted(findings, {"app.py": text.encode()}, diff))
    review = write_review(Analysis("a" * 40, tuple(kept)), diff, MARKER, told=told)
    if review is None:
        return []
    told.update(review.fingerprints)
    return [f.message for f in kept if f.fingerprint in {comment.fingerprint for comment in review.comments}]


def test_whichever_twin_is_kept_the_point_is_made_once() -> None:
    tool, said = a_finding(severity=Severity.HIGH, message="tool"), model(message="model")
    for first in ([tool, said], [said, tool], [tool]):
        told: set[str] = set()
        assert push(first, told) == ["tool"]
        assert push([tool, model(severity=Severity.CRITICAL, message="model")], told) == []
    told = set()
    assert push([tool, said], told) == ["tool"]
    assert push([said], told) == []


def test_a_second_identical_mistake_is_new() -> None:
    told: set[str] = set()
    assert push([a_finding(message="one")], told) == ["one"]
    both = CODE + CODE
    assert push([a_finding(message="one"), a_finding(line=7, message="two")], told, both) == ["two"]


def test_a_mistake_that_was_mended_and_made_again_is_not_said_again() -> None:
    told: set[str] = set()
    assert push([a_finding(message="one")], told) == ["one"]
    assert push([], told, CODE.replace("a=[]", "a=None")) == []
    assert push([a_finding(message="one")], told) == []
