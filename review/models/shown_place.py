"""What a model gets to see of a place outside of the change: without secrets, without endless lines, and why it is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from review.context.retrieved import Place
from review.models.shown import READ_OF_A_LINE, Blank, blank_lines, on_one_line, shortened, tokens

SIGN = "| "
"""Before each line of a place. Lines of the change begin with `+`, `-`, a space, `=` or `@`."""

HEADING = "### "
"""Begins a place. Not `---`: a removed line that begins with two hyphens looks like it."""

LONGEST_WORDS = 300
"""Characters of a path, a symbol and a reason, each."""


@dataclass(frozen=True, slots=True)
class ShownPlace:
    """A place in a prompt: its heading without the id, and its lines, both safe to be shown."""

    place: Place
    heading: str
    lines: tuple[str, ...]

    @property
    def tokens(self) -> int:
        """About how many tokens this costs in a prompt, signs and line ends included."""
        return tokens("".join(f"{line}\n" for line in self.rows("C10")))

    def rows(self, id: str) -> Iterator[str]:
        """The place as it stands in a prompt."""
        yield f"{HEADING}{id} {self.heading}"
        yield from (SIGN + line for line in self.lines)


def show_place(place: Place, blank: Blank) -> ShownPlace:
    """The place as a model may see it; as many lines as before."""
    lines = place.text.split("\n")
    texts = blank_lines([line[:READ_OF_A_LINE] for line in lines], blank)
    symbol = f" in {_words(place.symbol, blank)}" if place.symbol else ""
    where = f"{_words(place.path, blank)}:{place.first_line}-{place.last_line}{symbol}"
    return ShownPlace(place, f"{where}: {_words(place.why, blank)}", tuple(shortened(text) for text in texts))


def by_id(places: Sequence[ShownPlace]) -> dict[str, ShownPlace]:
    """The places by the ids that they have in a prompt: C1, C2 …"""
    return {f"C{number}": place for number, place in enumerate(places, 1)}


def _words(text: str, blank: Blank) -> str:
    return on_one_line(blank(text)[:LONGEST_WORDS])
