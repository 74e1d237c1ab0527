"""What a pull request changes, read from git itself: files, patches, hunks, and which lines a comment may name.

Written apart from the product's own diff parser on purpose: the two check each other.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tests.builders import git

HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
STATUS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}
FILE_LINES, FILE_BYTES = 20_000, 500 * 1024
"""Beyond these a single file's patch is not loaded (docs, repository limits)."""


@dataclass(frozen=True, slots=True)
class HunkLine:
    """One line of a hunk; `position` counts from the file's first `@@` as the closing-down parameter does."""

    left: int | None
    right: int | None
    position: int
    hunk: int

    def number(self, side: str) -> int | None:
        return self.left if side == "LEFT" else self.right


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One entry of `GET …/files`. `patch` is None where GitHub shows none: binary, too large, or nothing but a rename."""

    path: str
    status: str
    blob: str | None
    additions: int = 0
    deletions: int = 0
    previous_path: str | None = None
    patch: bytes | None = None
    lines: tuple[HunkLine, ...] = field(default=(), repr=False)

    def line(self, number: int, side: str) -> HunkLine | None:
        return next((line for line in self.lines if line.number(side) == number), None)

    def at(self, position: int) -> HunkLine | None:
        return next((line for line in self.lines if line.position == position), None)

    def hunk_until(self, end: HunkLine) -> str:
        """`diff_hunk`: the hunk's header and its lines down to the commented one."""
        rows, start = (self.patch or b"").split(b"\n"), end.position
        while start > 0 and not rows[start].startswith(b"@@"):
            start -= 1
        return b"\n".join(rows[start : end.position + 1]).decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Changes:
    """A whole change from its merge base; `text` is what the diff media type gives."""

    merge_base: str
    files: tuple[ChangedFile, ...]
    text: bytes

    def file(self, path: str) -> ChangedFile | None:
        return next((file for file in self.files if file.path == path), None)

    @property
    def additions(self) -> int:
        return sum(file.additions for file in self.files)

    @property
    def deletions(self) -> int:
        return sum(file.deletions for file in self.files)


@lru_cache(maxsize=256)
def merge_base(repository: Path, base: str, head: str) -> str:
    """Where two commits part; the empty tree's id where they share no history."""
    try:
        return git(repository, "merge-base", base, head).decode().split()[0]
    except AssertionError:
        return "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def changes(repository: Path, base: str, head: str) -> Changes:
    """What `head` changes since it parted from `base`, as GitHub's pull request page shows it (-M, three lines of context)."""
    return compare(repository, merge_base(repository, base, head), head)


@lru_cache(maxsize=64)
def compare(repository: Path, start: str, head: str) -> Changes:
    """What differs between two commits. Kept: commits never change."""
    options = ("--no-color", "--no-ext-diff", "--no-textconv", "-M")
    raw = git(repository, "diff", *options, "--raw", "--numstat", "--abbrev=40", "-z", start, head)
    text = git(repository, "diff", *options, "-U3", start, head)
    return Changes(start, tuple(_files(raw, text)), text)


def _files(raw: bytes, text: bytes) -> list[ChangedFile]:
    entries, counts = _entries(raw)
    sections = iter(re.split(rb"^(?=diff --git )", text, flags=re.MULTILINE)[1:])
    files = []
    for (status, blob, previous, path), (additions, deletions) in zip(entries, counts, strict=True):
        section = next(sections, b"")
        if status == "T":  # git writes a change of type as a deletion and an addition
            section += next(sections, b"")
        files.append(_file(status, blob, previous, path, additions, deletions, section))
    return files


def _file(
    status: str, blob: str | None, previous: str | None, path: str, additions: int, deletions: int, section: bytes
) -> ChangedFile:
    start = re.search(rb"^@@ ", section, flags=re.MULTILINE)
    patch = section[start.start() :].removesuffix(b"\n") if start else None
    if patch is not None and (len(patch) > FILE_BYTES or patch.count(b"\n") >= FILE_LINES):
        patch = None
    lines = tuple(_lines(patch)) if patch is not None else ()
    return ChangedFile(path, STATUS[status], blob, additions, deletions, previous, patch, lines)


def _entries(raw: bytes) -> tuple[list[tuple[str, str | None, str | None, str]], list[tuple[int, int]]]:
    """git's `-z --raw --numstat` rows: what happened to each path, then lines added and deleted."""
    words = iter(raw.decode(errors="surrogateescape").split("\0"))
    entries: list[tuple[str, str | None, str | None, str]] = []
    counts: list[tuple[int, int]] = []
    for word in words:
        if word.startswith(":"):
            _, _, _, blob, status = word[1:].split(" ")
            first = next(words)
            second = next(words) if status[0] in "RC" else None
            entries.append((status[0], None if set(blob) == {"0"} else blob, first if second else None, second or first))
        elif word:
            added, deleted, path = word.split("\t", 2)
            if not path:
                next(words), next(words)
            counts.append((0, 0) if added == "-" else (int(added), int(deleted)))
    return entries, counts


def _lines(patch: bytes) -> list[HunkLine]:
    lines: list[HunkLine] = []
    left = right = 0
    hunk = -1
    for position, row in enumerate(patch.split(b"\n")):
        header = HUNK.match(row)
        if header:
            left, right, hunk = int(header[1]), int(header[3]), hunk + 1
        elif row.startswith(b"+"):
            lines.append(HunkLine(None, right, position, hunk))
            right += 1
        elif row.startswith(b"-"):
            lines.append(HunkLine(left, None, position, hunk))
            left += 1
        elif row.startswith(b" ") or not row:
            lines.append(HunkLine(left, right, position, hunk))
            left, right = left + 1, right + 1
    return lines


def moved_line(repository: Path, old: str, new: str, path: str, number: int) -> int | None:
    """Where a line of the old commit's file stands in the new one's; None when it was altered or is gone."""
    rows = git(repository, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "-U0", old, new, "--", f":(literal){path}")
    shift = 0
    for header in re.finditer(rb"^" + HUNK.pattern, rows, flags=re.MULTILINE):
        start, count = int(header[1]), int(header[2] or 1)
        if count and start <= number < start + count:
            return None
        if number >= (start + count if count else start + 1):
            shift += int(header[4] or 1) - count
    return number + shift
