"""From what was received to one zip of safe names: archives are unpacked within bounds, plain files taken as they are."""

import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from handlers.api.problem import Code, Problem
from handlers.uploads.bounds import Bounds, Meter, amount, too_large, unsafe
from handlers.uploads.media_type import SNIFFED, media_type
from handlers.uploads.names import left_out, safe_name
from handlers.uploads.spool import Part, Received, Slice, pieces_of, unnamed_file
from handlers.uploads.tar_entries import is_tar_gz, tar_entries
from handlers.uploads.zip_entries import zip_entries
from storage.uploads import UploadedFile

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""The beginnings of a zip with files and of an empty one."""

LEVEL = 3
"""Of deflate: twice as fast as the usual one, for some hundredths more."""


class Stopped(Exception):
    """Nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One zip in a file without a name, and what is in it."""

    file: IO[bytes]
    files: list[UploadedFile] = field(default_factory=list)


def unpack(received: Received, bounds: Bounds, folder: Path, stop: threading.Event) -> Packed:
    """All that was received as one zip, in a file of that folder which is the caller's to close. Raises Problem, Stopped."""
    meter = Meter(bounds, received.size)
    packed = Packed(unnamed_file(folder))
    with ExitStack() as unless_done:
        unless_done.callback(packed.file.close)
        with zipfile.ZipFile(packed.file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
            packer = Packer(archive, bounds, stop, packed.files)
            for part in received.parts:
                for name, pieces in _entries(Slice(received.file, part), part, bounds, meter):
                    packer.add(name, pieces)
        if not packed.files:
            raise Problem(Code.INVALID, "There is no file in it: send at least one.", [{"at": "file", "is": "empty"}])
        unless_done.pop_all()
    return packed


def _entries(file: Slice, part: Part, bounds: Bounds, meter: Meter) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files that a part stands for, by what it holds: an archive's, or itself. Archives within archives stay closed."""
    beginning = file.read(4)
    if beginning in ZIP:
        return zip_entries(file, bounds, meter)
    if is_tar_gz(file):
        return tar_entries(file, bounds, meter)
    name = safe_name(part.name)
    return iter([] if left_out(name) else [(name, _counted(file, meter))])


def _counted(file: Slice, meter: Meter) -> Iterator[bytes]:
    for piece in pieces_of(file):
        meter.count(len(piece))
        yield piece


class Packer:
    """Writes files into a zip, each name once, and notes what they are."""

    def __init__(self, archive: zipfile.ZipFile, bounds: Bounds, stop: threading.Event, files: list[UploadedFile]) -> None:
        self._archive = archive
        self._bounds = bounds
        self._stop = stop
        self._files = files
        self._names: set[str] = set()
        self._folders: set[str] = set()

    def add(self, name: str, pieces: Iterator[bytes]) -> None:
        """Write that file. Raises Problem, Stopped."""
        self._claim(name)
        size, head = 0, b""
        with self._archive.open(name, "w") as member:
            for piece in pieces:
                if self._stop.is_set():
                    raise Stopped
                size += len(piece)
                if size > self._bounds.one:
                    raise too_large(f"A file is larger than {amount(self._bounds.one)}.", name)
                head += piece[: SNIFFED - len(head)]
                member.write(piece)
        self._files.append(UploadedFile(name, size, media_type(name, head)))

    def _claim(self, name: str) -> None:
        """Make sure that the name is free, and that nothing is both file and folder."""
        if len(self._names) == self._bounds.files:
            raise too_large(f"There are more than {self._bounds.files} files in it.")
        folders = {str(folder) for folder in PurePosixPath(name).parents}
        if name in self._names:
            raise unsafe(name, "is there twice")
        if name in self._folders or folders & self._names:
            raise unsafe(name, "is both a file and a folder")
        self._names.add(name)
        self._folders |= folders
