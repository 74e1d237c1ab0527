"""Read the output of `git diff` into a Diff. unidiff reads the hunks, the headers are read here (see docs/decisions)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from unidiff.errors import UnidiffParseError as BrokenHunk
from unidiff.patch import Hunk as UnidiffHunk
from unidiff.patch import Line as UnidiffLine
from unidiff.patch import PatchSet

from review.diff import Diff, FileDiff, FileKind, FileStatus, Hunk, Line
from review.errors import RefactorIQError

BROKEN = "its part of the diff is cut or broken"
COMBINED = "a combined diff of a merge"

TOO_LARGE = "the change is too large to read all of it"
MOST_LINES = 200_000
"""Of all parts that are read: a line costs 300 bytes of memory, and millions of empty ones fit into a small pack."""

SECTION = re.compile(rb"^diff --", re.MULTILINE)
"""Begins a file's part. Lines of content begin with a space, `+`, `-` or `\\`, so nothing inside a hunk looks like it."""

HEADERS = (
    "old mode ", "new mode ", "deleted file mode ", "new file mode ", "rename from ", "rename to ", "copy from ", "copy to ",
    "index ", "--- ", "+++ ", "Binary files ", "GIT binary patch",
)  # fmt: skip
ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
CUT_CHARACTER = re.compile("[\udc80-\udcff]")
"""git cuts the text after `@@` at 80 bytes, in the middle of a character if need be."""


class NotADiff(RefactorIQError):
    """What was given is not the output of `git diff`."""


def parse_diff(data: bytes) -> Diff:
    """The Diff in the output of `git diff -M -U3 --full-index` (with the usual `a/` and `b/`, or other prefixes of one letter).

    A file whose hunks are cut or broken, too long, or a combined diff, comes back with `unread` set: one bad file does not lose
    the others. Raises NotADiff when there is text but no file header in it.
    """
    starts = [match.start() for match in SECTION.finditer(data)]
    if not starts and data.strip():
        raise NotADiff("This is not the output of `git diff`: it holds no `diff --git` line.")
    return Diff(tuple(_with_type_changes_as_one(list(_files(data, starts)))))


def _files(data: bytes, starts: Sequence[int]) -> Iterator[FileDiff]:
    left = MOST_LINES
    for start, end in pairwise([*starts, len(data)]):
        lines, hunks = data.count(b"\n", start, end), data.find(b"\n@@", start, end)
        if lines > left and hunks >= 0:
            yield replace(_file(_rows(data[start:hunks])), unread=TOO_LARGE)
        else:
            left -= lines
            yield _file(_rows(data[start:end]))


def _rows(part: bytes) -> list[str]:
    return part.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")


def parse_hunks(rows: Sequence[str]) -> tuple[Hunk, ...]:
    """The hunks in those rows, which begin at a `@@` header (the `patch` field of GitHub's API, split at `\\n`, is such).

    Raises unidiff's error (BrokenHunk) where they are cut or are not hunks at all.
    """
    files = PatchSet(["--- a\n", "+++ b\n", *(f"{row}\n" for row in rows)])
    return tuple(_hunk(hunk) for file in files for hunk in file)


def unquoted(path: str) -> str:
    """A path as git writes it: in C quotes with escapes where it holds odd bytes, bare otherwise."""
    if not (len(path) > 1 and path[0] == path[-1] == '"'):
        return path
    raw = path[1:-1].encode("utf-8", "surrogateescape")
    return ESCAPE.sub(_unescaped, raw).decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else ESCAPES.get(code, code)


