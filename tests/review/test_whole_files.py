"""Whole files as a change: every line is new, and what is left out says why."""

import pytest

from review import whole_files
from review.change import End
from review.diff import FileKind
from review.paths import choose_files
from review.rules import Rules
from review.whole_files import BEYOND, WholeFiles, code_first, whole_file

pytestmark = pytest.mark.unit


def skipped(files: WholeFiles) -> dict[str, str]:
    return {one.path: one.because for one in choose_files(files.change("a" * 40, "").diff.files, Rules())[1]}


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"a = 1\nb = 2\n", ["a = 1", "b = 2"]),
        (b"a = 1\nb = 2", ["a = 1", "b = 2"]),
        (b"a\r\n\r\nb\r\n", ["a\r", "\r", "b\r"]),
        (b"\xff\n", ["\udcff"]),
    ],
)
def test_each_line_of_a_file_is_one_that_the_change_adds(data: bytes, texts: list[str]) -> None:
    file = whole_file("a.py", data)
    assert [line.text for line in file.lines()] == texts
    assert file.added_numbers() == set(range(1, len(texts) + 1))
    assert [line.ends for line in file.lines()] == [True] * (len(texts) - 1) + [data.endswith(b"\n")]


async def test_the_files_are_read_at_the_head_and_there_is_nothing_at_the_base() -> None:
    files = WholeFiles()
    files.add("a.py", b"a = 1\n")
    change = files.change("a" * 40, "An upload")
    assert await change.checkout.read(End.HEAD, ["a.py", "b.py"]) == {"a.py": b"a = 1\n"}
    assert await change.checkout.read(End.BASE, ["a.py"]) == {}
    assert change.unread == ()


def test_what_is_no_text_empty_or_too_large_is_left_out_with_its_reason() -> None:
    files = WholeFiles()
    files.add("image.bin", b"\x89PNG\0")
    files.add("empty.py", b"")
    files.add("large.py", b"x" * 1_000_001)
    files.leave_out("other.py", "left out by the rules")
    assert skipped(files) == {
        "image.bin": "binary", "empty.py": "empty", "large.py": "larger than 1 MB", "other.py": "left out by the rules",
    }  # fmt: skip
    assert files.change("", "").diff.file("image.bin").kind is FileKind.BINARY  # type: ignore[union-attr]


@pytest.mark.parametrize(("bound", "value"), [("MOST_FILES", 2), ("MOST_LINES", 6), ("MOST_BYTES", 18)])
def test_beyond_its_bounds_an_analysis_reads_no_more_and_says_so(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(whole_files, bound, value)
    files = WholeFiles()
    for name in "abcd":
        files.add(f"{name}.py", b"x = 1\ny\n")
    change = files.change("", "")
    assert list(files.contents) == ["a.py", "b.py"]
    assert skipped(files) == {"c.py": BEYOND, "d.py": BEYOND}
    assert change.unread == (f"2 files are {BEYOND}.",)


def test_a_large_file_does_not_keep_out_the_small_ones_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_files, "MOST_LINES", 6)
    files = WholeFiles()
    files.add("a.py", b"x\n" * 50)
    files.add("b.py", b"x\n")
    assert list(files.contents) == ["b.py"]


def test_code_goes_before_data_and_everything_else() -> None:
    assert sorted(["a.json", "a.txt", "z.py", "b.go"], key=code_first) == ["b.go", "z.py", "a.json", "a.txt"]
