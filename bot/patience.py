"""uvicorn's HTTP protocol with an end to its patience: whoever does not finish the headers of a request is hung up on."""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.gathered import GatheredTransport

HEADER_SECONDS = 10.0
"""From the connection, or a request's first byte, to the end of its headers. GitHub sends them at once; uvicorn would wait
for ever."""


class PatientProtocol(HttpToolsProtocol):
    """One connection. The time for bodies is the receiver's business (`handlers/webhook.py`)."""

    _late: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count. Answers leave in one piece."""
        super().connection_made(cast(asyncio.Transport, GatheredTransport(transport, self.loop)))
        self._late = self.loop.call_later(HEADER_SECONDS, transport.abort)

    def on_message_begin(self) -> None:
        """A request begins: count anew, for connections are kept between requests (uvicorn ends idle ones)."""
        super().on_message_begin()
        self._late.cancel()
        self._late = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def on_headers_complete(self) -> None:
        """In time."""
        self._late.cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to count."""
        self._late.cancel()
        super().connection_lost(exc)
