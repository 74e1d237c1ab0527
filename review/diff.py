"""A unified diff as values: files, hunks, lines. Parsed by unidiff, corrected where git and unidiff disagree."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from review.finding import Location, Side


class FileStatus(StrEnum):
    """GitHub's words for what happened to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"
    RENAMED = "renamed"


class FileKind(StrEnum):
    """What git holds under a path: only TEXT has lines that can be read and commented on."""

    TEXT = "text"
    BINARY = "binary"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk. `old` and `new` are its 1-based numbers on LEFT and RIGHT; None where it does not exist.

    `text` is the line without its `\\n` (a `\\r` before it stays); bytes that are not UTF-8 are surrogate escapes.
    `ends` is False for a last line with no newline at the end of the file.
    """

    text: str
    old: int | None
    new: int | None
    ends: bool = True

    @property
    def added(self) -> bool:
        return self.old is None

    @property
    def removed(self) -> bool:
        return self.new is None

    def number(self, side: Side) -> int | None:
        return self.new if side is Side.RIGHT else self.old


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines between two `@@` headers; `section` is the text after the header's second `@@`."""

    lines: tuple[Line, ...]
    section: str = ""
    _numbers: Mapping[Side, range] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", {side: _span(self.lines, side) for side in Side})  # asked for each finding

    def numbers(self, side: Side) -> range:
        """The line numbers within this hunk on one side: context and additions RIGHT, deletions and context LEFT."""
        return self._numbers[side]


def _span(lines: tuple[Line, ...], side: Side) -> range:
    first = next((number for line in lines if (number := line.number(side)) is not None), None)
    last = next((number for line in reversed(lines) if (number := line.number(side)) is not None), None)
    return range(0) if first is None or last is None else range(first, last + 1)


def _beside_removed(hunk: Hunk) -> Iterator[int]:
    for before, line, after in zip((None, *hunk.lines), hunk.lines, (*hunk.lines[1:], None), strict=False):
        if line.new is not None and any(other is not None and other.removed for other in (before, after)):
            yield line.new


MOST_ROWS, MOST_BYTES = 20_000, 500_000
"""Of one file's part of a diff (GitHub's docs, repository limits)."""


def _too_large_to_show(hunks: tuple[Hunk, ...]) -> bool:
    if sum(len(hunk.lines) + 1 for hunk in hunks) >= MOST_ROWS:
        return True
    return sum(len(line.text.encode("utf-8", "surrogatepass")) + 2 for hunk in hunks for line in hunk.lines) > MOST_BYTES


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in one file. `path` is the head's (the base's for a removed file); `previous_path` of a rename.

    `unread` says why hunks are missing although the content changed (the API left out the patch, say).
    """

    path: str
    status: FileStatus = FileStatus.MODIFIED
    hunks: tuple[Hunk, ...] = ()
    previous_path: str | None = None
    kind: FileKind = FileKind.TEXT
    old_mode: str | None = None
    new_mode: str | None = None
    unread: str = ""
    too_large_to_show: bool = field(init=False, repr=False, compare=False)
    """GitHub's page shows nothing of it, and takes no comment on it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "too_large_to_show", _too_large_to_show(self.hunks))

    @property
    def type_changed(self) -> bool:
        """A file became a symbolic link, a link a file, and so on: git tells it as a deletion and an addition."""
        return self.old_mode is not None and self.new_mode is not None and self.old_mode[:2] != self.new_mode[:2]

    def lines(self) -> Iterator[Line]:
        for hunk in self.hunks:
            yield from hunk.lines

    def added_numbers(self) -> set[int]:
        """The head's line numbers that the change adds or alters."""
        return {line.new for line in self.lines() if line.new is not None and line.added}

    def numbers_beside_removed(self) -> set[int]:
        """The head's line numbers that stand right before or after a line that the change removes."""
        return {number for hunk in self.hunks for number in _beside_removed(hunk)}

    @property
    def additions(self) -> int:
        return sum(line.added for line in self.lines())

    @property
    def deletions(self) -> int:
        return sum(line.removed for line in self.lines())


@dataclass(frozen=True, slots=True)
class Diff:
    """All files of a change, in git's order. Build with `parse_diff`."""

    files: tuple[FileDiff, ...] = ()
    _by_path: Mapping[str, FileDiff] = field(init=False, repr=False, compare=False)
    _by_base_path: Mapping[str, FileDiff] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_path", _first_of((file.path, file) for file in self.files))  # a change may hold 3,000
        object.__setattr__(self, "_by_base_path", _first_of((file.previous_path or file.path, file) for file in self.files))

    def file(self, path: str) -> FileDiff | None:
        """The file that has this path in the head (in the base, where the change deletes it)."""
        return self._by_path.get(path)

    def file_of(self, place: Location) -> FileDiff | None:
        """The file of these lines. Deleted code is named by the path that it had in the base."""
        return self.base_file(place.path) if place.side is Side.LEFT else self.file(place.path)

    def base_file(self, path: str) -> FileDiff | None:
        """The file that had this path in the base, or else the one that has it in the head."""
        return self._by_base_path.get(path) or self._by_path.get(path)

    @property
    def changed_lines(self) -> int:
        return sum(file.additions + file.deletions for file in self.files)


def _first_of(named: Iterable[tuple[str, FileDiff]]) -> dict[str, FileDiff]:
    found: dict[str, FileDiff] = {}
    for path, file in named:
        found.setdefault(path, file)
    return found
