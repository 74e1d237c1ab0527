"""A changed file as quotes are looked up in it: the head's lines, the removed ones, and which of them the change touches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from review.diff import FileDiff
from review.finding import Side
from review.lines import line_texts
from review.models.shown import ShownFile, near_numbers

LEAST_OF_A_LINE = 8
"""Characters, white space apart, that a quote of only a part of a line must have."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line that is not empty, without its white space. `number` is its own on its side, `near` the head's next to it."""

    number: int
    near: int
    text: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Lines where a quote stands. `near_first` and `near_last` are the head's lines next to them."""

    first: int
    last: int
    side: Side
    near_first: int
    near_last: int

    def away(self, line: int) -> int:
        """How many lines of the head's file lie between here and that line."""
        return max(self.near_first - line, line - self.near_last, 0)

    def touches(self, numbers: set[int]) -> bool:
        return any(number in numbers for number in range(self.first, self.last + 1))


@dataclass(frozen=True)
class Page:
    """One file of the change: its diff, its text in the head, and the diff as it was shown."""

    file: FileDiff
    shown: ShownFile
    head: bytes

    def spots(self, quote: Sequence[str], *, whole: bool = False) -> Iterator[Spot]:
        """Where the quote stands in the head's file, and then where in the base's; empty lines do not count.

        A quote of one line may be a part of it, unless `whole` lines are wanted.
        """
        wanted = [text for line in quote if (text := squeezed(line))]
        for rows, side in ((self.right, Side.RIGHT), (self.left, Side.LEFT)):
            for start in matches(rows, wanted, whole=whole):
                first, last = rows[start], rows[start + len(wanted) - 1]
                yield Spot(first.number, last.number, side, first.near, last.near)

    @cached_property
    def right(self) -> list[Row]:
        """The head's lines, as they were shown where they were."""
        texts = dict(enumerate(self.texts, 1)) | self._shown_texts
        return [Row(number, number, text) for number in sorted(texts) if (text := squeezed(texts[number]))]

    @cached_property
    def left(self) -> list[Row]:
        """The base's lines as far as the diff shows them, with a row that nothing matches after each hunk."""
        rows = []
        for hunk in self.shown.hunks:
            for line, near in zip(hunk.lines, near_numbers(hunk.lines), strict=True):
                if line.old is not None and (text := squeezed(line.text)):
                    rows.append(Row(line.old, near, text))
            rows.append(Row(0, 0, ""))
        return rows

    @cached_property
    def removed(self) -> set[int]:
        """The base's lines that the change removes or alters."""
        return {line.old for line in self.file.lines() if line.old is not None and line.removed}

    @cached_property
    def added(self) -> set[int]:
        """The head's lines that the change adds or alters."""
        return self.file.added_numbers()

    @cached_property
    def beside(self) -> set[int]:
        """The head's lines right before or after removed ones."""
        return self.file.numbers_beside_removed()

    @cached_property
    def withheld(self) -> set[int]:
        """The head's lines that were shown otherwise than they are: a secret was taken out, or their end cut off."""
        return {
            number
            for number, text in self._shown_texts.items()
            if number > len(self.texts) or squeezed(self.texts[number - 1]) != squeezed(text)
        }

    @cached_property
    def texts(self) -> list[str]:
        """The lines of the head's file."""
        return line_texts(self.head)

    @cached_property
    def _shown_texts(self) -> dict[int, str]:
        return {line.new: line.text for hunk in self.shown.hunks for line in hunk.lines if line.new is not None}


def squeezed(text: str) -> str:
    """The text without white space: what two lines must have in common to be the same."""
    return "".join(text.encode("utf-8", "replace").decode().split())


def matches(rows: Sequence[Row], wanted: Sequence[str], *, whole: bool) -> list[int]:
    """The indexes at which these lines stand one after the other; a single one may be a part of a line, unless `whole`."""
    starts = [i for i, row in enumerate(rows) if row.text == wanted[0]]
    found = [i for i in starts if [row.text for row in rows[i : i + len(wanted)]] == list(wanted)]
    if found or whole or len(wanted) > 1 or len(wanted[0]) < LEAST_OF_A_LINE:
        return found
    return [i for i, row in enumerate(rows) if wanted[0] in row.text]
