"""Around every request: an id in and out, the security headers, and a plain sentence where there is a bug."""

import re
import secrets
from typing import Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.answer import respond

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"cache-control", b"no-store"),
)

BUG = {
    "success": False,
    "error": {"code": "internal", "message": "Something went wrong on our side. We know of it.", "details": None},
}

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
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id.decode()
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *SECURITY_HEADERS, (b"x-request-id", request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            log.exception("bug", request=request_id.decode(), path=scope["path"])
            self._report(error, request=request_id.decode())
            if not started:
                await respond(send_on, 500, BUG)


def _request_id(scope: Scope) -> bytes:
    """The caller's own id where it is harmless, GitHub's for its deliveries, or a new one."""
    given = b""
    for name, value in scope["headers"]:
        if name == b"x-request-id" or (name == b"x-github-delivery" and not given):
            given = value
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8).encode()
