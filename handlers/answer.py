"""A plain JSON answer over raw ASGI, for where a framework's response would cost too much."""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import Receive, Send

MOST_DISCARDED = 64 * 1024 * 1024
DISCARD_SECONDS = 2.0
"""How much of a refused request is still read, and for how long: most clients send all of it before they listen."""

_json = msgspec.json.Encoder()


async def respond(send: Send, status: int, answer: dict[str, Any]) -> None:
    """Send it."""
    await _start(send, status, body := _json.encode(answer))
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, receive: Receive, status: int, answer: dict[str, Any], *, allow: str = "") -> None:
    """Send it before the request is read, drop some of the rest, and end the connection.

    Ended at once, a client that is still sending would see a broken connection in place of the answer. `allow` are the
    methods that would have been right (RFC 9110 demands them beside a 405).
    """
    allowed = [(b"allow", allow.encode())] if allow else []
    await _start(send, status, body := _json.encode(answer), (b"connection", b"close"), *allowed)
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await discard(receive)
    await send({"type": "http.response.body", "body": b""})


async def _start(send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def discard(receive: Receive) -> None:
    """Drop what is left of the request's body, or as much of it as is sent within DISCARD_SECONDS."""
    left = MOST_DISCARDED
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
