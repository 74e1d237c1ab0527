"""Files as answers: streamed from the object store, saved by browsers and never shown, whatever they hold and are called."""

from collections.abc import AsyncIterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


async def file_answer(
    pieces: AsyncIterator[bytes], name: str, kind: str, size: int, headers: Mapping[str, str] | None = None
) -> Response:
    """An attachment of that media type and size in bytes. `name` may be a path: its last part is suggested.

    The first piece is read before anything is sent, so that a file which is not there is still an error of the request.
    """
    first = await anext(pieces, b"")
    given = {"Content-Disposition": attachment(name), "Content-Length": str(size), **(headers or {})}
    return StreamingResponse(_after(first, pieces), 200, given, kind)


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


def attachment(name: str) -> str:
    """Content-Disposition (RFC 6266): the name in ASCII for old clients, and as it is, encoded, for all others."""
    last = PurePosixPath(name).name
    ascii_name = "".join(char if char in PLAIN else "_" for char in last)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(last, safe='')}"
