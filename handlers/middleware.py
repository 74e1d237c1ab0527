"""Around every request: an id in and out, the security headers, and a plain sentence where there is a bug."""

import re
import secrets
from typing import Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.answer import refuse, respond
from handlers.api.answers import error
from handlers.api.problem import Code, Problem

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"cache-control", b"no-store"),
)

BUG = Problem(Code.INTERNAL, "Something went wrong on our side. We know of it.")

MOST_HEADERS = 64 * 1024
"""Bytes of the path, the query and all headers together."""

STARTS = ("http.response.start", "websocket.http.response.start")
"""What an answer begins with; the second one refuses a WebSocket."""

log = structlog.get_logger()


class Report(Protocol):
    """Tells the error tracker of a bug and of what it concerned."""

    def __call__(self, error: BaseException, **where: str) -> None: ...


class Guarded:
    """The outermost application: hands each request on, and lets nothing but an answer out."""

    def __init__(self, app: ASGIApp, report: Report) -> None:
        self._app = app
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id.decode()
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] in STARTS:
                started = True
                own = {name.lower() for name, _ in message["headers"]}
                usual = [header for header in SECURITY_HEADERS if header[0] not in own]
                message["headers"] = [*message["headers"], *usual, (b"x-request-id", request_id)]
            await send(message)

        if scope["type"] == "http" and _size(scope) > MOST_HEADERS:
            too_large = Problem(
                Code.HEADERS_TOO_LARGE, f"The path, the query and the headers must fit into {MOST_HEADERS} bytes."
            )
            await refuse(send_on, receive, too_large.status, error(too_large))
            return
        try:
            await self._app(scope, receive, send_on)
        except Exception as bug:
            log.exception("bug", request=request_id.decode(), path=scope["path"])
            self._report(bug, request=request_id.decode())
            if not started and scope["type"] == "http":  # the server itself closes a WebSocket that broke off
                await respond(send_on, BUG.status, error(BUG))


def _size(scope: Scope) -> int:
    """Bytes of what came before the body."""
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return headers + len(scope["path"]) + len(scope.get("query_string", b""))


def _request_id(scope: Scope) -> bytes:
    """The caller's own id where it is harmless, GitHub's for its deliveries, or a new one."""
    given = b""
    for name, value in scope["headers"]:
        if name == b"x-request-id" or (name == b"x-github-delivery" and not given):
            given = value
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8).encode()
