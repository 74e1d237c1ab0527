"""A suggestion as the lines that go and the lines that come; and where lines of the diff stand in the head."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from review.diff import FileDiff, Line
from review.finding import Finding, Side


def head_lines(file: FileDiff, first: int, last: int) -> list[Line]:
    """Those of the head's lines first..last that the diff shows."""
    return [line for line in file.lines() if line.new is not None and first <= line.new <= last]


def as_diff(finding: Finding) -> list[str]:
    """The verified suggestion's lines, each led by `-`, `+` or a space; none where there is no such suggestion.

    Lines have no end, neither `\\n` nor `\\r`. Where it is not known what is replaced (kept by an older version), only what
    comes is shown.
    """
    suggestion = finding.verified_suggestion
    if suggestion is None:
        return []
    old = suggestion.replaced.split("\n")[:-1]
    new = [line.removesuffix("\r") for line in suggestion.replacement.split("\n")] if suggestion.replacement else []
    return list(_compared(old, new))


def _compared(old: list[str], new: list[str]) -> Iterator[str]:
    for tag, first, last, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (f" {line}" for line in old[first:last])
        else:
            yield from (f"-{line}" for line in old[first:last])
            yield from (f"+{line}" for line in new[start:stop])


def where_it_stood(file: FileDiff, base_line: int) -> int | None:
    """The head's line at which this line of the base stood: its own where it stays, else the nearest one after or before it."""
    for hunk in file.hunks:
        if base_line in hunk.numbers(Side.LEFT):
            at = next(number for number, line in enumerate(hunk.lines) if line.old == base_line)
            around = [*hunk.lines[at:], *hunk.lines[:at][::-1]]
            return next((line.new for line in around if line.new is not None), None)
    return None
