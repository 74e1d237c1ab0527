"""Builders for uploads: archives that are sound, and others that a stranger would send."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any

from tests.builders_api import Person

CODE: Mapping[str, bytes] = {"app/main.py": b"import os\nprint(os.name)\n", "README.md": b"# Hello\n", "empty.txt": b""}


def a_zip(files: Mapping[str, bytes] = CODE, *, store: bool = False) -> bytes:
    """A zip of these files, as any tool makes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED if store else zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def a_zip_entry(name: str, content: bytes = b"x", *, mode: int = stat.S_IFREG, flags: int = 0) -> bytes:
    """A zip of one entry of that kind (`stat.S_IFLNK` …) beside a plain file, with these flags set in its headers."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("plain.py", b"x = 1\n")
        info = zipfile.ZipInfo("placeholder")
        info.filename = info.orig_filename = name
        info.external_attr = (mode | 0o644) << 16
        archive.writestr(info, content)
    written = bytearray(made.getvalue())
    if flags:
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            written[written.rindex(signature) + offset] |= flags
    return bytes(written)


def a_tar(files: Mapping[str, bytes] = CODE, *, format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of these files, not yet compressed."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def a_tar_gz(files: Mapping[str, bytes] = CODE, *, format: int = tarfile.PAX_FORMAT) -> bytes:
    """The same, compressed."""
    return gzip.compress(a_tar(files, format=format), mtime=0)


def a_tar_entry(name: str, content: bytes = b"x", **of: Any) -> bytes:
    """A tar.gz of one entry with these attributes of tarfile.TarInfo (`type`, `linkname` …) beside a plain file."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        plain, info = tarfile.TarInfo("plain.py"), tarfile.TarInfo(name)
        plain.size, info.size = 6, len(content)
        for attribute, value in of.items():
            setattr(info, attribute, value)
        archive.addfile(plain, io.BytesIO(b"x = 1\n"))
        archive.addfile(info, io.BytesIO(content))
    return gzip.compress(made.getvalue(), mtime=0)


async def uploaded(person: Person, files: Mapping[str, bytes] = CODE, **query: Any) -> dict[str, Any]:
    """The data of an upload of these files, made by that person; `organization_id` as in the query."""
    answer = await person.post("/uploads", files={"file": ("code.zip", a_zip(files))}, params=query)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data
