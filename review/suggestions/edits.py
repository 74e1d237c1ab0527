"""Turn a tool's edits of characters into a suggestion of whole lines, as GitHub applies it."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from review.finding import Suggestion

LINE = re.compile(r"\r\n|\n|\r")
LONE_LF = re.compile(r"(?<!\r)\n")
MAX_LINES = 25
MAX_GAP = 8


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from `first` up to `last` (offsets into the text, `last` excluded) by `text`."""

    first: int
    last: int
    text: str


class Places:
    """Where each row of a text begins, for tools that count rows as Python does (`\\r` alone ends one too)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in LINE.finditer(text))]
        self._newlines = [match.start() for match in re.finditer("\n", text)]

    def offset(self, row: int, column: int) -> int:
        """The offset of a 1-based row and column (in characters); places outside are moved to the nearest inside."""
        row = min(max(row, 1), len(self.starts))
        return min(self.starts[row - 1] + max(column, 1) - 1, len(self.text))

    def line(self, offset: int) -> int:
        """The 1-based number of the line there, as git and GitHub count: only `\\n` ends one."""
        return bisect_left(self._newlines, offset) + 1


def suggestion(text: str, edits: Sequence[Edit]) -> Suggestion | None:
    """The edits as one replacement of whole lines, or None where they lie too far apart, overlap, or change nothing."""
    ordered = sorted(edits, key=lambda edit: (edit.first, edit.last))
    if not ordered or _too_far_apart(text, ordered):
        return None
    first, last = _whole_lines(text, ordered[0].first, max(edit.last for edit in ordered))
    new = _edited(text, first, last, ordered)
    if new is None:
        return None
    if new and not new.endswith("\n") and text[last - 1 : last] == "\n":  # a line end went: the next line moves up
        stop = _line_end(text, last)
        new, last = new + text[last:stop], stop
    return _replacement(text, first, text[first:last], new)


def _too_far_apart(text: str, edits: Sequence[Edit]) -> bool:
    gaps = (text.count("\n", one.last, two.first) for one, two in pairwise(edits))
    return any(gap > MAX_GAP for gap in gaps)


def _whole_lines(text: str, first: int, last: int) -> tuple[int, int]:
    """The range widened to whole lines with their ends. A range that stops right after a line end stays so."""
    start = text.rfind("\n", 0, first) + 1
    if last > start and text[last - 1] == "\n":
        return start, last
    return start, _line_end(text, last)


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end + 1


def _edited(text: str, first: int, last: int, edits: Sequence[Edit]) -> str | None:
    newline = "\r\n" if "\r\n" in text else "\n"
    parts, position = [], first
    for edit in edits:
        if edit.first < position:
            return None
        parts += [text[position : edit.first], LONE_LF.sub(newline, edit.text)]
        position = edit.last
    return "".join([*parts, text[position:last]])


def _replacement(text: str, first: int, old: str, new: str) -> Suggestion | None:
    """Leave out the lines at both ends that stay as they are, but keep one where nothing else would be left."""
    before, after = _split(old), _split(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    kept, below = before[:head], before[len(before) - tail :]
    before, after = before[head : len(before) - tail], after[head : len(after) - tail]
    if before == after:
        return None
    if kept and (not before or after in (["\n"], ["\r\n"])):  # an insertion, or one blank line, needs a neighbour
        before, after, head = [kept[-1], *before], [kept[-1], *after], head - 1
    elif tail and not before:
        before, after = [below[0]], [*after, below[0]]
    if not before or max(len(before), len(after)) > MAX_LINES:
        return None
    line = text.count("\n", 0, first) + 1 + head
    replacement = "".join(after).removesuffix("\n").removesuffix("\r")
    return None if after and not replacement else Suggestion(line, line + len(before) - 1, replacement)


def _split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    """How many items at the beginning of both are the same."""
    return next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
