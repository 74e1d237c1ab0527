"""Cut a change into the pieces that models are asked about: whole files where they fit, hunks where they do not."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from review.diff import Hunk
from review.models.shown import ShownFile, hunk_tokens
from review.models.shown_place import ShownPlace

AT_ONCE = 12
"""Calls that run at the same time, for one review."""

PIECES = 10
"""Pieces that a large change is cut into, as far as the bounds allow: fewer than AT_ONCE, since files do not fit evenly."""

SMALLEST, LARGEST = 8_000, 16_000
"""Tokens of a piece. Up to the smaller bound everything is seen together; beyond the larger one attention fades."""

MOST_TOKENS = 500_000
"""Tokens of a change that one review may send: more than 40,000 changed lines."""

MOST_WITH_PROSE = 100_000
"""Tokens up to which documentation is sent along: models find little in it, and a large change has plenty of it."""

PROSE = re.compile(r"\.(md|markdown|mdx|rst|adoc|org|tex)$|(^|/)(CHANGES|CHANGELOG|HISTORY|NEWS|AUTHORS)[^/]*$", re.IGNORECASE)

TOO_SMALL = 300
"""A piece of fewer tokens is not cut again: its size is not what ails."""

MOST_HALVINGS = 4
"""So that a model which never comes to an end costs a few calls more, and not hundreds."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one call is about; `halvings` is how often it was cut after a call.

    `context` are places outside of the change that are shown with it.
    """

    files: tuple[ShownFile, ...]
    halvings: int = 0
    context: tuple[ShownPlace, ...] = ()

    @property
    def tokens(self) -> int:
        """About how many tokens the change in it costs, without the instructions and the context."""
        return sum(file.tokens for file in self.files)

    def halves(self) -> "tuple[Piece, Piece] | None":
        """Two pieces of about the same size, or None where it is too small to cut. They have no context: it was too much."""
        if self.tokens < TOO_SMALL or self.halvings == MOST_HALVINGS:
            return None
        units = list(_units(self.files, ceil(self.tokens / 4)))
        if len(units) < 2:
            return None
        cut = _middle([unit.tokens for unit in units])
        return Piece(_joined(units[:cut]), self.halvings + 1), Piece(_joined(units[cut:]), self.halvings + 1)


def is_prose(path: str) -> bool:
    """Whether the file is documentation, which is left out of a change that is large without it."""
    return PROSE.search(path) is not None


def cut_into_pieces(files: Sequence[ShownFile]) -> tuple[list[Piece], list[ShownFile]]:
    """The pieces, in the order of the files, and the files that are left out because all together are too much.

    Few enough pieces to be asked at once, if they do not get too small or too large by it.
    """
    chosen, left_out = _affordable(files)
    total = sum(file.tokens for file in chosen)
    bound = min(max(ceil(total / PIECES * 1.2), SMALLEST), LARGEST)
    pieces: list[list[ShownFile]] = []
    room = 0
    for unit in _units(chosen, bound):
        if unit.tokens > room:
            pieces.append([])
            room = bound
        pieces[-1].append(unit)
        room -= unit.tokens
    return [Piece(_joined(piece)) for piece in pieces], left_out


def _affordable(files: Sequence[ShownFile]) -> tuple[list[ShownFile], list[ShownFile]]:
    """Code before prose and small files before large ones, as far as the budgets go; both in the order given."""
    spent, paths = 0, set()
    for prose, size, path in sorted((is_prose(file.path), file.tokens, file.path) for file in files):
        if spent + size <= (MOST_WITH_PROSE if prose else MOST_TOKENS):
            spent += size
            paths.add(path)
    return [file for file in files if file.path in paths], [file for file in files if file.path not in paths]


def _units(files: Iterable[ShownFile], bound: int) -> Iterator[ShownFile]:
    """Files of at most that many tokens whole, larger ones by hunks, hunks that are larger still by lines."""
    for file in files:
        if file.tokens <= bound:
            yield file
        else:
            inside = max(bound - file.tokens + sum(map(hunk_tokens, file.hunks)), 1)
            for hunk in file.hunks:
                yield from (replace(file, hunks=(part,)) for part in _parts(hunk, inside))


def _parts(hunk: Hunk, bound: int) -> Iterator[Hunk]:
    """The hunk in runs of lines that are small enough, cut at an empty line where one is near."""
    lines = hunk.lines
    while hunk_tokens(Hunk(lines, hunk.section)) > bound and len(lines) > 1:
        cut = _last_fitting(Hunk(lines, hunk.section), bound)
        yield Hunk(lines[:cut], hunk.section)
        lines = lines[cut:]
    yield Hunk(lines, hunk.section)


def _last_fitting(hunk: Hunk, bound: int) -> int:
    """How many of the hunk's lines fit; fewer where the last quarter of them holds an empty line. At least one."""
    fitting, room = 0, float(bound)
    for line in hunk.lines:
        room -= hunk_tokens(Hunk((line,))) - 3
        if room < 0:
            break
        fitting += 1
    empty = (i for i in range(fitting, fitting * 3 // 4, -1) if not hunk.lines[i - 1].text.strip())
    return min(max(next(empty, fitting), 1), len(hunk.lines) - 1)


def _middle(sizes: Sequence[int]) -> int:
    """Where to cut the row so that both sides are about as large; never at its ends."""
    half, sums = sum(sizes) / 2, [sum(sizes[:i]) for i in range(1, len(sizes))]
    return 1 + min(range(len(sums)), key=lambda i: abs(sums[i] - half))


def _joined(units: Iterable[ShownFile]) -> tuple[ShownFile, ...]:
    """Neighbouring hunks of one file under one heading again."""
    files: list[ShownFile] = []
    for unit in units:
        if files and files[-1].path == unit.path:
            files[-1] = replace(files[-1], hunks=files[-1].hunks + unit.hunks)
        else:
            files.append(unit)
    return tuple(files)
