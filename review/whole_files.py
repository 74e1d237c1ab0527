"""Whole files as a change: everything in them is new, so that all that is true of changes is true of them as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from review.change import Change, End
from review.context.languages import language_of
from review.context.tree import LARGEST_FILE
from review.diff import Diff, FileDiff, FileKind, FileStatus, Hunk, Line
from review.lines import line_texts
from review.metrics import DATA

MOST_FILES, MOST_LINES, MOST_BYTES = 5_000, 200_000, 20_000_000
"""Of the files that one analysis reads: each line costs memory in every step. What is beyond is named in the coverage."""

BEYOND = f"beyond the {MOST_FILES:,} files, {MOST_LINES:,} lines or {MOST_BYTES // 1_000_000} MB that one analysis reads"
LARGE = "larger than 1 MB"
LOOKED_AT = 8_000
"""Bytes in which a NUL makes a file binary, as git has it."""


@dataclass(slots=True)
class WholeFiles:
    """Files that are gathered into a change, as many as the bounds allow. Fulfils review.change.Checkout for them."""

    contents: dict[str, bytes] = field(default_factory=dict)
    _files: dict[str, FileDiff] = field(default_factory=dict)
    _lines: int = 0
    _bytes: int = 0

    def add(self, path: str, data: bytes) -> None:
        """One file with what is in it; it is left out, with the reason, where it is too much or no text."""
        if b"\0" in data[:LOOKED_AT]:
            self._files[path] = FileDiff(path, FileStatus.ADDED, kind=FileKind.BINARY)
            return
        lines = data.count(b"\n") + 1
        if len(data) > LARGEST_FILE:
            self.leave_out(path, LARGE)
        elif self.full or self._lines + lines > MOST_LINES or self._bytes + len(data) > MOST_BYTES:
            self.leave_out(path, BEYOND)
        else:
            self._files[path] = whole_file(path, data)
            self.contents[path] = data
            self._lines += lines
            self._bytes += len(data)

    def leave_out(self, path: str, because: str) -> None:
        """A file that is not read."""
        self._files[path] = FileDiff(path, FileStatus.ADDED, unread=because)

    @property
    def full(self) -> bool:
        """Whether there is room for no other file."""
        return len(self.contents) >= MOST_FILES or self._lines >= MOST_LINES or self._bytes >= MOST_BYTES

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The files that were added: all of them are new, so that there is nothing at the base."""
        if end is End.BASE:
            return {}
        return {path: self.contents[path] for path in paths if path in self.contents}

    def change(self, head_sha: str, title: str) -> Change:
        """The change that adds all of them, in the order of their paths."""
        diff = Diff(tuple(self._files[path] for path in sorted(self._files)))
        left_out = sum(file.unread == BEYOND for file in diff.files)
        unread = (f"{left_out:,} {'file is' if left_out == 1 else 'files are'} {BEYOND}.",) if left_out else ()
        return Change(diff, self, "", head_sha, title, unread=unread)


def whole_file(path: str, data: bytes) -> FileDiff:
    """That file as a change that adds it."""
    texts = line_texts(data)
    if not texts:
        return FileDiff(path, FileStatus.ADDED, unread="empty")
    ends = data.endswith(b"\n")
    lines = tuple(Line(text, None, number, ends or number < len(texts)) for number, text in enumerate(texts, 1))
    return FileDiff(path, FileStatus.ADDED, (Hunk(lines),))


def code_first(path: str) -> tuple[bool, str]:
    """The order in which files are read, should there be more than one analysis takes: code, then all else, by path."""
    language = language_of(path)
    return not language or language in DATA, path
