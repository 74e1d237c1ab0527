"""Read a zip that a stranger made: its files one after the other, none of them whole in memory."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from handlers.api.problem import Code, Problem
from handlers.uploads.bounds import Bounds, Meter, amount, too_large, unsafe
from handlers.uploads.names import is_root, left_out, safe_name
from handlers.uploads.spool import PIECE, BeforeTheBeginning, Slice, TooMuchAtOnce

DIRECTORY_BYTES = 800
"""Bytes that the list of contents may take for each file that is allowed: zipfile reads it as a whole."""

ENCRYPTED, UTF8 = 0x1, 0x800
HEADER = 30
"""Bytes of the header before each file, without its name."""

BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, BeforeTheBeginning, EOFError, NotImplementedError, ValueError, OverflowError,
    RuntimeError,
)  # fmt: skip
"""What zipfile raises for what is no sound zip."""


def zip_entries(file: Slice, bounds: Bounds, meter: Meter) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Names and contents. Each content is read before the next name is asked for. Raises Problem."""
    with _errors(), _opened(file, bounds) as archive:
        infos = archive.infolist()
        if len(infos) > bounds.entries:
            raise too_large(f"The archive lists more than {bounds.entries} entries.")
        _apart(infos, file.size)
        for info in infos:
            if _is_folder(info) and is_root(_name(info)):
                continue
            name = safe_name(_name(info))
            if left_out(name) or _is_folder(info):
                continue
            _readable(info, bounds)
            yield name, _content(archive, info, meter)


def _opened(file: Slice, bounds: Bounds) -> zipfile.ZipFile:
    file.most = max(64 * 1024, bounds.files * DIRECTORY_BYTES)
    try:
        return zipfile.ZipFile(cast(Any, file))
    except TooMuchAtOnce:
        raise too_large("The archive lists more entries than are allowed.") from None
    finally:
        file.most = None


def _apart(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Make sure that no two entries share bytes: a small zip could hold the same bytes a million times."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset for info in ordered[1:]] + [size]
    for info, end in zip(ordered, ends, strict=False):
        if info.header_offset < 0 or info.header_offset + HEADER + info.compress_size > end:
            raise unsafe(info.orig_filename, "shares its bytes with another entry")


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was written. Where it is not marked as UTF-8 it mostly is all the same (macOS, Info-ZIP)."""
    name = info.orig_filename
    if info.flag_bits & UTF8 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeDecodeError:
        raise unsafe(name, "is not UTF-8") from None


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.orig_filename.endswith("/") or stat.S_ISDIR(info.external_attr >> 16)


def _readable(info: zipfile.ZipInfo, bounds: Bounds) -> None:
    name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise unsafe(name, "is a link")
    if kind not in (0, stat.S_IFREG):
        raise unsafe(name, "is a device, a pipe or something else that is no file")
    if info.flag_bits & ENCRYPTED:
        raise unsafe(name, "is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise unsafe(name, "is compressed in another way than deflate")
    if info.file_size > bounds.one:
        raise too_large(f"A file is larger than {amount(bounds.one)}.", name)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, meter: Meter) -> Iterator[bytes]:
    size = 0
    with _errors(info.orig_filename), archive.open(info) as member:
        while piece := member.read(PIECE):
            meter.count(len(piece))
            size += len(piece)
            yield piece
    if size != info.file_size:
        raise unsafe(info.orig_filename, "is not as large as the archive says")


@contextmanager
def _errors(entry: str | None = None) -> Iterator[None]:
    try:
        yield
    except BROKEN:
        if entry is not None:
            raise unsafe(entry, "is not what the archive says of it, or is damaged") from None
        raise Problem(Code.MALFORMED, "The zip is damaged: make it anew.") from None
