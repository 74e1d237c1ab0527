"""Paths: which files of a change are read, and the reason for each that is not."""

import pytest

from review.diff import FileDiff, FileKind, FileStatus, Hunk, Line
from review.paths import choose_files, why_ignored, why_skipped
from review.rules import Rules

pytestmark = pytest.mark.unit

HUNKS = (Hunk((Line("x", None, 1),)),)


@pytest.mark.parametrize(
    ("path", "because"),
    [
        ("package-lock.json", "lock file"),
        ("sub/Cargo.lock", "lock file"),
        ("vendor/a/b.go", "vendored"),
        ("web/node_modules/x/index.js", "vendored"),
        ("static/app.min.js", "generated"),
        ("api/service_pb2.py", "generated"),
        ("src/app.py", ""),
        ("src/vendors.py", ""),
        ("distance.py", ""),
    ],
)
def test_lock_generated_and_vendored_files_are_known_by_their_names(path: str, because: str) -> None:
    assert why_ignored(path) == because


@pytest.mark.parametrize(
    ("file", "because"),
    [
        (FileDiff("a.png", kind=FileKind.BINARY), "binary"),
        (FileDiff("link", kind=FileKind.SYMLINK, hunks=HUNKS), "symbolic link"),
        (FileDiff("sub", kind=FileKind.SUBMODULE, hunks=HUNKS), "submodule"),
        (FileDiff("gone.py", FileStatus.REMOVED, hunks=HUNKS), "deleted"),
        (FileDiff("moved.py", FileStatus.RENAMED), "no changed lines"),
        (FileDiff("big.py", unread="too large for the API"), "too large for the API"),
        (FileDiff("app.py", hunks=HUNKS), ""),
    ],
)
def test_a_file_that_cannot_be_read_says_why(file: FileDiff, because: str) -> None:
    assert why_skipped(file, Rules()) == because


def test_what_the_rules_leave_out_is_skipped_with_that_reason() -> None:
    chosen, skipped = choose_files(
        [FileDiff("docs/a.py", hunks=HUNKS), FileDiff("b.py", hunks=HUNKS)], Rules(exclude=("docs/",))
    )
    assert [file.path for file in chosen] == ["b.py"]
    assert [(s.path, s.because) for s in skipped] == [("docs/a.py", "left out by the rules")]
