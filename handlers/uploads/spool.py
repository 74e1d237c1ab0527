"""What was received, on disk: one file without a name, which is gone with the process, and slices of it."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PIECE = 256 * 1024
"""Bytes that are read at a time."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that was sent: what it is called, and where its bytes are."""

    name: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Received:
    """All parts of one body, in one file; `fields` are the other fields of the form."""

    file: IO[bytes]
    parts: list[Part] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all parts together."""
        return sum(part.size for part in self.parts)


def unnamed_file(folder: Path) -> IO[bytes]:
    """A file in that folder which no one else can open, and which is gone once it is closed, however that comes about."""
    return tempfile.TemporaryFile(dir=folder)


class Slice:
    """A part as a file of its own, as zipfile and gzip want one. `most` bounds a single read, where one is given.

    One slice is read at a time: they share the file's position.
    """

    def __init__(self, file: IO[bytes], part: Part) -> None:
        self._file, self._start, self._size, self._at = file, part.start, part.size, 0
        self.most: int | None = None

    @property
    def size(self) -> int:
        """Its bytes."""
        return self._size

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there; gives where that is. Raises BeforeTheBeginning."""
        to = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        if to < 0:
            raise BeforeTheBeginning
        self._at = to
        return to

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all that are left. Raises TooMuchAtOnce."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        if self.most is not None and wanted > self.most:
            raise TooMuchAtOnce
        self._file.seek(self._start + self._at)
        read = self._file.read(wanted)
        self._at += len(read)
        return read


class BeforeTheBeginning(OSError):
    """What a file says as well, and zipfile counts on."""


class TooMuchAtOnce(Exception):
    """An archive's list of contents is larger than it may be."""


def pieces_of(file: Slice) -> Iterator[bytes]:
    """Its bytes, from the beginning."""
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


async def stream_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """All bytes of a file, read in threads."""
    await asyncio.to_thread(file.seek, 0)
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece
