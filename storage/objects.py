"""Files that last: a local folder or an S3 bucket, by one interface."""

import io
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from review.errors import RefactorIQError, TryAgain, UserError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

KEY = re.compile(r"(?:uploads|analyses|proposals|exports|temp)(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,199}){1,4}")
"""What a key may be. None is made of what people name, so that no name leads anywhere."""

PART = 5 * 1024 * 1024
"""Bytes of each part that is sent to S3, which takes none that is smaller. Up to AT_ONCE of them are held in memory."""

AT_ONCE = 4
CHUNK = 256 * 1024
"""Bytes that are read at least at a time."""

ATTEMPTS, PATIENCE = 3, timedelta(seconds=20)
"""How often S3 is asked again, and for how long, before it counts as away."""

CONNECT, WHOLE = "5 seconds", "15 minutes"
"""How long S3 may take to be reached, and for one request with its body, which goes as slowly as the one who reads it."""


class NotThere(RefactorIQError):
    """There is no object with that key (any more)."""


class StoreAway(TryAgain):
    """The place where files are kept cannot be reached just now, or refuses us."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a list tells of it; `size` in bytes."""

    key: str
    size: int
    modified_at: datetime


class Objects:
    """All files that last, by key: `uploads/17.zip`, `analyses/4/report.pdf`. A key has a whole object or nothing."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, source: bytes | Path | AsyncIterator[bytes]) -> int:
        """Keep that under the key, whatever was there before; gives its size in bytes.

        A file or an iterator is never whole in memory. An iterator that raises leaves nothing behind. Raises StoreAway.
        """
        counted = _Counted(source) if isinstance(source, AsyncIterator) else source
        with _errors(key):
            await obstore.put_async(self._store, _checked(key), counted, chunk_size=PART, max_concurrency=AT_ONCE)
        if isinstance(counted, _Counted):
            return counted.size
        return counted.stat().st_size if isinstance(counted, Path) else len(counted)

    async def size(self, key: str) -> int | None:
        """Its bytes; None where there is none. Raises StoreAway."""
        try:
            with _errors(key):
                return (await obstore.head_async(self._store, _checked(key)))["size"]
        except NotThere:
            return None

    async def stream(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        """Its bytes, from that one on, piece by piece. `start` is less than its size. Raises NotThere, StoreAway."""
        with _errors(key):
            options: obstore.GetOptions = {"range": {"offset": start}} if start else {}
            got = await obstore.get_async(self._store, _checked(key), options=options)
            async for piece in got.stream(CHUNK):
                yield piece

    async def read(self, key: str) -> bytes:
        """All of it: for what is known to be small. Raises NotThere, StoreAway."""
        with _errors(key):
            return bytes(await (await obstore.get_async(self._store, _checked(key))).bytes_async())

    async def delete(self, key: str) -> None:
        """It is gone; where it was not there, nothing happens. Raises StoreAway."""
        try:
            with _errors(key):
                await obstore.delete_async(self._store, _checked(key))
        except NotThere:
            return

    async def delete_under(self, prefix: str) -> None:
        """All that is under this prefix is gone: `analyses/4` takes `analyses/4/report.pdf`, not `analyses/44/…`.

        Raises StoreAway.
        """
        async for stored in self.under(prefix):
            await self.delete(stored.key)

    async def under(self, prefix: str) -> AsyncIterator[Stored]:
        """All that is under this prefix (a folder of keys), in no order. Raises StoreAway."""
        with _errors(prefix):
            async for page in obstore.list(self._store, prefix, chunk_size=200):
                for meta in page:
                    yield Stored(meta["path"], meta["size"], meta["last_modified"])

    def reader(self, key: str) -> io.BufferedReader:
        """It as a file that can be sought in, as zipfile wants it. Everything about it blocks: use it in a thread.

        Raises NotThere, StoreAway.
        """
        with _errors(key):
            size = obstore.head(self._store, _checked(key))["size"]
        return io.BufferedReader(_Ranged(self._store, key, size), CHUNK)


class _Counted:
    """An iterator that knows how many bytes went through it."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self.size = 0

    def __aiter__(self) -> "_Counted":
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._source)
        self.size += len(piece)
        return piece


class _Ranged(io.RawIOBase):
    """An object as a raw file: each read fetches that range."""

    def __init__(self, store: ObjectStore, key: str, size: int) -> None:
        super().__init__()
        self._store, self._key, self._size, self._at = store, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        into = memoryview(buffer)
        end = min(self._at + into.nbytes, self._size)
        if end <= self._at:
            return 0
        with _errors(self._key):
            got = bytes(obstore.get_range(self._store, self._key, start=self._at, end=end))
        into[: len(got)] = got
        self._at += len(got)
        return len(got)


def _checked(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError(f"no key of an object: {key!r}")
    return key


@contextmanager
def _errors(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NotThere(f"There is no {key} (any more).") from None
    except (BaseError, PermissionError) as error:
        raise StoreAway("The place where files are kept cannot be reached just now.") from error


def open_store(url: str, data_dir: Path) -> ObjectStore:
    """The store that STORAGE_URL names (`file:///path`, `s3://bucket/prefix`), or DATA_DIR/objects when it is empty.

    S3 takes its credentials and endpoint from the usual AWS_… variables. Raises UserError.
    """
    if not url:
        return _local(data_dir.expanduser().resolve() / "objects")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return _local(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return _s3(url)
    raise UserError("STORAGE_URL must be file:///an/absolute/path or s3://bucket/prefix.")


def _s3(url: str) -> ObjectStore:
    # AWS is always spoken to by https://. Plain HTTP is what somebody wrote into AWS_ENDPOINT, for a MinIO next door.
    return S3Store.from_url(
        url,
        client_options={"allow_http": True, "connect_timeout": CONNECT, "timeout": WHOLE},
        retry_config={"max_retries": ATTEMPTS, "retry_timeout": PATIENCE},
    )


def _local(folder: Path) -> ObjectStore:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Files cannot be kept in {folder} ({error.strerror}): check STORAGE_URL and DATA_DIR.") from error
    return LocalStore(folder, automatic_cleanup=True)
