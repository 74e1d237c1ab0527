"""What keeps a replacement from being published by its text alone: size, signs, ellipses, prose, repeated neighbours."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from review.clean import BLANK, MARK
from review.suggestions.mend import indent, indents_with
from review.suggestions.patch import Patch

MAX_LINES = 100
MAX_BYTES = 10_000
MOST_REPEATED = 10
"""Neighbouring lines that are held against the replacement's own first and last ones."""

LEAST_TELLING = 8
"""Letters and digits of a line that is hardly ever there twice in a row, at whatever depth."""

NO_PROSE = re.compile(
    r"(^|/)(CMakeLists|robots|[^/]*(requirements|constraints)[^/]*)\.txt$|(^|/)requirements/[^/]+\.txt$", re.IGNORECASE
)
PROSE_NAMES = re.compile(r"\.(md|markdown|mdx|rst|txt|adoc|org|tex|html?|feature|po)$|(^|/)[A-Z]+$", re.IGNORECASE)
SENTENCE = re.compile(r"\s*[A-Z][a-z']+(?: [\w'`\"().,:;/-]+){3,}\s*$")
COMMENT = re.compile(r"^\s*(?:#|//|/\*+|\*|--|<!--|;+|%|\{/\*|\"\"\")\s*(.*?)\s*(?:\*/\}?|-->)?\s*$")
DOTS = r"(?:\.{3,}|…)"
WHAT = r"(?:code|lines?|implementation|logic|methods?|functions?|class(?:es)?|imports?|file|body|content|fields?|cases?|tests?)"
ELISION = re.compile(
    rf"(?:{DOTS}|{DOTS}.*{DOTS}|{DOTS}.*\b(?:rest|existing|remaining|unchanged|previous|other|same|omitted|more|code)\b.*"
    rf"|.*\b(?:rest|existing|remaining|unchanged|previous|other|same|omitted|code|implementation|goes)\b.*{DOTS}"
    rf"|(?:the\s+)?(?:rest|remainder)\s+of\s+(?:the\s+|your\s+)?(?:\w+\s+)?{WHAT}"
    rf"(?:\s+(?:here|unchanged|remains?.*|stays?.*|is .*same))?\W*"
    rf"|(?:the\s+)?(?:existing|remaining|unchanged|previous|original|your|other)\s+{WHAT}"
    rf"(?:\s+(?:here|unchanged|goes here|continues|remains?(?: unchanged| the same)?|stays?.*|follows))?\W*"
    rf"|(?:unchanged|same as (?:before|above)|(?:code|implementation) (?:omitted|unchanged|goes here)|omitted)\W*)$",
    re.IGNORECASE,
)
FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*\s*$")
CURLY = "\u2018\u2019\u201c\u201d"
LONGEST_ELISION = 200
"""Characters of a comment that says no more than that something is left out; the patterns are slow on longer ones."""

LOOK_ALIKE = re.compile(r"\w*(?:[A-Za-z][\u0400-\u052f]|[\u0400-\u052f][A-Za-z])\w*")
NUMBERED = re.compile(r"\s*(\d+)\s*[:|→\t ]")


def why_unfit(patch: Patch) -> str:
    """A clause that says why this replacement is not published, or an empty string when its text gives no reason."""
    return next((because for rule in RULES if (because := rule(patch))), "")


def too_large(patch: Patch) -> str:
    """A suggestion is read before it is pressed."""
    if max(len(patch.new), len(patch.old)) > MAX_LINES:
        return f"it is longer than {MAX_LINES} lines"
    size = max(len("\n".join(lines).encode("utf-8", "surrogatepass")) for lines in (patch.new, patch.old))
    return f"it is larger than {MAX_BYTES // 1000} KB" if size > MAX_BYTES else ""


def unsendable(patch: Patch) -> str:
    """Characters that JSON or Markdown would alter on their way, or that hide what the code does."""
    text = "\n".join(patch.new)
    if "\0" in text or "\r" in text or any(unicodedata.category(c) == "Cs" for c in text):
        return "it holds characters that a comment cannot carry"
    before = "\n".join(patch.old)
    if MARK.search(text):
        return "it holds what looks like a mark of this app"
    if _hidden(text) - _hidden(before):
        return "it brings in invisible or control characters"
    alike = Counter(LOOK_ALIKE.findall(text)) - Counter(LOOK_ALIKE.findall(before))
    return "it brings in a word of Latin and Cyrillic letters, which look alike" if alike else ""


def _hidden(text: str) -> Counter[str]:
    """Control, format (bidi, zero width), filler, private, separator and replacement characters; not tabs and line ends."""
    return Counter(c for c in text if c not in "\n\t" and (not c.isprintable() or c in BLANK or c == "\ufffd"))


def unchanged(patch: Patch) -> str:
    """GitHub's page refuses what changes nothing."""
    return "it changes nothing" if patch.new == patch.old or patch.applied() == patch.data else ""


def ambiguous(patch: Patch) -> str:
    """What a block cannot say so that everybody reads it alike."""
    if patch.new and not any(line.strip() for line in patch.new):
        return "it is nothing but empty lines"
    if not patch.new and len(patch.old) == len(patch.file):
        return "it deletes all that the file holds"
    if not patch.new and not patch.ends:
        return "it deletes the last line, whose missing line end would move to the line before it"
    if not patch.ends and not patch.new[-1]:
        return "it would give the file's last line an end, which it does not have"
    return ""


