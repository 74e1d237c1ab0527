"""A file as the index knows it: cut into chunks by its syntax, with the words it holds and the names it defines and uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a chunk is. MODULE is what stands outside of all definitions (imports, constants); LINES a mere run of lines."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    MODULE = "module"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole lines, 1-based and inclusive. The chunks of a file do not overlap, and leave out empty lines only.

    `symbol` is the dotted name of what it defines (`Class.method`; empty for MODULE and LINES), `signature` its first lines on
    one line, `doc` the first line of its documentation. A CLASS is its header and fields; its methods are chunks of their own.
    """

    kind: Kind
    symbol: str
    first_line: int
    last_line: int
    text: str
    signature: str = ""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A name that a file defines, without what it is inside of (`method`, not `Class.method`); `chunk` counts from 0."""

    name: str
    chunk: int
    line: int


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """All that is kept of one blob in one language.

    `words` are its identifiers' parts in lower case, each with how often it stands there; `references` are the whole
    identifiers that it uses, without those that only it can mean (keywords, its own parameters need not be left out).
    `note` says why it was cut by lines although its language has a grammar; empty otherwise.
    """

    language: str
    chunks: tuple[Chunk, ...]
    words: Mapping[str, int]
    definitions: tuple[Definition, ...] = ()
    references: frozenset[str] = frozenset()
    note: str = ""

    @property
    def length(self) -> int:
        """How many words it has, repetitions counted: what BM25 calls the document's length."""
        return sum(self.words.values())
