"""An edit of whole lines, byte for byte."""

from collections.abc import Iterable
from dataclasses import dataclass

from review.lines import split_lines


@dataclass(frozen=True, slots=True)
class LineEdit:
    """The lines `first`..`last` of a file (1-based, inclusive) become `lines`, each with its end.

    `last` = `first` - 1 replaces none: the new ones come before `first`.
    """

    first: int
    last: int
    lines: tuple[bytes, ...]


def line_edit(data: bytes, first: int, last: int, new: bytes) -> LineEdit:
    """Those lines of the file become this text; the lines at both ends that stay as they are do not belong to the edit."""
    old, lines = split_lines(data)[first - 1 : last], split_lines(new)
    most = min(len(old), len(lines))
    head = next((n for n in range(most) if old[n] != lines[n]), most)
    tail = next((n for n in range(most - head) if old[-1 - n] != lines[-1 - n]), most - head)
    return LineEdit(first + head, last - tail, tuple(lines[head : len(lines) - tail]))


def apply_edits(data: bytes, edits: Iterable[LineEdit]) -> bytes:
    """The file afterwards. The edits do not overlap; their order is of no matter."""
    lines = split_lines(data)
    for edit in sorted(edits, key=lambda edit: edit.first, reverse=True):
        lines[edit.first - 1 : edit.last] = edit.lines
    return b"".join(lines)
