"""Hang each finding on a line of the diff, or say why it cannot hang."""

from dataclasses import dataclass

from review.diff import Diff, FileDiff, FileKind, FileStatus, Hunk
from review.finding import Finding, Side

NO_LINES = {
    FileKind.BINARY: "a binary file has no lines to comment on",
    FileKind.SYMLINK: "a symbolic link has no lines to comment on",
    FileKind.SUBMODULE: "a submodule has no lines to comment on",
}


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a comment hangs, in GitHub's words. `start_line` is None for a comment on one line, else below `line`.

    Both lines stand in one hunk, on one side: GitHub refuses the whole review otherwise (422).
    """

    path: str
    line: int
    side: Side = Side.RIGHT
    start_line: int | None = None


@dataclass(frozen=True, slots=True)
class Unanchored:
    """A finding with no place in the diff; `because` is a clause for the review ("line 90 is not part of this diff")."""

    finding: Finding
    because: str


def anchor(finding: Finding, diff: Diff) -> Anchor | Unanchored:
    """The place of this finding's comment.

    It covers exactly the lines of a verified suggestion where there is one, for GitHub replaces what the comment covers;
    otherwise the finding's lines, cut to the one hunk that shows most of what changed in them.
    """
    side = finding.location.side
    file = diff.file_of(finding.location)
    if file is None:
        return Unanchored(finding, "this file is not part of the diff")
    because = why_closed(file, side)
    if because:
        return Unanchored(finding, because)
    suggestion = finding.verified_suggestion
    if suggestion is not None:
        first, last = suggestion.first_line, suggestion.last_line
        if hunk_around(file, first, last) is None:
            return Unanchored(finding, outside(first, last))
        return _spanning(file.path, first, last, Side.RIGHT)
    return _clipped(finding, file)


def why_closed(file: FileDiff, side: Side = Side.RIGHT) -> str:
    """Why no comment can hang on any line of this side of the file, or an empty string when some can."""
    if file.kind is not FileKind.TEXT:
        return NO_LINES[file.kind]
    if any("\ud800" <= character <= "\udfff" for character in file.path):
        return "the file's name is not UTF-8, and GitHub's API cannot name it"
    if file.type_changed:
        return "the file changed its type, and such a change has no lines to comment on"
    if file.unread:
        return f"the diff of this file was not read ({file.unread})"
    if file.too_large_to_show:
        return "its diff is too large for GitHub to take comments on"
    if not file.hunks:
        return "the change alters no line of this file"
    if file.status is FileStatus.REMOVED and side is Side.RIGHT:
        return "the change deletes this file"
    return ""


def hunk_around(file: FileDiff, first: int, last: int) -> Hunk | None:
    """The one hunk that holds all these lines of the head's file. Hunks that touch are still two."""
    for hunk in file.hunks:
        numbers = hunk.numbers(Side.RIGHT)
        if first in numbers and last in numbers:
            return hunk
    return None


def outside(first: int, last: int) -> str:
    """The clause for lines that no hunk holds."""
    return f"line {first} is not part of this diff" if first == last else f"lines {first} to {last} are not part of this diff"


def _clipped(finding: Finding, file: FileDiff) -> Anchor | Unanchored:
    location = finding.location
    first, last = sorted((location.first_line, location.last_line))
    hunks = [hunk for hunk in file.hunks if _within(hunk.numbers(location.side), first, last)]
    if not hunks:
        return Unanchored(finding, outside(first, last))
    best = max(hunks, key=lambda hunk: _shown(hunk, first, last, location.side)) if len(hunks) > 1 else hunks[0]
    numbers = _within(best.numbers(location.side), first, last)
    if location.side is Side.LEFT:
        return _on_deleted(file.path, best, numbers)
    return _spanning(file.path, numbers[0], numbers[-1], Side.RIGHT)


def _shown(hunk: Hunk, first: int, last: int, side: Side) -> tuple[int, int]:
    """How many altered lines, and how many lines at all, of that range this hunk shows."""
    numbers = _within(hunk.numbers(side), first, last)
    altered = sum((line.added or line.removed) and line.number(side) in numbers for line in hunk.lines)
    return altered, len(numbers)


def _within(numbers: range, first: int, last: int) -> range:
    return range(max(numbers.start, first), min(numbers.stop, last + 1))


def _on_deleted(path: str, hunk: Hunk, numbers: range) -> Anchor:
    """LEFT is for deleted lines only; a line that stays is the same line on RIGHT, where GitHub wants it."""
    deleted = [line.old for line in hunk.lines if line.removed and line.old in numbers]
    if deleted:
        return _spanning(path, deleted[0] or 0, deleted[-1] or 0, Side.LEFT)
    kept = [line.new for line in hunk.lines if line.new is not None and line.old in numbers]
    return _spanning(path, kept[0], kept[-1], Side.RIGHT)


def _spanning(path: str, first: int, last: int, side: Side) -> Anchor:
    return Anchor(path, last, side, first if first < last else None)
