"""What browsers need to hear: which pages may call the API, and answers in fewer bytes."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.api.answers import failure
from handlers.api.problem import Code, Problem

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID")
SHOWN = (
    "Content-Disposition", "ETag", "Idempotency-Replayed", "Location", "RateLimit-Limit", "RateLimit-Policy",
    "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-ID",
)  # fmt: skip

SECRETS = "/api/v1/auth/"
"""Answers with tokens are sent as they are: how far they shrink would tell of what is in them (BREACH)."""

SHRUNK_ALREADY = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/pdf")


class Origins(CORSMiddleware):
    """Lets pages of these origins call. No cookies are ours, so none are asked for; a refusal is in our own form."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(app, allow_origins=origins, allow_methods=METHODS, allow_headers=SENT, expose_headers=SHOWN)

    def preflight_response(self, request_headers: Headers) -> Response:
        """See starlette."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        vary = {"Vary": response.headers["Vary"]}
        return failure(Problem(Code.FORBIDDEN, f"{bytes(response.body).decode()}: see CORS_ORIGINS.", headers=vary))


class Compressed:
    """Shrinks answers for those who ask, except where that would do harm or no good."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._shrinking = GZipMiddleware(app, compresslevel=6, exclude_content_types=SHRUNK_ALREADY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        plain = scope["type"] != "http" or scope["path"].startswith(SECRETS)
        await (self._plain if plain else self._shrinking)(scope, receive, send)
