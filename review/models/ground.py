"""Hold what a model claims against the code: every finding is found by the lines that it quotes, or dropped with the reason."""

import re
from collections.abc import Sequence

from review.analysis import Dropped
from review.anchor import hunk_around
from review.clean import visible
from review.finding import Finding, Location, Side, Suggestion
from review.lines import common_end, split_lines
from review.models.answer_schema import Fix, Item
from review.models.page import Page, Spot

OTHER_FILE = "about a file that the model was not shown"
NO_QUOTE = "without a quote of the code"
NO_SUCH_CODE = "about code that does not exist"
UNTOUCHED = "about code that the change does not touch"

FARTHEST = 20
"""Lines by which a model miscounts at the most, as far as its word is taken for one place among several."""

FENCE = re.compile(r"\s*(?:```+|~~~+)[\w+-]*\s*$")
NO_SLUG = re.compile(r"[^a-z0-9]+")


def ground(item: Item, page: Page | None, source: str) -> Finding | Dropped:
    """The finding at the lines that it quotes, or why it is dropped.

    `page` is None where the item's file was not shown; `source` is the provider's name.
    """
    if page is None:
        return Dropped(_as_claimed(item, source), OTHER_FILE)
    readings = _readings(item.quote)
    if not readings:
        return Dropped(_as_claimed(item, source), NO_QUOTE)
    spots = next((found for reading in readings if (found := list(page.spots(reading)))), [])
    touched = _touched(spots, page)
    if not touched:
        return Dropped(_as_claimed(item, source), UNTOUCHED if spots else NO_SUCH_CODE)
    spot, certain = nearest(touched, item.line)
    suggestion = _suggestion(item.fix, spot, page) if item.fix and certain else None
    path = page.file.previous_path or page.file.path if spot.side is Side.LEFT else page.file.path
    return _finding(item, Location(path, spot.first, spot.last, spot.side), source, suggestion)


def slug(text: str) -> str:
    """A rule's name of 1 to 40 characters out of a-z, 0-9 and hyphens."""
    return NO_SLUG.sub("-", text.lower()).strip("-")[:40].strip("-") or "unnamed"


def nearest(spots: Sequence[Spot], line: int) -> tuple[Spot, bool]:
    """The spot nearest to that line, and whether it is the one that was meant: another is at least twice as far away.

    Where there are others, a line that is far from all of them tells nothing.
    """
    first, *others = sorted(spots, key=lambda spot: spot.away(line))
    away = first.away(line)
    return first, not others or (away <= FARTHEST and others[0].away(line) > 2 * away)


def _readings(quote: str) -> list[list[str]]:
    """What the quote may mean: the lines as they stand, or, copied with the diff's signs, the new or the old ones."""
    lines = [line for line in quote.replace("\r\n", "\n").split("\n") if line.strip() and not FENCE.match(line)]
    readings = [lines]
    if any(line[0] in "+-" for line in lines) and all(line[0] in "+- " for line in lines):
        readings += [[line[1:] for line in lines if line[0] != sign] for sign in "-+"]
    return [reading for reading in readings if any(line.strip() for line in reading)]


def _touched(spots: Sequence[Spot], page: Page) -> list[Spot]:
    """Those on lines that the change adds; where there are none, on removed ones; else on lines next to removed ones."""
    for side, numbers in ((Side.RIGHT, page.added), (Side.LEFT, page.removed), (Side.RIGHT, page.beside)):
        touched = [spot for spot in spots if spot.side is side and spot.touches(numbers)]
        if touched:
            return touched
    return []


def _suggestion(fix: Fix, at: Spot, page: Page) -> Suggestion | None:
    """The fix over the whole lines that it quotes, if they can only be these: in the hunk of the finding, shown as they are."""
    original = next((found for reading in _readings(fix.original) if (found := _whole_lines(reading, page))), [])
    if not original:
        return None
    spot, certain = nearest(original, at.near_first)
    hunk = hunk_around(page.file, spot.first, spot.last)
    if (
        not certain
        or "\0" in fix.replacement
        or hunk is None
        or at.near_first not in hunk.numbers(Side.RIGHT)
        or spot.touches(page.withheld)
    ):
        return None
    end = common_end(split_lines(page.head))
    lines = fix.replacement.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return Suggestion(spot.first, spot.last, end.join(lines))


def _whole_lines(reading: Sequence[str], page: Page) -> list[Spot]:
    return [spot for spot in page.spots(reading, whole=True) if spot.side is Side.RIGHT]


def _finding(item: Item, location: Location, source: str, suggestion: Suggestion | None = None) -> Finding:
    return Finding(
        rule=slug(item.rule),
        location=location,
        severity=item.severity,
        category=item.category,
        message=visible(item.message).strip(),
        source=source,
        confidence=min(max(item.confidence, 0.0), 1.0),
        quote=visible(item.quote).strip("\n"),
        suggestion=suggestion,
    )


def _as_claimed(item: Item, source: str) -> Finding:
    """For the record only: the place is the model's word."""
    line = min(max(item.line, 1), 1_000_000)
    return _finding(item, Location(visible(item.path), line, line), source)
