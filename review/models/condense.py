"""Show less of what stays and of what is gone where a change is large: what it adds is always shown whole."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from review.diff import Hunk, Line
from review.models.shown import ShownFile

LARGE = 40_000
"""Tokens of a change from which on it is condensed."""

CONTEXT = 1
"""Unchanged lines that are kept on both sides of changed ones."""

SMALLEST_GAP = 3
"""A shorter run of unchanged lines stays: to leave it out costs as much as it saves."""

LONG_RUN, KEPT_OF_IT = 20, 10
"""Removed lines in a row, and how many of a longer run are kept."""


def condensed(files: Sequence[ShownFile]) -> list[ShownFile]:
    """The files as they are, or condensed where together they are large."""
    if sum(file.tokens for file in files) <= LARGE:
        return list(files)
    return [replace(file, hunks=tuple(part for hunk in file.hunks for part in _condensed(hunk))) for file in files]


def _condensed(hunk: Hunk) -> Iterator[Hunk]:
    """The hunk's parts; only the first names the symbol around it."""
    section = hunk.section
    part: list[Line] = []
    for run in _runs(hunk.lines):
        if run[0].added or run[0].removed or len(run) <= _spared(run, hunk):
            part += run[:KEPT_OF_IT] if run[0].removed and len(run) > LONG_RUN else run
            continue
        if part:
            yield Hunk((*part, *run[:CONTEXT]), section)
            section = ""
        part = run[-CONTEXT:] if run[-1] is not hunk.lines[-1] else []
    if part:
        yield Hunk(tuple(part), section)


def _spared(run: Sequence[Line], hunk: Hunk) -> int:
    """How long a run of unchanged lines may be to be kept whole: less at the ends of the hunk, where it has one neighbour."""
    outer = run[0] is hunk.lines[0] or run[-1] is hunk.lines[-1]
    return CONTEXT if outer else 2 * CONTEXT + SMALLEST_GAP - 1


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Neighbouring lines of one kind: unchanged, added, or removed."""
    run: list[Line] = []
    for line in lines:
        if run and (line.added, line.removed) != (run[0].added, run[0].removed):
            yield run
            run = []
        run.append(line)
    if run:
        yield run
