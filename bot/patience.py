"""uvicorn's protocols with an end to their patience: with headers that never end, and with clients that take nothing."""

import asyncio
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from bot.gathered import GatheredTransport
from handlers.api.answers import JSON, error
from handlers.api.problem import Code, Problem

HEADER_SECONDS = 10.0
"""From the connection, or a request's first byte, to the end of its headers. GitHub sends them at once; uvicorn would wait
for ever."""

STUCK_SECONDS = 10.0
"""How long a WebSocket's client may take nothing of what is waiting for it, and how long it may be there after its end."""


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

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so in the form of all our answers; nothing of it can be answered otherwise."""
        body = orjson.dumps(error(Problem(Code.MALFORMED, msg)))
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {JSON}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()

    def on_headers_complete(self) -> None:
        """In time."""
        self._late.cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to count."""
        self._late.cancel()
        super().connection_lost(exc)


class PatientWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket. uvicorn closes it politely: it waits, without an end, until the client has taken all that was sent."""

    _stuck: asyncio.TimerHandle | None = None
    _over: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """More is waiting for the client than we like to keep."""
        super().pause_writing()
        self._stuck = self.loop.call_later(STUCK_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It went on in time."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Nothing more is to be said: what is on its way may still arrive, and the client answer the close."""
        super().on_task_complete(task)
        if not self.disconnected:
            self._over = self.loop.call_later(self.close_timeout + STUCK_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A ping was not answered: nobody is there."""
        super().keepalive_timeout()
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        super().connection_lost(exc)
        for timer in (self._stuck, self._over):
            if timer is not None:
                timer.cancel()


PATIENT: dict[str, Any] = {
    "http": PatientProtocol,
    "ws": PatientWebSocket,
    "ws_max_size": 1024,  # nothing that clients send there is read
    "ws_per_message_deflate": False,  # it takes memory for every client, and small messages become no smaller
}
"""What uvicorn is to serve with."""
