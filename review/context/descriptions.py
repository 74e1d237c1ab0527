"""What is said about a definition in a line: its name, its signature, and the first sentence of its documentation."""

import re
from collections.abc import Sequence

from review.context.words import LONGEST

LONGEST_SIGNATURE = 200
LONGEST_DOC = 200
LONGEST_SYMBOL = 200
MOST_NAMES = 20
"""Names that one declaration binds: `const {a, b} = …` has a few."""

IDENTIFIER = re.compile(r"[^\W\d][\w$]*")
BINDING = re.compile(r"[\w$\s,(){}]+")
"""What binds names and nothing else: `a, b` or `{a, b}`, but not `a[0]` or `a.b`."""
EXPORTED = re.compile(r"^((module\.)?exports|window|global|globalThis|this)\.|\.prototype(?=\.)")
TYPE_ARGUMENTS = re.compile(r"(?<=\w)\s*<[^<>]*(<[^<>]*>[^<>]*)*>")
SYMBOL = re.compile(r"[\w$.~#@?!=-]+|.*\boperator\W+|\W{1,3}")
RECEIVER = re.compile(r"([^\W\d]\w*)\s*(?:\[[^\]]*\])?\s*\)?$")
DOCSTRING = re.compile(r"\s*[rRuUbB]{0,2}(\"\"\"|'''|\"|')\\?\s*([^\n]*?)\s*(?:\1|$)", re.MULTILINE)
OPENING = re.compile(r"[\s{:=(]+(=>)?[\s{]*$")
MARKS = re.compile(r"^[\s/*#!<;-]+|[\s*/]+$")
TAG = re.compile(r"</?[a-z]\w*[^<>]*>")
NOT_SAID = re.compile(r"@|\[|(eslint|pylint|noqa|type:|rubocop|noinspection|pragma|go:|nolint|prettier|ts-ignore|istanbul)\b")


def symbol_of(name: str) -> str:
    """The dotted symbol of what is called this in its language: `A::b` is `A.b`, `exports.f` is `f`, `Map<K, V>` is `Map`.

    Empty where it has no name of its own, as `handlers[event]`.
    """
    if len(name) > LONGEST_SYMBOL:
        return ""
    plain = TYPE_ARGUMENTS.sub("", name.replace("::", ".").replace(":", "."))
    plain = EXPORTED.sub("", "".join(plain.split()).strip("\"'`&*"))
    return plain if SYMBOL.fullmatch(plain) else ""


def bare_name(symbol: str) -> str:
    """The identifier by which the code elsewhere calls this symbol; empty where it has none."""
    names = IDENTIFIER.findall(symbol.rpartition(".")[2])
    return names[-1] if names and 1 < len(names[-1]) <= LONGEST else ""


def bound_names(pattern: str) -> Sequence[str]:
    """The names that a declaration binds: those in `a, b` and `{a, b}`; none where it sets a part of something."""
    if len(pattern) > 2000 or not BINDING.fullmatch(pattern):
        return ()
    return [name for name in IDENTIFIER.findall(pattern) if 1 < len(name) <= LONGEST][:MOST_NAMES]


def receiver_of(text: str) -> str:
    """The type that a Go method belongs to: `Command` for `(c *Command)` and for `(Command[T])`."""
    match = RECEIVER.search(text[:LONGEST_SYMBOL])
    return match[1] if match else ""


def signature_of(text: str) -> str:
    """The beginning of a definition on one line, without what opens its body."""
    line = OPENING.sub("", " ".join(text[: 4 * LONGEST_SIGNATURE].split()))
    return shortened(line, LONGEST_SIGNATURE)


def doc_above(lines: Sequence[str]) -> str:
    """The first line that says something in the comments above a definition."""
    for line in lines:
        if len(line) > 10 * LONGEST_DOC or NOT_SAID.match(MARKS.sub("", line)):
            continue
        said = MARKS.sub("", TAG.sub("", line))
        if IDENTIFIER.search(said):
            return first_sentence(said)
    return ""


def docstring_in(body: str) -> str:
    """The first line of the string that a body begins with."""
    match = DOCSTRING.match(body[: 10 * LONGEST_DOC])
    return first_sentence(match[2]) if match else ""


def first_sentence(text: str) -> str:
    """A line up to the end of its first sentence."""
    return shortened(text.partition(". ")[0].strip(), LONGEST_DOC)


def shortened(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
