"""Pack the strongest places into a budget of tokens: few and good, large ones cut down to their head and what matters."""

from collections import Counter
from collections.abc import Iterator, Sequence

from review.context.chunk import Chunk
from review.context.places import Weighed, signature_at
from review.context.retrieved import Place
from review.models.shown import tokens

FLOOR = 0.35
"""A weaker place is never shown, however much room there is."""

MOST_PLACES, MOST_OF_A_FILE = 12, 3
SIZES = (60, 24, 12, 6)
"""Lines to which a place is shortened, the first that fits; what is no definition is not shown longer than the third."""

HEAD = 2
"""Lines from the signature on that stay."""

LARGEST_SHARE, ALWAYS = 0.5, 150
"""Of the budget, what a single place may take, and the tokens that each may have."""

LEFT_OUT = "[lines {}-{} are left out]"


def pack(weighed: Sequence[Weighed], budget: int) -> tuple[Place, ...]:
    """The places that fit into so many tokens, strongest first. `weighed` are sorted so, and do not overlap each other."""
    places: list[Place] = []
    of_file: Counter[str] = Counter()
    left = budget
    for item in weighed:
        if item.score < FLOOR or len(places) == MOST_PLACES:
            break
        most = min(left, max(int(budget * LARGEST_SHARE), ALWAYS))
        place = next((place for place in _sizes(item) if cost(place) <= most), None)
        if place is not None and of_file[item.path] < MOST_OF_A_FILE:
            places.append(place)
            of_file[item.path] += 1
            left -= cost(place)
    return tuple(places)


def cost(place: Place) -> int:
    """About how many tokens a place takes in a prompt, with its heading and a sign before each line."""
    heading = f"### C10 {place.path}:{place.first_line}-{place.last_line} in {place.symbol}: {place.why}"
    return tokens(heading + "".join(f"\n| {line}" for line in place.text.split("\n")))


def _sizes(item: Weighed) -> Iterator[Place]:
    """The place whole, if it is not too long, and then shorter and shorter."""
    for most in SIZES if item.chunk.symbol else SIZES[2:]:
        first, last, text = shortened(item.chunk, item.focus, most)
        yield Place(item.path, first, last, item.chunk.symbol, text, item.why, item.score)


def shortened(chunk: Chunk, focus: int, most: int) -> tuple[int, int, str]:
    """The first and last line that are shown of the chunk, and the text: signature and lines around `focus`, so many in all.

    A row like `[lines 12-40 are left out]` stands for what is left out, at the end too; the comment above the signature goes
    first, without a word.
    """
    lines = chunk.text.split("\n")
    if len(lines) <= most:
        return chunk.first_line, chunk.last_line, chunk.text
    top = min(signature_at(chunk), len(lines) - most)
    head = top + HEAD if chunk.symbol else top
    around = most - (head - top)
    start = min(max(focus - chunk.first_line - around // 3, head), len(lines) - around)
    end = start + around
    gap = _gap(chunk, head, start) if head > top else []
    rows = [*lines[top:head], *gap, *lines[start:end], *_gap(chunk, end, len(lines))]
    return chunk.first_line + (top if head > top else start), chunk.first_line + end - 1, "\n".join(rows)


def _gap(chunk: Chunk, start: int, end: int) -> list[str]:
    return [LEFT_OUT.format(chunk.first_line + start, chunk.first_line + end - 1)] if start < end else []