def elided(patch: Patch) -> str:
    """`# ... rest of the code` in place of code would delete that code."""
    brought = (line for line in patch.new if line not in patch.old and len(line) <= LONGEST_ELISION)
    comments = (match[1].strip("()[]<>") for line in brought if (match := COMMENT.match(line)))
    return "it leaves out code (an ellipsis in place of lines)" if any(map(ELISION.match, comments)) else ""


def prose(patch: Patch) -> str:
    """Advice in place of code."""
    if _is_prose(patch.path) or not patch.new:
        return ""
    filled = [line for line in patch.new if line.strip()]
    advice = filled and all(SENTENCE.match(line) for line in filled)
    return "it is prose, not code" if advice and not any(SENTENCE.match(line) for line in patch.old) else ""


def _is_prose(path: str) -> bool:
    return PROSE_NAMES.search(path) is not None and not NO_PROSE.search(path)


def marked_up(patch: Patch) -> str:
    """Markdown around code, or the quotation marks of prose in it: an editor's doing, which some languages even accept."""
    new, old = "\n".join(patch.new), "\n".join(patch.old)
    if _is_prose(patch.path):
        return ""
    if any(FENCE.match(line) for line in patch.new) and "```" not in old and "~~~" not in old:
        return "it holds a Markdown fence"
    curly, straight = (sum(map(text.count, marks)) - sum(map(old.count, marks)) for text, marks in ((new, CURLY), (new, "\"'")))
    return "it turns straight quotation marks into curly ones" if curly > 0 > straight else ""


def a_diff(patch: Patch) -> str:
    """Lines copied together with a diff's signs, or with the numbers that they were shown with."""
    filled = [line for line in patch.new if line.strip()]
    known = {line.lstrip()[:1] for line in patch.old}
    whole = any(line == "-" + old for line in filled for old in patch.old) and any(line.startswith("+") for line in filled)
    if whole or (_signed(filled) and not known & {"+", "-"}) or (_all_added(filled) and "+" not in known):
        return "it is written as a diff"
    numbers = [int(match[1]) for line in filled if (match := NUMBERED.match(line))]
    if len(numbers) == len(filled) and numbers and numbers == list(range(patch.first, patch.first + len(numbers))):
        return "its lines carry numbers"
    return ""


def _all_added(lines: Sequence[str]) -> bool:
    return bool(lines) and all(line.lstrip().startswith("+") and line.lstrip()[1:2] != "+" for line in lines)


def _signed(lines: Sequence[str]) -> bool:
    """Whether all begin with a sign, or some with each and the others with a space. `--x` and `++x` are code."""
    signs = [bare[0] for line in lines if (bare := line.lstrip())[0] in "+-" and bare[1:2] != bare[0]]
    others = [line for line in lines if line.lstrip()[0] not in "+-"]
    return bool(signs) and (len(signs) == len(lines) or (len(set(signs)) == 2 and all(line[0] == " " for line in others)))


def foreign_indent(patch: Patch) -> str:
    """Tabs where the file has spaces, or the other way round. One space before a `*` is how comments are aligned."""
    wanted = indents_with(patch)
    led = {indent(line)[:1] for line in patch.new if line.strip() and not line.startswith(" *")} - {""}
    if wanted and led - {wanted}:
        return (
            "it indents with spaces where the file uses tabs"
            if wanted == "\t"
            else "it indents with tabs where the file uses spaces"
        )
    return ""


def repeats_neighbours(patch: Patch) -> str:
    """Context lines that the model copied into its replacement would stand there twice."""
    if _overlap(patch.before[: -MOST_REPEATED - 1 : -1], patch.new[::-1], patch.old[::-1]):
        return "it repeats the lines before it"
    return "it repeats the lines after it" if _overlap(patch.after[:MOST_REPEATED], patch.new, patch.old) else ""


def _overlap(neighbours: Sequence[str], new: Sequence[str], old: Sequence[str]) -> bool:
    """Whether the replacement's outer lines are its neighbours again; both are given as seen from the end that they share."""
    return _repeats(neighbours, new, old, str.rstrip) or _repeats(neighbours, new, old, _telling)


def _repeats(neighbours: Sequence[str], new: Sequence[str], old: Sequence[str], reading: Callable[[str], str]) -> bool:
    near, come, gone = ([reading(line) for line in lines] for lines in (neighbours, new, old))
    for count in range(1, min(MOST_REPEATED, len(near), len(come)) + 1):
        if any(near[:count]) and near[:count] == come[-count:] != gone[-count:]:
            return True
    return False


def _telling(line: str) -> str:
    """A line that is known wherever it stands: a neighbour may have been moved with code that lost its indentation. Those
    with little on them, such as `}`, stand next to each other at several depths in sound code."""
    bare = line.strip()
    return bare if sum(map(str.isalnum, bare)) >= LEAST_TELLING else line.rstrip()


RULES: tuple[Callable[[Patch], str], ...] = (
    too_large,
    unsendable,
    ambiguous,
    unchanged,
    elided,
    prose,
    marked_up,
    a_diff,
    foreign_indent,
    repeats_neighbours,
)