def _file(rows: Sequence[str]) -> FileDiff:
    if not rows[0].startswith("diff --git "):  # diff --cc, diff --combined
        return FileDiff(unquoted(rows[0].split(" ", 2)[-1]), unread=COMBINED)
    start = next((number for number, row in enumerate(rows) if row.startswith("@@")), len(rows))
    header = _header(rows[1:start])
    previous, path = _paths(rows[0], header)
    file = FileDiff(
        path=path,
        status=_status(header, previous, path),
        previous_path=previous if previous != path else None,
        kind=_kind(header),
        old_mode=_mode(header, "old mode ", "deleted file mode "),
        new_mode=_mode(header, "new mode ", "new file mode "),
    )
    try:
        return replace(file, hunks=parse_hunks(rows[start:])) if start < len(rows) else file
    except BrokenHunk:
        return replace(file, unread=BROKEN)


def _header(rows: Sequence[str]) -> dict[str, str]:
    """What stands after each known word. The part of `index` that counts is the mode after the two ids."""
    found: dict[str, str] = {}
    for row in rows:
        word = next((word for word in HEADERS if row.startswith(word)), None)
        if word:
            found.setdefault(word, row.removeprefix(word))
    return found


def _paths(first_row: str, header: dict[str, str]) -> tuple[str, str]:
    """The path before and after. `diff --git a/x b/x` alone is ambiguous where names hold spaces, unless both are the same."""
    for word in ("rename", "copy"):
        if f"{word} to " in header:
            return unquoted(header.get(f"{word} from ", "")), unquoted(header[f"{word} to "])
    names = first_row.removeprefix("diff --git ")
    half = len(names) // 2
    old, new = unquoted(names[:half]), unquoted(names[half + 1 :])
    if old == new:  # diff.noprefix
        return old, new
    if old[2:] == new[2:]:
        return old[2:], new[2:]
    old, new = (unquoted(header.get(word, "").removesuffix("\t"))[2:] for word in ("--- ", "+++ "))
    return old, new


def _status(header: dict[str, str], previous: str, path: str) -> FileStatus:
    if "new file mode " in header:
        return FileStatus.ADDED
    if "deleted file mode " in header:
        return FileStatus.REMOVED
    return FileStatus.MODIFIED if previous == path else FileStatus.RENAMED


def _mode(header: dict[str, str], *words: str) -> str | None:
    """The mode on one side, None where the file is not there or nothing says it (a pure rename)."""
    said = next((header[word] for word in words if word in header), None)
    if said is not None or "new file mode " in header or "deleted file mode " in header:
        return said
    return header.get("index ", "").partition(" ")[2] or None


def _kind(header: dict[str, str]) -> FileKind:
    modes = {_mode(header, "new mode ", "new file mode "), _mode(header, "old mode ", "deleted file mode ")}
    if "160000" in modes:
        return FileKind.SUBMODULE
    if "120000" in modes:
        return FileKind.SYMLINK
    return FileKind.BINARY if "Binary files " in header or "GIT binary patch" in header else FileKind.TEXT


def _with_type_changes_as_one(files: Sequence[FileDiff]) -> Iterator[FileDiff]:
    """git writes a file that became a link, say, as a deletion and an addition of one path; GitHub tells it as one change."""
    waiting: FileDiff | None = None
    for file in files:
        if waiting and waiting.path == file.path and file.status is FileStatus.ADDED:
            hunks = waiting.hunks + file.hunks
            yield replace(file, status=FileStatus.MODIFIED, old_mode=waiting.old_mode, hunks=hunks)
            waiting = None
            continue
        if waiting:
            yield waiting
        waiting = file if file.status is FileStatus.REMOVED else None
        if not waiting:
            yield file
    if waiting:
        yield waiting


def _hunk(hunk: UnidiffHunk) -> Hunk:
    lines: list[Line] = []
    for line in hunk:
        if line.line_type == "\\" and lines:
            lines[-1] = replace(lines[-1], ends=False)
        elif line.source_line_no is not None or line.target_line_no is not None:  # unidiff appends stray empty rows
            lines.append(_line(line))
    return Hunk(tuple(lines), CUT_CHARACTER.sub("", hunk.section_header).rstrip())


def _line(line: UnidiffLine) -> Line:
    return Line(line.value.removesuffix("\n"), line.source_line_no, line.target_line_no)
