"""Parse a file for the index: cut into chunks by its syntax or by lines, with its words and the names it defines and uses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from review.context.chunk import Chunk, Definition, Kind, ParsedFile
from review.context.cut_definitions import MOST_LINES, Piece, cut_definitions
from review.context.cut_lines import cut_lines
from review.context.find_definitions import OUTSIDE, Found
from review.context.languages import Language, Role, language_of, languages
from review.context.tree import LARGEST_FILE
from review.context.words import names_of, words_of
from review.tree_process import GaveUp, tree_process

MAX_TREE_BYTES = 300_000
"""What tree-sitter is given: rubbish costs it several seconds a megabyte."""
MAX_TREE_LINE = 5_000
"""Bytes of a line: the place of each node in a line is counted from its beginning."""
DEEPEST = 200
"""Brackets inside of brackets: tree-sitter takes quadratic time and memory to mend what is nested deeply and never closed."""
STEPS = {ord(bracket): step for brackets, step in (("([{", 1), (")]}", -1)) for bracket in brackets}
NO_BRACKETS = bytes(set(range(256)) - set(STEPS))


MOST_NAMES = 20_000
"""Different names of one file that are kept: more, and they are data. The largest of well-known sources have some 10,000."""


def parse(path: str, data: bytes) -> ParsedFile:
    """The file as the index knows it, in the language that its name promises. Bytes that are not UTF-8 are replaced.

    Of a file larger than LARGEST_FILE nothing is kept, and its `note` says so.
    """
    name = language_of(path)
    if len(data) > LARGEST_FILE:
        return ParsedFile(name, (), {}, note=f"larger than {LARGEST_FILE:,} bytes")
    source = _text(data)
    language = languages().get(name)
    if language is None or not language.kinds:
        return _by_lines(name, source)
    note = why_not_by_syntax(language, data)
    if note:
        return _by_lines(name, source, note)
    try:
        return _by_syntax(language, source)
    except GaveUp:
        return _by_lines(name, source, "too much for its parser")


def parse_by_lines(path: str, data: bytes, because: str) -> ParsedFile:
    """The same without a look at its syntax, which takes a fraction of the time; `because` becomes its note."""
    return _by_lines(language_of(path), _text(data), because)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")


def why_not_by_syntax(language: Language, data: bytes) -> str:
    """Why this file is too much for the parser of its language, or an empty string."""
    most = language.largest or MAX_TREE_BYTES
    if len(data) > most:
        return f"larger than {most:,} bytes"
    if max(map(len, data.split(b"\n"))) > MAX_TREE_LINE:
        return f"has a line longer than {MAX_TREE_LINE:,} bytes"
    if max(accumulate(map(STEPS.__getitem__, data.translate(None, NO_BRACKETS))), default=0) > DEEPEST:
        return f"nested deeper than {DEEPEST} brackets"
    return ""


def _names(source: str) -> Counter[str]:
    names = names_of(source)
    return names if len(names) <= MOST_NAMES else Counter(dict(names.most_common(MOST_NAMES)))


def _by_lines(language: str, source: str, note: str = "") -> ParsedFile:
    lines = source.split("\n")
    spans = cut_lines(lines, (0, len(lines) - 1), MOST_LINES)
    chunks = tuple(Chunk(Kind.LINES, "", first + 1, last + 1, "\n".join(lines[first : last + 1])) for first, last in spans)
    names = _names(source)
    return ParsedFile(language, chunks, words_of(names), references=frozenset(names), note=note)


def _by_syntax(language: Language, source: str) -> ParsedFile:
    lines = source.split("\n")
    found = tree_process().definitions(language.name, source)
    pieces = cut_definitions(lines, found)
    names = _names(source)
    return ParsedFile(
        language=language.name,
        chunks=tuple(_chunk(lines, found, piece) for piece in pieces),
        words=words_of(names),
        definitions=tuple(_definitions(lines, pieces, found)),
        references=frozenset(names),
    )


def _chunk(lines: Sequence[str], found: Sequence[Found], piece: Piece) -> Chunk:
    first, last = piece.span
    text = "\n".join(lines[first : last + 1])
    if piece.of == OUTSIDE:
        return Chunk(Kind.MODULE, "", first + 1, last + 1, text)
    what = found[piece.of]
    return Chunk(_kind(found, what), what.symbol, first + 1, last + 1, text, what.signature, what.doc)


def _kind(found: Sequence[Found], what: Found) -> Kind:
    if what.role is not Role.FUNCTION:
        return Kind.CLASS
    in_class = what.is_method or (what.inside != OUTSIDE and found[what.inside].role in (Role.CLASS, Role.PART))
    return Kind.METHOD if in_class else Kind.FUNCTION


def _definitions(lines: Sequence[str], pieces: Sequence[Piece], found: Sequence[Found]) -> Iterator[Definition]:
    """Each name once a line, with the chunk that holds it. What a parser puts together out of broken code is no name."""
    chunk_of = {line: place for place, piece in enumerate(pieces) for line in range(piece.span[0], piece.span[1] + 1)}
    names = dict.fromkeys((name, what.name_line) for what in found for name in what.names)
    for name, line in names:
        if name in lines[line]:
            yield Definition(name, chunk_of[line], line + 1)
