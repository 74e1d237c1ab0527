"""A suggestion laid on its file: the lines that go, the lines that come, and their neighbours."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from review.finding import Suggestion
from review.lines import common_end, end_of, split_lines

ANY_END = frozenset({b"\r\n", b"\n"})

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Patch:
    """Lines are text without their ends; `end` is how the file's lines end (`\\r\\n` or `\\n`).

    `file` are all lines of the head's file, of which `first`..`last` (1-based, inclusive) are replaced by `new`;
    no new lines at all delete them. `ends` is False where the last replaced line has no end, at the end of the file.
    """

    path: str
    data: bytes
    file: tuple[str, ...]
    first: int
    last: int
    end: str
    ends: bool
    new: tuple[str, ...]

    @property
    def old(self) -> tuple[str, ...]:
        return self.file[self.first - 1 : self.last]

    @property
    def before(self) -> tuple[str, ...]:
        return self.file[: self.first - 1]

    @property
    def after(self) -> tuple[str, ...]:
        return self.file[self.last :]

    @property
    def replacement(self) -> str:
        """The new lines as a Suggestion holds them: each with the `\\r` that its line end begins with, where it has one."""
        last = "\r" if self.new and self.ends and self.end == "\r\n" else ""
        return self.end.join(self.new) + last

    def applied(self) -> bytes:
        """The whole file afterwards."""
        return apply_suggestions(self.data, [Suggestion(self.first, self.last, self.replacement)])


def lay(path: str, data: bytes, suggestion: Suggestion) -> Patch | str:
    """The patch, or a clause that says why the suggestion cannot be laid on that file at all."""
    first, last = suggestion.first_line, suggestion.last_line
    try:
        data.decode()
    except UnicodeDecodeError:
        return "the file is not UTF-8"
    if first == 1 and data.startswith(BYTE_ORDER_MARK):
        return "the file begins with a byte order mark, which a comment cannot carry"
    lines = _lines(data)
    if not 1 <= first <= last <= len(lines):
        return f"the file has no lines {first} to {last}"
    if _mixed(data):
        return "the file mixes two kinds of line ends"
    ends = bool(end_of(lines[last - 1]))
    return Patch(path, data, _texts(data), first, last, common_end(lines[:1]), ends, as_lines(suggestion.replacement))


@lru_cache(maxsize=4)  # many suggestions are laid on one file: it is split once
def _lines(data: bytes) -> tuple[bytes, ...]:
    return tuple(split_lines(data))


@lru_cache(maxsize=4)
def _texts(data: bytes) -> tuple[str, ...]:
    return tuple(line.decode().removesuffix("\n").removesuffix("\r") for line in _lines(data))


@lru_cache(maxsize=4)
def _mixed(data: bytes) -> bool:
    return {end_of(line) for line in _lines(data)} >= ANY_END


def as_lines(replacement: str) -> tuple[str, ...]:
    """The lines of a replacement, whichever ends it is written with; an empty one has none."""
    return tuple(line.removesuffix("\r") for line in replacement.split("\n")) if replacement else ()


def apply_suggestions(data: bytes, suggestions: Iterable[Suggestion]) -> bytes:
    """The file after GitHub applied these suggestions in one batch.

    Whole lines are replaced as they stand; the last new line ends as the last replaced one did, at the end of the file too.
    A replacement of "" deletes the lines. Raises ValueError where a range is not in the file, or two of them overlap.
    """
    lines = list(_lines(data))
    bottom = len(lines) + 1
    for suggestion in sorted(suggestions, key=lambda s: s.first_line, reverse=True):  # upwards: numbers above stay right
        first, last = suggestion.first_line, suggestion.last_line
        if not 1 <= first <= last < bottom:
            raise ValueError(f"lines {first} to {last} are not in the file, or another suggestion replaces them too")
        lines[first - 1 : last] = new_lines(suggestion.replacement, lines[last - 1])
        bottom = first
    return b"".join(lines)


def new_lines(replacement: str, last: bytes) -> list[bytes]:
    """The replacement as GitHub writes it into the file, where `last` is the last line that it replaces."""
    return [replacement.removesuffix("\r").encode("utf-8", "surrogateescape") + end_of(last)] if replacement else []
