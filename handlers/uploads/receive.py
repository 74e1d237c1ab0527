"""Read the body of an upload onto disk: a form with files, or an archive by itself. What breaks off leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from handlers.api.problem import Code, Problem
from handlers.uploads.bounds import MIB, Bounds, amount, too_large
from handlers.uploads.spool import Part, Received, unnamed_file

FORM = "multipart/form-data"
ARCHIVES = ("application/zip", "application/gzip")
TAKES = (FORM, *ARCHIVES)

FRAME = 8 * MIB
"""Bytes that the headers of all parts may take beside the files."""

MOST_FIELDS, LONGEST_FIELD = 8, 100
"""Fields that are no files, and bytes of each."""

FLUSH = MIB
"""Bytes that are gathered in memory before they are written."""


@asynccontextmanager
async def receive(request: Request, bounds: Bounds, folder: Path) -> AsyncIterator[Received]:
    """The whole body, in a file of that folder which is gone when the block ends. Raises Problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TAKES:
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, f"Send files as {FORM}, or an archive as {' or '.join(ARCHIVES)}.")
    most = bounds.total + FRAME
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_large(bounds)
    with unnamed_file(folder) as file:
        received = Received(file)
        sink = Form(request.headers["content-type"], received, bounds) if kind == FORM else Archive(received, bounds)
        await _read(request, sink, received, most)
        yield received


async def _read(request: Request, sink: "Form | Archive", received: Received, most: int) -> None:
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise _too_large(sink.bounds)
            sink.write(chunk)
            if len(sink.waiting) >= FLUSH:
                await asyncio.to_thread(received.file.write, sink.take())
    except ClientDisconnect:
        raise Problem(Code.MALFORMED, "The body broke off.") from None
    except FormParserError as error:
        raise Problem(Code.MALFORMED, f"The body is no sound multipart form ({error}).") from None
    await asyncio.to_thread(received.file.write, sink.take())
    sink.end()


def _too_large(bounds: Bounds) -> Problem:
    return too_large(f"The body is larger than {amount(bounds.total)}.")


class Sink:
    """Takes the bytes of files, to be written in larger pieces."""

    def __init__(self, received: Received, bounds: Bounds) -> None:
        self.received = received
        self.bounds = bounds
        self.waiting = bytearray()
        self.size = 0

    def take(self) -> bytes:
        """What waits to be written; it does not wait any more."""
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken

    def keep(self, data: bytes) -> None:
        """Bytes of a file. Raises Problem."""
        self.size += len(data)
        if self.size > self.bounds.total:
            raise _too_large(self.bounds)
        self.waiting += data


class Archive(Sink):
    """A body that is one archive."""

    def write(self, chunk: bytes) -> None:
        """The next bytes of the body. Raises Problem."""
        self.keep(chunk)

    def end(self) -> None:
        """The body is complete. Raises Problem."""
        if not self.size:
            raise Problem(Code.MALFORMED, "The body is empty: send an archive.")
        self.received.parts.append(Part("", 0, self.size))


class Form(Sink):
    """A body in multipart/form-data (RFC 7578). Its callbacks are called by the parser."""

    def __init__(self, content_type: str, received: Received, bounds: Bounds) -> None:
        super().__init__(received, bounds)
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise Problem(Code.MALFORMED, "The content type names no boundary.")
        self._header, self._value, self._disposition = bytearray(), bytearray(), b""
        self._field, self._filename, self._text, self._start = "", "", bytearray(), 0
        self._is_file = self._ended = False
        try:
            self._parser = MultipartParser(boundary, {
                "on_part_begin": self._part_begins, "on_header_field": self._header_field,
                "on_header_value": self._header_value, "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end, "on_part_data": self._part_data,
                "on_part_end": self._part_ends, "on_end": self._form_ends,
            })  # fmt: skip
        except FormParserError as error:
            raise Problem(Code.MALFORMED, f"The content type is not sound ({error}).") from None

    def write(self, chunk: bytes) -> None:
        """The next bytes of the body. Raises Problem, FormParserError."""
        self._parser.write(chunk)

    def end(self) -> None:
        """The body is complete. Raises Problem."""
        if not self._ended:
            raise Problem(Code.MALFORMED, "The form broke off: its last boundary is missing.")
        if not self.received.parts:
            raise Problem(Code.INVALID, "There is no file in the form: send at least one.", [{"at": "file", "is": "missing"}])

    def _part_begins(self) -> None:
        self._disposition = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        try:
            self._field = options[b"name"].decode()
            self._filename = options.get(b"filename", b"").decode()
        except (KeyError, UnicodeDecodeError):
            raise Problem(Code.MALFORMED, "A part of the form has no name in UTF-8.") from None
        self._is_file = b"filename" in options
        self._start = self.size
        self._text.clear()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.keep(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > LONGEST_FIELD:
            raise Problem(
                Code.INVALID, f"The field is longer than {LONGEST_FIELD} bytes.", [{"at": self._field, "is": "too long"}]
            )

    def _part_ends(self) -> None:
        if not self._is_file:
            self._note_field()
        elif self._filename or self.size > self._start:  # a browser sends an empty part where no file was chosen
            self.received.parts.append(Part(self._filename, self._start, self.size - self._start))
            if len(self.received.parts) > self.bounds.files:
                raise too_large(f"There are more than {self.bounds.files} files in it.")

    def _note_field(self) -> None:
        if len(self.received.fields) == MOST_FIELDS:
            raise Problem(Code.INVALID, f"There are more than {MOST_FIELDS} fields in the form.")
        self.received.fields[self._field] = self._text.decode("utf-8", "replace")

    def _form_ends(self) -> None:
        self._ended = True
