"""Mend what models get wrong in the layout of a replacement, where there is one way to do so: fences, tabs, indentation."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from review.suggestions.patch import Patch
from review.suggestions.syntax import is_free_form

INDENT = re.compile(r"[ \t]*")
FENCE = re.compile(r"```[\w+-]*\s*$")
UNITS = (2, 4, 8)
CLOSERS = (")", "]", "}", "end", "</")


def mended(patch: Patch) -> list[Patch]:
    """The readings of a replacement, in no order. One where its layout is plain; several where its indentation was lost.

    Never changes anything but fences around it, white space before lines, and one empty last line.
    """
    patch = _with(patch, _without_fence(patch))
    patch = _with(patch, _without_last_blank(patch))
    patch = _with(patch, _with_the_files_tabs(patch))
    return [_with(patch, lines) for lines in _readings(patch)]


def likeliest(readings: Sequence[Patch]) -> Patch | None:
    """The one reading whose last line stands where the last replaced line stood; None where that settles nothing."""
    if len(readings) < 2:
        return readings[0] if readings else None
    old, new = _filled(readings[0].old), _filled(readings[0].new)
    if len(old) == 1 and not new[-1].lstrip().startswith(CLOSERS):
        return None
    fitting = [reading for reading in readings if indent(_filled(reading.new)[-1]) == indent(old[-1])]
    return fitting[0] if len(fitting) == 1 else None


def indent(line: str) -> str:
    """The white space that a line begins with."""
    match = INDENT.match(line)
    return match.group() if match else ""


def _with(patch: Patch, lines: Sequence[str]) -> Patch:
    return replace(patch, new=tuple(lines))


def _filled(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _without_fence(patch: Patch) -> Sequence[str]:
    """A model that wraps its code in a Markdown fence means the code."""
    lines = "\n".join(patch.new).strip("\n").split("\n")
    wrapped = len(lines) > 2 and FENCE.match(lines[0]) and lines[-1].strip() == "```"
    return lines[1:-1] if wrapped and not any("```" in line for line in patch.old) else patch.new


def _without_last_blank(patch: Patch) -> Sequence[str]:
    """A replacement that ends with a line end reads as one empty line too many, unless it replaces one."""
    lines = patch.new
    superfluous = len(lines) > 1 and not lines[-1].strip() and patch.old[-1].strip() and any(lines)
    return lines[:-1] if superfluous else lines


def _with_the_files_tabs(patch: Patch) -> Sequence[str]:
    """The lines indented by what the file indents with, where the number of spaces to a tab is beyond doubt."""
    wanted = indents_with(patch)
    led = {indent(line)[:1] for line in _filled(patch.new)} - {""}
    if wanted == "\t" and led == {" "}:
        unit = _spaces_to_a_tab(patch)
        return [_tabbed(line, unit) for line in patch.new] if unit else patch.new
    if wanted == " " and led == {"\t"}:
        unit = _tab_in_spaces(patch)
        return [_spaced(line, unit) for line in patch.new] if unit else patch.new
    return patch.new


def indents_with(patch: Patch) -> str:
    """A tab or a space where the replaced lines, or else the whole file, indent with nothing but that; "" otherwise."""
    return _leading(patch.old) or _leading_in(patch.data)


def _leading(lines: Sequence[str]) -> str:
    led = {indent(line)[:1] for line in _filled(lines)} - {""}
    return led.pop() if len(led) == 1 else ""


@lru_cache(maxsize=4)  # asked for each of a file's suggestions
def _leading_in(data: bytes) -> str:
    return _leading(data.decode("utf-8", "surrogateescape").split("\n"))


def _spaces_to_a_tab(patch: Patch) -> int:
    widths = [len(indent(line)) for line in _filled(patch.new)]
    tabs = len(indent(_filled(patch.old)[0])) if _filled(patch.old) else 0
    unit = widths[0] // tabs if tabs and widths[0] % tabs == 0 and widths[0] else math.gcd(*widths)
    return unit if unit in UNITS and not any(width % unit for width in widths) else 0


def _tab_in_spaces(patch: Patch) -> int:
    """By the first lines of both, which mostly stand at the same place; else the smallest step of the file."""
    tabs, spaces = (indent(_filled(lines)[0]) if _filled(lines) else "" for lines in (patch.new, patch.old))
    unit = len(spaces) // len(tabs) if tabs and len(spaces) % len(tabs) == 0 else 0
    return unit if unit in UNITS else _smallest_step(patch.file)


def _smallest_step(lines: Sequence[str]) -> int:
    widths = [len(indent(line)) for line in _filled(lines) if line.startswith(" ")]
    unit = math.gcd(*widths)
    return unit if unit in UNITS else 0


def _tabbed(line: str, unit: int) -> str:
    lead = indent(line)
    return "\t" * (len(lead) // unit) + line[len(lead) :]


def _spaced(line: str, unit: int) -> str:
    lead = indent(line)
    return " " * (lead.count("\t") * unit) + line[len(lead) :] if set(lead) <= {"\t"} else line


def _readings(patch: Patch) -> list[Sequence[str]]:
    """A replacement that begins at the margin where the old code did not has lost its indentation, in one of two ways:
    every line moved left by as much, or only the first was stripped and the others stand where they should. One line for
    another stands where that one stood, in languages to which this means nothing."""
    old, new = _filled(patch.old), _filled(patch.new)
    if len(patch.old) == len(patch.new) == len(old) == len(new) == 1 and is_free_form(patch.path):
        return [[indent(old[0]) + new[0][len(indent(new[0])) :]]]
    if not old or not new or not indent(old[0]):
        return [patch.new]
    if indent(new[0]):
        return _readings_of_a_block(patch, old, new)
    lead = indent(old[0])
    start = next(number for number, line in enumerate(patch.new) if line.strip())
    first_only = [lead + line if number == start else line for number, line in enumerate(patch.new)]
    if any(not line.startswith(lead) for line in old):
        return [first_only]
    moved = [lead + line if line.strip() else line for line in patch.new]
    return [moved] if moved == first_only else [moved, first_only]


def _readings_of_a_block(patch: Patch, old: Sequence[str], new: Sequence[str]) -> list[Sequence[str]]:
    """Where the block's outermost line is not its first: it was moved left as a whole if that explains where both begin."""
    lead = min((indent(line) for line in old), key=len)
    if not lead or all(indent(line) for line in new) or indent(old[0]) != lead + indent(new[0]):
        return [patch.new]
    return [[lead + line if line.strip() else line for line in patch.new], patch.new]
