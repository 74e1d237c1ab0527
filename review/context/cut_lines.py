"""Cut a run of lines into pieces of bearable length, at empty lines where there are some."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

Span = tuple[int, int]
"""The first and the last line of a run, from 0, both inclusive."""


def cut_lines(lines: Sequence[str], span: Span, most: int) -> list[Span]:
    """The pieces of this run of lines, of about equal length and at most `most` lines each.

    No piece begins or ends with an empty line, and together they hold all lines that are not empty.
    """
    whole = without_empty_ends(lines, span)
    if whole is None:
        return []
    first, last = whole
    pieces = -(-(last + 1 - first) // most)
    if pieces == 1:
        return [whole]
    cuts = [first, *_cuts(lines, first, last, pieces, most), last + 1]
    spans = [without_empty_ends(lines, (start, end - 1)) for start, end in pairwise(cuts)]
    return [span for span in spans if span is not None]


def without_empty_ends(lines: Sequence[str], span: Span) -> Span | None:
    """The run without the empty lines that it begins and ends with; None where there are no others."""
    first, last = span
    while first <= last and is_empty(lines[first]):
        first += 1
    while last > first and is_empty(lines[last]):
        last -= 1
    return (first, last) if first <= last else None


def is_empty(line: str) -> bool:
    """Whether a line holds nothing that is seen."""
    return not line or line.isspace()


def _cuts(lines: Sequence[str], first: int, last: int, pieces: int, most: int) -> list[int]:
    """Where pieces after the first begin: each before a line that follows an empty one, if one is near to its even share."""
    cuts: list[int] = []
    start = first
    while last + 1 - start > most:
        share = -(-(last + 1 - start) // max(pieces - len(cuts), 2))
        near = range(max(start + 1, start + share - most // 4), min(start + share + most // 4, start + most) + 1)
        after_empty = [line for line in near if line <= last and is_empty(lines[line - 1])]
        even = start + min(share, most)
        start = min(after_empty, key=partial(_distance, even), default=even)
        cuts.append(start)
    return cuts


def _distance(one: int, other: int) -> int:
    return abs(one - other)
