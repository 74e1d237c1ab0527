"""Read a tar.gz that a stranger made: its files one after the other, none of them whole in memory, and never backwards."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from handlers.api.problem import Code, Problem
from handlers.uploads.bounds import MIB, Bounds, Meter, amount, too_large, unsafe
from handlers.uploads.names import is_root, left_out, safe_name
from handlers.uploads.spool import PIECE, Slice

MOST_HEADERS = MIB // 4
"""Bytes that may stand before one file: tarfile reads long names and attributes as a whole, and obeys what they say."""

BROKEN = (
    tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError, KeyError, IndexError, RecursionError,
)  # fmt: skip
"""What tarfile and gzip raise for what is no sound archive."""


class Damaged(Exception):
    """The archive cannot be read on."""


class Forward:
    """What comes out of a gzip, as a file that tarfile can walk: it goes forward only, and each byte of it is counted."""

    def __init__(self, file: Slice, meter: Meter) -> None:
        self._unpacked = gzip.GzipFile(fileobj=cast(Any, file), mode="rb")
        self._meter = meter
        self._at = self._wanted = self._allowed = 0
        self._before = b""
        self.last = b""

    def allow(self, size: int) -> None:
        """So many bytes may be read from now on; what is passed over is not among them."""
        self._allowed = size

    def tell(self) -> int:
        """Where the next read begins."""
        return self._wanted

    def seek(self, position: int) -> None:
        """The next read begins there."""
        self._wanted = position

    def read(self, size: int) -> bytes:
        """So many bytes, less only at the end. Raises Damaged, Problem."""
        self._allowed -= size
        if size < 0 or self._allowed < 0:
            raise Damaged
        again = b""
        if self._wanted == self._at - 1 and size:  # tarfile looks whether the last byte of a file is there
            again, self._wanted, size = self._before, self._at, size - 1
        if self._wanted < self._at:
            raise Damaged
        while self._at < self._wanted:
            if not self._take(min(PIECE, self._wanted - self._at)):
                break
        self.last = again + self._take(size)
        self._wanted = self._at
        return self.last

    def _take(self, size: int) -> bytes:
        taken = self._unpacked.read(size)
        self._meter.count(len(taken))
        self._at += len(taken)
        self._before = taken[-1:] or self._before
        return taken


def is_tar_gz(file: Slice) -> bool:
    """Whether that is a gzip which begins like a tar."""
    file.seek(0)
    try:
        head = gzip.GzipFile(fileobj=cast(Any, file), mode="rb").read(tarfile.BLOCKSIZE)
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # an empty one
        return True
    except (OSError, *BROKEN):
        return False
    return True


def tar_entries(file: Slice, bounds: Bounds, meter: Meter) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Names and contents. Each content is read before the next name is asked for. Raises Problem."""
    file.seek(0)
    with _errors():
        forward = Forward(file, meter)
        for number, member in enumerate(_members(forward)):
            if number >= bounds.entries:
                raise too_large(f"The archive lists more than {bounds.entries} entries.")
            if member.isdir() and is_root(member.name):
                continue
            name = safe_name(member.name)
            if left_out(name) or member.isdir():
                continue
            _readable(member, bounds)
            yield name, _content(forward, member)


def _members(forward: Forward) -> Iterator[tarfile.TarInfo]:
    forward.allow(MOST_HEADERS)
    archive = tarfile.TarFile(fileobj=cast(Any, forward), encoding="utf-8", errors="surrogateescape")
    while member := archive.next():
        yield member
        archive.members = []  # type: ignore[attr-defined]  # it would keep them all
        forward.allow(MOST_HEADERS)
    if forward.last.strip(b"\0"):
        raise Damaged  # neither the end of the archive nor of the file: a header that is none


def _readable(member: tarfile.TarInfo, bounds: Bounds) -> None:
    if member.issym() or member.islnk():
        raise unsafe(member.name, "is a link")
    if not member.isreg() or member.issparse():
        raise unsafe(member.name, "is a device, a pipe, a file with holes, or something else that is no plain file")
    if member.size < 0:
        raise Damaged
    if member.size > bounds.one:
        raise too_large(f"A file is larger than {amount(bounds.one)}.", member.name)


def _content(forward: Forward, member: tarfile.TarInfo) -> Iterator[bytes]:
    forward.allow(member.size)
    forward.seek(member.offset_data)
    left = member.size
    with _errors():
        while left:
            piece = forward.read(min(PIECE, left))
            if not piece:
                raise Damaged
            left -= len(piece)
            yield piece


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (Damaged, *BROKEN):
        raise Problem(Code.MALFORMED, "The tar.gz is damaged or has headers that are refused: make it anew.") from None
