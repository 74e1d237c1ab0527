"""The changed files of a proposal as one zip, the same bytes for the same files."""

import io
import zipfile
from collections.abc import Iterable

from review.proposal import FileChange

THE_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""That a zip can tell of: an archive says nothing about when it was made."""

READABLE = 0o100644 << 16


def packed(files: Iterable[FileChange]) -> bytes:
    """The files as they are afterwards, by their paths."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            member = zipfile.ZipInfo(file.path, THE_FIRST_DAY)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, READABLE
            archive.writestr(member, file.after)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files in an archive of ours, by path."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
