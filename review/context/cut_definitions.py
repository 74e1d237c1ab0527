"""Cut a text into pieces by its definitions: each a run of whole lines that belongs to one definition, or to none."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from review.context.cut_lines import Span, cut_lines, without_empty_ends
from review.context.find_definitions import OUTSIDE, Found
from review.context.languages import Role

MOST_LINES = 60
"""Lines of a piece that is not one definition."""
MOST_LINES_OF_ONE = 200
SAYS = re.compile(r"\b(?!end\b)\w")
"""A line without it only closes what is above."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of lines, and the place of the definition that it belongs to among all those found; OUTSIDE where there is none."""

    span: Span
    of: int


def cut_definitions(lines: Sequence[str], found: Sequence[Found]) -> list[Piece]:
    """The pieces in the order of the text. They do not overlap, and leave out empty lines only."""
    pieces: list[Piece] = []
    for of, span in _runs(_owners(len(lines), found)):
        whole = without_empty_ends(lines, span)
        if whole is None:
            continue
        if pieces and not any(SAYS.search(lines[line]) for line in range(whole[0], whole[1] + 1)):
            pieces[-1] = Piece((pieces[-1].span[0], whole[1]), pieces[-1].of)
        else:
            most = MOST_LINES if of == OUTSIDE else MOST_LINES_OF_ONE
            pieces.extend(Piece(cut, of) for cut in cut_lines(lines, whole, most))
    return pieces


def _owners(count: int, found: Sequence[Found]) -> list[int]:
    """For each line, the innermost definition that it belongs to.

    A definition of a single line stays in what is around it, and so does one that shares its first line with another.
    """
    owners = [OUTSIDE] * count
    cut: dict[int, int] = {OUTSIDE: OUTSIDE}
    for place, each in enumerate(found):
        around = cut.get(each.inside, OUTSIDE)
        first = _first_free(owners, each, around, found)
        if each.role is Role.CONSTANT or each.role is Role.SCOPE or first is None:
            cut[place] = around
            continue
        cut[place] = place
        owners[first : each.last_line + 1] = [place] * (each.last_line + 1 - first)
    return owners


def _first_free(owners: Sequence[int], each: Found, around: int, found: Sequence[Found]) -> int | None:
    """The first line that it can have for its own, or None where it stays in what is around it."""
    first = each.first_line
    while first < each.name_line and owners[first] != around:
        first += 1
    if first == each.last_line or owners[first] != around or owners[each.last_line] != around:
        return None
    return None if around != OUTSIDE and first == found[around].first_line else first


def _runs(owners: Sequence[int]) -> Iterator[tuple[int, Span]]:
    first = 0
    for of, group in groupby(owners):
        last = first + sum(1 for _ in group) - 1
        yield of, (first, last)
        first = last + 1
