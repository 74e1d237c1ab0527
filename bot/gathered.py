"""A connection on which an answer leaves in one piece: uvicorn writes its head and its body one after the other."""

import asyncio
from typing import Any


class GatheredTransport:
    """An asyncio transport that sends once in a turn of the loop: one system call and one packet where there were two."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send this at the end of the turn, or before the connection is closed if that is sooner."""
        if not self._pieces:
            self._loop.call_soon(self._send)
        self._pieces.append(data)

    def close(self) -> None:
        """Close the connection when everything is sent."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():  # one that broke off meanwhile takes nothing more
            self._transport.write(b"".join(pieces))
