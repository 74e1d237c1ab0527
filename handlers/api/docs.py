"""GET /openapi.json and GET /docs: the description for programs, and as a page that fetches nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers.api.endpoint import Endpoint
from handlers.api.openapi import describe

START = """
window.onload = () => SwaggerUIBundle({
    url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null, queryConfigEnabled: false,
});
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>RefactorIQ: the API</title><link rel="icon" href="data:,"><style>{style}</style></head>
<body><div id="docs"></div><script>{bundle}</script><script>{start}</script></body>
</html>
"""


def documentation(endpoints: Sequence[Endpoint], public_url: str) -> list[Route]:
    """Their two routes. Each document is made when it is first asked for: few processes ever are."""

    @cache
    def document() -> bytes:
        return orjson.dumps(describe(endpoints, public_url))

    async def openapi(request: Request) -> Response:
        return _kept(request, document(), "application/json", {})

    async def docs(request: Request) -> Response:
        body, policy = page()
        return _kept(request, body, "text/html; charset=utf-8", {"Content-Security-Policy": policy})

    return [Route("/openapi.json", openapi), Route("/docs", docs)]


@cache
def page() -> tuple[bytes, str]:
    """Swagger UI as one page, and the policy that lets just its own scripts run and nothing but this host be asked."""
    bundle, style = (_shipped(name) for name in ("swagger_bundle.js", "swagger_style.css"))
    scripts = " ".join(_hash(script) for script in (bundle, START))
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return PAGE.format(style=style, bundle=bundle, start=START).encode(), policy


def _shipped(name: str) -> str:
    """A file of the package that ships Swagger UI. It is not imported: it would load three such pages, for good."""
    spec = find_spec("offapi")
    assert spec is not None and spec.origin is not None  # noqa: S101  (a dependency)
    return (Path(spec.origin).parent / name).read_text()


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _kept(request: Request, body: bytes, kind: str, headers: dict[str, str]) -> Response:
    """With a tag, since it changes only when the program does."""
    tag = f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    given = headers | {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(None, 304, given)
    return Response(body, 200, given, kind)
