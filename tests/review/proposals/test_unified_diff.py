"""The diff of a proposal: what git and GNU patch make of it is the new file, byte for byte, whatever it holds and is named."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from review.lines import split_lines
from review.parse_diff import parse_diff
from review.proposals.line_edit import LineEdit, apply_edits, line_edit
from review.proposals.unified_diff import unified_diff
from tests.builders import NO_CONFIGURATION
from tests.builders_diff import PROPERTY

pytestmark = pytest.mark.integration

LINES = st.one_of(
    st.sampled_from(
        [
            *(b"", b"a", b"a", b"\t tab", b"crlf\r", b"\r", b"lone\rcr", b"\xff\xfe", b"nul\0nul", b"\f", b"  ", b"two\r\r"),
            *(b"-- a/x", b"++ b/x", b"--- a/f", b"+++ b/f", b"@@ -1,2 +1,2 @@", b"diff --git a/f b/f", b"Index: f"),
            *(b"\\ No newline at end of file", b"deleted file mode 100644", b"GIT binary patch", b"Prereq: 1"),
            "é…\u2028".encode(),
        ]
    ),
    st.binary(max_size=6).map(lambda data: data.replace(b"\n", b"")),
)
NAMES = st.sampled_from(
    [
        *("f", "a b", " led", "trailing ", "a b ", "tab\tname", 'quo"te', "back\\slash", "new\nline", "cr\r", "x\x01y", "\x7f"),
        *("é/ü.py", "日本.txt", "emoji 🙂.py", "\udcff\udcfe", "deep/er/f.py", "a/b", "b/a/x", "a b/c d", "dev/null"),
        *("-dash", "a' b", "{}", "x => y", "~"),
    ]
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, list[LineEdit]]:
    """A file and edits of it that do not touch each other; the last line may have no end, before and after."""
    lines = [line + b"\n" for line in draw(st.lists(LINES, min_size=1, max_size=40))]
    if draw(st.booleans()):
        lines[-1] = lines[-1][:-1] or b"z"
    edits, at = [], 1
    while at <= len(lines) and len(edits) < 4:
        first = draw(st.integers(at, min(at + 9, len(lines))))
        last = draw(st.integers(first, min(first + 4, len(lines))))
        new = [line + b"\n" for line in draw(st.lists(LINES, max_size=4))]
        if last == len(lines) and new and draw(st.booleans()):
            new[-1] = new[-1][:-1] or b"z"
        edits.append(line_edit(b"".join(lines), first, last, b"".join(new)))
        at = last + 2 if draw(st.booleans()) else len(lines) + 1
    data = b"".join(lines)
    return data, [edit for edit in edits if apply_edits(data, [edit]) != data]


@PROPERTY
@given(edited(), NAMES)
@example((b"a\n", [LineEdit(1, 1, ())]), "f")
@example((b"a", [LineEdit(1, 1, (b"a\n",))]), "f")
@example((b"a\r\nb\n", [LineEdit(2, 2, (b"b\r\n",))]), "f")
def test_git_and_patch_make_the_new_file_of_it(change: tuple[bytes, list[LineEdit]], name: str) -> None:
    data, edits = change
    wanted, diff = apply_edits(data, edits), unified_diff(name, data, edits)
    assert (diff == b"") == (not edits)
    if not edits:
        return
    assert _applied(["git", "apply", "--check"], diff, {name: data}) == {name: data}
    assert _applied(["git", "apply"], diff, {name: data}) == {name: wanted}
    if shutil.which("patch"):
        assert _applied(["patch", "-p1", "--silent"], diff, {name: data}) == {name: wanted}


@pytest.mark.skipif(shutil.which("patch") is None, reason="GNU patch is not installed")
def test_several_files_make_one_patch() -> None:
    before = {"a b.py": b"1\r\n2\r\n", "é.py": b"x", "c.py": b"1\n" * 30}
    edits = {"a b.py": [LineEdit(1, 1, ())], "é.py": [LineEdit(1, 1, (b"y\n", b"z"))], "c.py": [LineEdit(5, 5, (b"5\n",))]}
    diff = b"".join(unified_diff(name, before[name], edits[name]) for name in before)
    after = {"a b.py": b"2\r\n", "é.py": b"y\nz", "c.py": b"1\n" * 4 + b"5\n" + b"1\n" * 25}
    for command in (["git", "apply"], ["patch", "-p1", "--silent"]):
        assert _applied(command, diff, before) == after


@settings(PROPERTY, max_examples=50)
@given(edited())
def test_the_products_own_parser_reads_it(change: tuple[bytes, list[LineEdit]]) -> None:
    data, edits = change
    file = next(iter(parse_diff(unified_diff("f", data, edits)).files), None)
    added, removed = (file.additions, file.deletions) if file else (0, 0)
    assert not file or not file.unread
    assert added - removed == len(split_lines(apply_edits(data, edits))) - len(split_lines(data))


def test_it_looks_as_git_writes_it() -> None:
    data = b"".join(b"%d\n" % number for number in range(1, 21))
    assert unified_diff("a.py", data, [LineEdit(2, 2, (b"two\n",)), line_edit(data, 20, 20, b"20\n21")]) == (
        b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n"
        b"@@ -1,5 +1,5 @@\n 1\n-2\n+two\n 3\n 4\n 5\n"
        b"@@ -18,3 +18,4 @@\n 18\n 19\n 20\n+21\n\\ No newline at end of file\n"
    )


def test_hunks_whose_context_meets_are_one() -> None:
    data = b"".join(b"%d\n" % number for number in range(1, 21))
    near, apart = ([LineEdit(5, 5, (b"x\n",)), LineEdit(line, line, (b"y\n",))] for line in (12, 13))
    assert unified_diff("f", data, near).count(b"@@ -") == 1
    assert unified_diff("f", data, apart).count(b"@@ -") == 2


def _applied(command: list[str], diff: bytes, files: dict[str, bytes]) -> dict[str, bytes]:
    """What is in a folder with these files after the command was given the diff."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, data in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        environment = {
            **os.environ,
            **NO_CONFIGURATION,
            "GIT_CEILING_DIRECTORIES": str(root.parent),
            "GIT_DIR": f"{folder}.none",
        }
        done = subprocess.run(command, input=diff, cwd=root, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, (done.stderr + done.stdout, diff)
        found = (path for path in root.rglob("*") if path.is_file())
        return {os.fsdecode(os.path.relpath(path, root)): path.read_bytes() for path in found}
