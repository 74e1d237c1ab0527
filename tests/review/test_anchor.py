"""Anchors: every comment hangs where GitHub takes it, or its finding says why it hangs nowhere."""

from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.anchor import Anchor, Unanchored, anchor
from review.diff import Diff
from review.finding import Finding, Side, Suggestion, Verdict
from review.parse_diff import parse_diff
from tests.builders import BuiltRepository, Executable, Submodule, Symlink, a_repository
from tests.builders_diff import PROPERTY, a_diff, edited_texts
from tests.builders_review import a_finding
from tests.sandbox.anchors import Place, Unplaced, place

pytestmark = pytest.mark.integration

LEFT, RIGHT = Side.LEFT, Side.RIGHT
TWENTY = [f"line {number}" for number in range(1, 21)]


def lines(*changed: tuple[int, str | None], extra: str = "") -> str:
    """Twenty lines, those altered or (None) deleted."""
    altered = dict(changed)
    kept = [altered.get(number, line) for number, line in enumerate(TWENTY, 1)]
    return "".join(f"{line}\n" for line in kept if line is not None) + extra


def because(finding: Finding, diff: Diff) -> str:
    spot = anchor(finding, diff)
    assert isinstance(spot, Unanchored)
    assert spot.finding == finding
    return spot.because


def test_a_finding_on_an_added_line_hangs_there() -> None:
    diff = a_diff("app.py", lines(), lines((5, "new")))
    assert anchor(a_finding(line=5), diff) == Anchor("app.py", 5)


def test_a_finding_on_a_deleted_line_hangs_on_the_left_side() -> None:
    diff = a_diff("app.py", lines(), lines((5, None)))
    assert anchor(a_finding(line=5, side=LEFT), diff) == Anchor("app.py", 5, LEFT)


def test_several_lines_have_a_start() -> None:
    diff = a_diff("app.py", lines(), lines((5, "a"), (6, "b"), (7, "c")))
    assert anchor(a_finding(line=5, last=7), diff) == Anchor("app.py", 7, start_line=5)
    assert anchor(a_finding(line=5, last=7, side=LEFT), diff) == Anchor("app.py", 7, LEFT, 5)


def test_a_range_that_leaves_its_hunk_is_cut_to_it() -> None:
    diff = a_diff("app.py", lines(), lines((5, "new")))
    assert anchor(a_finding(line=1, last=20), diff) == Anchor("app.py", 8, start_line=2)
    assert anchor(a_finding(line=8, last=20), diff) == Anchor("app.py", 8)


def test_a_range_over_two_hunks_hangs_where_more_was_altered() -> None:
    diff = a_diff("app.py", lines(), lines((3, "x"), (17, "y"), (18, "z")))
    assert anchor(a_finding(line=1, last=20), diff) == Anchor("app.py", 20, start_line=14)


def test_a_range_written_backwards_is_turned_round() -> None:
    diff = a_diff("app.py", lines(), lines((5, "new"), (6, "new")))
    assert anchor(a_finding(line=6, last=5), diff) == Anchor("app.py", 6, start_line=5)


def test_a_line_outside_of_every_hunk_is_named() -> None:
    diff = a_diff("app.py", lines(), lines((5, "new")))
    assert because(a_finding(line=15), diff) == "line 15 is not part of this diff"
    assert because(a_finding(line=15, last=17), diff) == "lines 15 to 17 are not part of this diff"
    for line in (0, -3, 9999):
        assert "not part of this diff" in because(a_finding(line=line), diff)


def test_a_line_that_stays_is_never_commented_on_the_left() -> None:
    diff = a_diff("app.py", lines(), lines((5, None)))
    assert anchor(a_finding(line=7, side=LEFT), diff) == Anchor("app.py", 6, RIGHT)


def test_deleted_code_may_be_named_by_the_path_that_it_had(tmp_path: Path) -> None:
    base, head = lines(), lines((5, None))
    diff = parse_diff(a_repository(tmp_path / "r.git", {"old.py": base}, {"old.py": None, "new.py": head}).diff())
    for path in ("old.py", "new.py"):
        assert anchor(a_finding(path, 5, side=LEFT), diff) == Anchor("new.py", 5, LEFT)
    assert because(a_finding("old.py", 5), diff) == "this file is not part of the diff"


def test_a_verified_suggestion_is_covered_exactly() -> None:
    diff = a_diff("app.py", lines(), lines((5, "new")))
    fix = Suggestion(3, 6, "x", Verdict.VERIFIED)
    assert anchor(a_finding(line=5, suggestion=fix), diff) == Anchor("app.py", 6, start_line=3)
    refused = Suggestion(3, 6, "x", Verdict.REFUSED)
    assert anchor(a_finding(line=5, suggestion=refused), diff) == Anchor("app.py", 5)
    beyond = Suggestion(5, 9, "x", Verdict.VERIFIED)
    assert because(a_finding(line=5, suggestion=beyond), diff) == "lines 5 to 9 are not part of this diff"


