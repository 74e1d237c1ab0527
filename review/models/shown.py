"""What a model gets to see of a changed file: its hunks without secrets, without endless lines, each with its symbol."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from review.diff import FileDiff, FileStatus, Hunk, Line
from review.finding import Side
from review.models.enclosing import MAX_LENGTH, enclosing_symbol

BYTES_PER_TOKEN = 3.5
MAX_LINE = 1_000
READ_OF_A_LINE = 4 * MAX_LINE
"""More than is shown goes through the search for secrets, so that none is cut in two and shown by half."""

CUT = " [the rest of this line is left out]"
BLANKED = "[left out: a secret]"
OVER_LINES = ("PRIVATE KEY", "Private-Lines")
"""One of them stands in every file with a secret over several lines."""

BREAKS = re.compile(r"[\r\v\f\x1c-\x1e\x85\u2028\u2029\0]")
"""What some reader may take for the end of a line. White space does not count when quotes are compared."""

Blank = Callable[[str], str]
"""Takes the secrets out of a text."""


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file, or some hunks of it, as a model sees it. `name` is its path on one line, without secrets; the lines of the
    hunks have their real numbers, and `section` is the symbol that encloses them."""

    path: str
    name: str
    heading: str
    hunks: tuple[Hunk, ...]
    cut_lines: int = 0

    @property
    def tokens(self) -> int:
        """About how many tokens this costs in a prompt."""
        return tokens(self.heading) + sum(map(hunk_tokens, self.hunks))


def show(file: FileDiff, head: Sequence[str], blank: Blank) -> ShownFile:
    """The whole file as it is shown. `head` are the lines of the head's file."""
    texts = blank_lines([line.text[:READ_OF_A_LINE] for line in file.lines()], blank)
    inside = inside_of_keys(head, blank)
    rest = iter([BLANKED if near in inside else shortened(text) for near, text in zip(_near(file), texts, strict=True)])
    hunks = tuple(_shown_hunk(hunk, rest, head, blank) for hunk in file.hunks)
    name = on_one_line(blank(file.path))
    long = sum(len(line.text) > MAX_LINE for line in file.lines())
    return ShownFile(file.path, name, name + _what_happened(file, blank), hunks, long)


def blank_lines(lines: Sequence[str], blank: Blank) -> list[str]:
    """The lines without secrets, as many as before. A secret may go over several lines, so they are looked at together."""
    blanked = blank("\n".join(lines)).split("\n")
    if len(blanked) == len(lines):
        return blanked
    harmless = set(blanked)
    return [line if line in harmless else BLANKED for line in lines]


def inside_of_keys(head: Sequence[str], blank: Blank) -> set[int]:
    """A file's lines inside of secrets that go over several: what is shown may hold neither their begin nor their end."""
    if not any(word in line for line in head for word in OVER_LINES):
        return set()
    lines = [line[:READ_OF_A_LINE] for line in head]
    pairs = zip(lines, blank_lines(lines, blank), strict=True)
    return {number for number, (line, blanked) in enumerate(pairs, 1) if line != blanked}


def _near(file: FileDiff) -> Iterator[int]:
    """For each line of the diff the head's line that stands there, or comes after it: a removed line is of the same key."""
    for hunk in file.hunks:
        yield from near_numbers(hunk.lines)


def on_one_line(text: str) -> str:
    """The text with everything that could end a line made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def tokens(text: str) -> int:
    """About how many tokens a model makes of it."""
    return int(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN) + 1


def hunk_tokens(hunk: Hunk) -> int:
    """About how many tokens these lines cost, signs and line ends included."""
    return tokens("\n ".join(line.text for line in hunk.lines)) + tokens(hunk.section) + 3


def _shown_hunk(hunk: Hunk, texts: Iterator[str], head: Sequence[str], blank: Blank) -> Hunk:
    lines = tuple(replace(line, text=next(texts)) for line in hunk.lines)
    return Hunk(lines, on_one_line(blank(_symbol(hunk, head))))


def _symbol(hunk: Hunk, head: Sequence[str]) -> str:
    """The symbol around the first altered line, or git's own guess; "" where the hunk shows it anyway."""
    altered = next((i for i, line in enumerate(hunk.lines) if line.added or line.removed), 0)
    above, text = enclosing_symbol(head, near_numbers(hunk.lines)[altered])
    if not above:
        return hunk.section.strip()[:MAX_LENGTH]
    return "" if above in hunk.numbers(Side.RIGHT) else text


def near_numbers(lines: Sequence[Line]) -> list[int]:
    """For each line of a hunk the head's line that stands there, or else next after it, or at last next after the hunk."""
    after = next((line.new + 1 for line in reversed(lines) if line.new is not None), 1)
    numbers = []
    for line in reversed(lines):
        after = after if line.new is None else line.new
        numbers.append(after)
    return numbers[::-1]


def shortened(text: str) -> str:
    """The line as it is shown: nothing in it ends it for some reader, and it is not endless."""
    text = BREAKS.sub(" ", text.removesuffix("\r")).encode("utf-8", "replace").decode()
    return text[:MAX_LINE] + CUT if len(text) > MAX_LINE else text


def _what_happened(file: FileDiff, blank: Blank) -> str:
    if file.status is FileStatus.ADDED:
        return " (new file)"
    return f" (was {on_one_line(blank(file.previous_path))})" if file.previous_path else ""
