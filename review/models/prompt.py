"""Write the prompt for a piece: the same instructions every time, then change and context as data that cannot pass for them."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.resources import files

from review.diff import Hunk
from review.models.pieces import Piece
from review.models.shown import Blank, near_numbers, on_one_line
from review.models.shown_place import by_id
from review.providers.provider import Prompt

MAX_TITLE = 200
MAX_DESCRIPTION = 800
MARK_DIGITS = 8
RENUMBER = 20
"""After so many lines their number is said again; a number before every line would cost an eighth of the prompt."""


@cache
def instructions() -> str:
    """The system prompt: the same bytes for every piece, so that providers can keep it in their cache."""
    return (files("review.models") / "prompts" / "review.md").read_text(encoding="utf-8")


def about(title: str, description: str, blank: Blank) -> str:
    """The author's own words, bounded, without secrets, every line indented so that none passes for a heading."""
    said = [f"title: {on_one_line(blank(title)[:MAX_TITLE])}"] if title.strip() else []
    lines = [line.rstrip() for line in blank(description.strip())[:MAX_DESCRIPTION].splitlines()]
    described = ["description:", *(f"  {on_one_line(line)}" for line in lines if line)] if lines else []
    return "".join(f"{line}\n" for line in (*said, *described))


def write_prompt(piece: Piece, said: str) -> Prompt:
    """The prompt for that piece. `said` is what `about` made of the author's words; the piece has no secrets any more."""
    data = said + "".join(f"{line}\n" for line in _lines(piece))
    fence = f"~~~{_mark(data)}"
    return Prompt(instructions(), f"{fence}\n{data}{fence}\n")


def _mark(data: str) -> str:
    """Hexadecimal digits that do not stand in the data: its own hash, or the hash of that, until it is so."""
    mark = sha256(data.encode()).hexdigest()
    while mark[:MARK_DIGITS] in data:
        mark = sha256(mark.encode()).hexdigest()
    return mark[:MARK_DIGITS]


def _lines(piece: Piece) -> Iterator[str]:
    for file in piece.files:
        yield f"=== {file.heading}"
        for hunk in file.hunks:
            yield from _hunk(hunk)
    for id, place in by_id(piece.context).items():
        yield from place.rows(id)


def _hunk(hunk: Hunk) -> Iterator[str]:
    """The lines with their signs; a line of code never begins with anything but a sign."""
    gone = 0
    for index, (line, near) in enumerate(zip(hunk.lines, near_numbers(hunk.lines), strict=True)):
        missing = line.old - gone - 1 if line.old and gone else 0
        if index % RENUMBER == 0 or missing:
            symbol = f" in {hunk.section}" if hunk.section and index == 0 else ""
            left_out = f" after {missing} more removed lines" if missing else ""
            yield f"@@ {near}{symbol}{left_out}"
        yield f"{'+' if line.added else '-' if line.removed else ' '}{line.text}"
        gone = line.old or gone
