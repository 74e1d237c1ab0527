"""A plain JSON answer over raw ASGI, for where a framework's response would cost too much."""

from typing import Any

import msgspec
from starlette.types import Send

_json = msgspec.json.Encoder()


async def respond(send: Send, status: int, answer: dict[str, Any], *, close: bool = False, allow: str = "") -> None:
    """Send it. `close` ends the connection after it: the rest of the request is not going to be read.

    `allow` are the methods that would have been right (RFC 9110 demands them beside a 405).
    """
    body = _json.encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if allow:
        headers.append((b"allow", allow.encode()))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
