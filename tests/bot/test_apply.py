"""`--apply`: verified suggestions in the work tree, over nothing but what was reviewed."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.apply import Written, apply_findings
from review.change import End
from review.finding import Finding, Suggestion, Verdict
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Reviewed:
    """A Checkout of these files."""

    files: Mapping[str, bytes]

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: self.files[path] for path in paths if path in self.files}


def a_fix(path: str, first: int, last: int, replacement: str, verdict: Verdict = Verdict.VERIFIED) -> Finding:
    return a_finding(path=path, line=first, suggestion=Suggestion(first, last, replacement, verdict))


async def written(top: Path, reviewed: bytes, *findings: Finding) -> list[Written]:
    return await apply_findings(findings, Reviewed({finding.path: reviewed for finding in findings}), top)


async def test_several_suggestions_of_a_file_are_written_together(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"1\n2\n3\n4\n")
    done = await written(tmp_path, file.read_bytes(), a_fix("app.py", 1, 1, "one\nand a half"), a_fix("app.py", 3, 4, ""))
    assert done == [Written("app.py", 2)]
    assert file.read_bytes() == b"one\nand a half\n2\n"
    assert list(tmp_path.iterdir()) == [file]


async def test_what_does_not_hold_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"1\n")
    findings = [a_finding(), *(a_fix("app.py", 1, 1, "x", verdict) for verdict in (Verdict.UNTRIED, Verdict.REFUSED))]
    assert await written(tmp_path, b"1\n", *findings) == []
    assert file.read_bytes() == b"1\n"


async def test_the_mode_stays(tmp_path: Path) -> None:
    file = tmp_path / "run.sh"
    file.write_bytes(b"1\n")
    file.chmod(0o750)
    await written(tmp_path, b"1\n", a_fix("run.sh", 1, 1, "x"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("reviewed", "on_disk", "after"),
    [
        (b"1\r\n2\r\n", b"1\r\n2\r\n", b"x\r\ny\r\n2\r\n"),
        (b"1\n2\n", b"1\r\n2\r\n", b"x\r\ny\r\n2\r\n"),
        (b"1\n2", b"1\n2", b"x\ny\n2"),
    ],
    ids=["CRLF in git", "CRLF on this disk only", "no newline at the end"],
)
async def test_line_ends_stay(tmp_path: Path, reviewed: bytes, on_disk: bytes, after: bytes) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(on_disk)
    end = "\r\n" if b"\r\n" in reviewed else "\n"
    assert (await written(tmp_path, reviewed, a_fix("app.py", 1, 1, f"x{end}y")))[0].because == ""
    assert file.read_bytes() == after


async def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"1\n2\n")
    [done] = await written(tmp_path, b"1\n", a_fix("app.py", 1, 1, "x"))
    assert "changed meanwhile" in done.because
    assert file.read_bytes() == b"1\n2\n"


async def test_a_file_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    [done] = await written(tmp_path, b"1\n", a_fix("app.py", 1, 1, "x"))
    assert "No such file" in done.because
    assert list(tmp_path.iterdir()) == []


async def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path) -> None:
    outside, top = tmp_path / "outside", tmp_path / "top"
    outside.mkdir()
    top.mkdir()
    (outside / "app.py").write_bytes(b"1\n")
    (top / "app.py").symlink_to(outside / "app.py")
    (top / "folder").symlink_to(outside)
    done = await written(top, b"1\n", a_fix("app.py", 1, 1, "x"), a_fix("folder/app.py", 1, 1, "x"))
    assert [file.because for file in done] == ["it is no regular file", "its folder is a symbolic link or a file"]
    assert (outside / "app.py").read_bytes() == b"1\n"
    assert [path.name for path in outside.iterdir()] == ["app.py"]


@pytest.mark.parametrize("path", [".git/hooks/pre-commit", "sub/.GIT/config", "../outside", "folder"])
async def test_git_itself_and_whatever_is_no_file_below_the_work_tree_are_left_alone(tmp_path: Path, path: str) -> None:
    top = tmp_path / "top"
    for folder in (".git/hooks", "sub/.GIT", "folder"):
        (top / folder).mkdir(parents=True)
    for file in (tmp_path / "outside", top / ".git/hooks/pre-commit", top / "sub/.GIT/config"):
        file.write_bytes(b"1\n")
    [done] = await written(top, b"1\n", a_fix(path, 1, 1, "x"))
    assert done.because
    assert (tmp_path / "outside").read_bytes() == b"1\n"
    assert (top / ".git/hooks/pre-commit").read_bytes() == b"1\n"


async def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "app.py")
    [done] = await written(tmp_path, b"1\n", a_fix("app.py", 1, 1, "x"))
    assert done.because == "it is no regular file"


async def test_one_file_that_cannot_be_written_does_not_keep_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_bytes(b"1\n")
    done = await written(tmp_path, b"1\n", a_fix("gone.py", 1, 1, "x"), a_fix("good.py", 1, 1, "x"))
    assert [(file.path, bool(file.because)) for file in done] == [("gone.py", True), ("good.py", False)]
    assert (tmp_path / "good.py").read_bytes() == b"x\n"