def test_what_has_no_lines_says_so(tmp_path: Path) -> None:
    base: dict[str, Any] = {"b": b"\0", "l": Symlink("x"), "s": Submodule("1" * 40), "m": "x\n", "t": "x\n", "d": "x\n"}
    head = base | {"b": b"\0\1", "l": Symlink("y"), "s": Submodule("2" * 40), "m": Executable("x\n"), "t": Symlink("x")}
    head |= {"d": None, "e": ""}
    diff = parse_diff(a_repository(tmp_path / "r.git", base, head).diff())
    said = {path: because(a_finding(path, 1), diff) for path in "blsmtde"}
    assert said == {
        "b": "a binary file has no lines to comment on",
        "l": "a symbolic link has no lines to comment on",
        "s": "a submodule has no lines to comment on",
        "m": "the change alters no line of this file",
        "t": "a symbolic link has no lines to comment on",
        "d": "the change deletes this file",
        "e": "the change alters no line of this file",
    }
    assert because(a_finding("nowhere", 1), diff) == "this file is not part of the diff"
    assert anchor(a_finding("d", 1, side=LEFT), diff) == Anchor("d", 1, LEFT)


def test_a_name_that_is_not_utf8_cannot_be_named_to_github(tmp_path: Path) -> None:
    diff = parse_diff(a_repository(tmp_path / "r.git", {}, {"caf\udce9.py": "x\n"}).diff())
    assert because(a_finding("caf\udce9.py", 1), diff) == "the file's name is not UTF-8, and GitHub's API cannot name it"


def test_a_file_whose_diff_github_does_not_show_takes_no_comment(tmp_path: Path) -> None:
    """One such comment would cost the whole review."""
    base = {"many": "a\n", "long": "a\n", "edge": "a\n"}
    head = {"many": "a\n" + "b\n" * 20_005, "long": "é" * 257_000 + "\n", "edge": "a\n" + "b\n" * 19_990}
    built = a_repository(tmp_path / "r.git", base, head)
    diff = parse_diff(built.diff())
    for path in ("many", "long"):
        assert because(a_finding(path, 1), diff) == "its diff is too large for GitHub to take comments on"
        with pytest.raises(Unplaced):
            accepted(built, Anchor(path, 1))
    spot = anchor(a_finding("edge", 5), diff)
    assert isinstance(spot, Anchor)
    assert accepted(built, spot).end.right == 5


def accepted(built: BuiltRepository, spot: Anchor) -> Place:
    """What the sandbox's GitHub makes of it; raises Unplaced where it refuses."""
    pull: Any = SimpleNamespace(repository=SimpleNamespace(path=built.path), base_tip=built.base)
    given = {"path": spot.path, "line": spot.line, "side": spot.side.value}
    if spot.start_line is not None:
        given |= {"start_line": spot.start_line, "start_side": spot.side.value}
    return place(pull, built.head, given)


@settings(PROPERTY, max_examples=12)
@given(st.lists(edited_texts(), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_github_takes_every_anchor(edits: list[tuple[str, str]], random: Any) -> None:
    """Findings and suggestions anywhere, sensible or not, on what real git says of random edits."""
    base = {f"f{number}": before for number, (before, _) in enumerate(edits)}
    head = {f"f{number}": after for number, (_, after) in enumerate(edits)}
    with TemporaryDirectory() as folder:
        built = a_repository(Path(folder) / "r.git", base, head)
        diff = parse_diff(built.diff())
        for path, before in base.items():
            bottom = max(before.count("\n"), head[path].count("\n")) + 2
            for first in range(bottom):
                last = min(first + random.choice([0, 0, 1, 3, 20]), bottom)
                fix = Suggestion(random.randint(first, last), last, "x", Verdict.VERIFIED) if random.random() < 0.3 else None
                for side in Side:
                    check(built, diff, a_finding(path, first, last, side, suggestion=fix))


def check(built: BuiltRepository, diff: Diff, finding: Finding) -> None:
    spot = anchor(finding, diff)
    if isinstance(spot, Unanchored):
        assert_really_outside(finding, diff)
        return
    taken = accepted(built, spot)
    assert taken.end.number(spot.side) == spot.line
    if finding.suggestion is not None:
        assert (spot.side, spot.start_line or spot.line, spot.line) == (
            RIGHT, finding.suggestion.first_line, finding.suggestion.last_line,
        )  # fmt: skip
    if spot.side is LEFT:
        assert taken.end.right is None
        assert finding.location.first_line <= spot.line <= finding.location.last_line


def assert_really_outside(finding: Finding, diff: Diff) -> None:
    """No silence about a finding that some single line of the diff could have carried."""
    file, place = diff.file(finding.path), finding.location
    if file is None or finding.suggestion is not None:
        return
    numbers = {line.number(place.side) for line in file.lines()}
    assert numbers.isdisjoint(range(place.first_line, place.last_line + 1))
