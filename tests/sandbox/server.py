"""The sandbox's GitHub as an ASGI application: REST under `/` and `/api/v3`, git under `/owner/name.git`, faults in between."""

import asyncio
import hashlib
import json
import re
import secrets
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tests.sandbox import access, oauth
from tests.sandbox.answering import Answer, Call, Refused, Route, not_found
from tests.sandbox.faults import Fault, Kind
from tests.sandbox.git_http import git_app
from tests.sandbox.limits import Limits, exhausted
from tests.sandbox.routes import ROUTES
from tests.sandbox.serving import Scope, cut, hang
from tests.sandbox.world import World

PATTERNS = [(route.pattern, route) for route in ROUTES]
GIT = re.compile(r"/([\w.-]+/[\w.-]+?)(?:\.git)?/(?:info/refs|git-upload-pack|git-receive-pack|objects/|HEAD)")
LARGEST = 25 * 1024 * 1024
VERSIONS = ("2022-11-28", "2026-03-10")
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
HEADERS = {
    "server": "github.com",
    "cache-control": "private, max-age=60, s-maxage=60",
    "vary": "Accept, Authorization, Cookie, X-GitHub-OTP",
    "x-github-media-type": "github.v3; format=json",
    "x-github-api-version-selected": "2022-11-28",
}


@dataclass(slots=True)
class Exchange:
    """One request and what came of it. `status` is 0 where the connection was cut or no answer went out."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any = None
    status: int = 0
    answer: Any = None
    route: Route | None = None
    fault: Kind | None = None
    seconds: float = 0.0
    done: bool = False
    violations: tuple[str, ...] | None = None
    """Set when it has been held against GitHub's description."""

    @property
    def rest(self) -> bool:
        """Whether it was a REST call; git's requests are not."""
        return GIT.match(self.path) is None


class Server:
    """The application. `requests` is the log of everything that was asked, the newest last."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.limits = Limits()
        self.faults: list[Fault] = []
        self.requests: list[Exchange] = []
        self.crashes: list[str] = []
        """Mistakes of the sandbox itself, which its callers met as 500."""
        self._git = git_app(world.root, lambda name, token: access.may_read(world, name, token))

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        request = Request(scope, receive)
        path = scope["path"].removeprefix("/api/v3") or "/"
        headers = {name: value for name, value in request.headers.items() if name not in SECRET_HEADERS}
        exchange = Exchange(request.method, path, request.url.query, headers)
        self.requests.append(exchange)
        started = time.perf_counter()
        try:
            response = await self._respond(exchange, request)
            if response is not None:
                await response(scope, receive, send)
        finally:
            exchange.seconds, exchange.done = time.perf_counter() - started, True
            if isinstance(sys.exc_info()[1], Exception):
                self.crashes.append(f"{exchange.method} {exchange.path}\n{traceback.format_exc()}")

    async def _respond(self, exchange: Exchange, request: Request) -> Any:
        """What goes out, as an ASGI application; None where the connection was cut."""
        fault = next((fault for fault in self.faults if fault.hurts(exchange.method, exchange.path)), None)
        exchange.fault = fault.kind if fault else None
        if exchange.fault is Kind.HANG:
            return await hang(request.receive)
        if exchange.fault is Kind.LOSE_REQUEST or (exchange.fault is Kind.LOSE_ANSWER and not exchange.rest):
            return await cut(request.scope)
        if fault is not None and fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
        if not exchange.rest:
            return self._git_answer(exchange, request, fault)
        try:
            raw = await _body(request)
        except ClientDisconnect:
            return None
        if exchange.path.startswith(oauth.PREFIX):
            return self._page(exchange, request, raw, fault)
        self.limits.running += 1
        try:
            response = self._rest(exchange, request, raw, fault)
        finally:
            self.limits.running -= 1
        if exchange.fault is Kind.LOSE_ANSWER:
            return await cut(request.scope)
        exchange.status = response.status_code
        return response

    def _page(self, exchange: Exchange, request: Request, raw: bytes, fault: Fault | None) -> Response:
        refusal = fault.refusal() if fault else None
        response = oauth.page(self.world, request, raw) if refusal is None else Response(refusal.message, refusal.status)
        exchange.status = response.status_code
        return response

    def _git_answer(self, exchange: Exchange, request: Request, fault: Fault | None) -> Any:
        refusal = fault.refusal() if fault else None
        if refusal is not None:
            exchange.status = refusal.status
            return Response(refusal.message, refusal.status, media_type="text/plain")
        if fault is not None and fault.kind in (Kind.MALFORMED, Kind.HTML):
            exchange.status = 200
            return Response("<html>Unicorn!</html>", media_type="text/html")
        found = GIT.match(exchange.path)
        if found and access.knows_nothing_of(self.world, found[1], request.headers.get("authorization", "")):
            exchange.status = 404
            return Response("remote: Repository not found.", 404, media_type="text/plain")
        return _Noting(self._git, exchange)

    def _rest(self, exchange: Exchange, request: Request, raw: bytes, fault: Fault | None) -> Response:
        call = Call(
            self.world, exchange.method, str(request.url.replace(query="")), {}, dict(request.query_params), request.headers
        )
        with self.world.lock:
            try:
                answer = self._answer(exchange, call, raw, fault)
            except Refused as refused:
                answer = refused.answer()
            exchange.answer = _without_token(answer.body)
            return self._response(exchange, call, answer)

    def _answer(self, exchange: Exchange, call: Call, raw: bytes, fault: Fault | None) -> Answer:
        _check_headers(call)
        route = exchange.route = _route(call, exchange.path)
        refusal = fault.refusal() if fault else None
        if refusal is not None:
            raise refusal
        access.identify(call, route)
        call.core_limit = self.limits.core(call)
        if fault is not None and fault.kind is Kind.PRIMARY_LIMIT:
            raise exhausted(call, self.limits, fault.seconds)
        self.limits.charge(call, route)
        access.authorize(call, route)
        exchange.body = call.body = _parsed(raw)
        return route.function(call)

    def _response(self, exchange: Exchange, call: Call, answer: Answer) -> Response:
        headers = {**HEADERS, "x-github-request-id": f"{secrets.token_hex(8).upper()}", **answer.headers}
        if not call.as_app:
            headers |= self.limits.headers(call)
        data = answer.body if isinstance(answer.body, bytes) else b"" if answer.status == 204 else _json(answer.body)
        if exchange.fault is Kind.HTML:
            return Response("<html>Unicorn!</html>", 502, headers, media_type="text/html")
        if exchange.fault is Kind.MALFORMED:
            data = data[: len(data) // 2]
        if exchange.method in ("GET", "HEAD") and answer.status == 200:
            who = call.token.text if call.token else ""
            tag = headers["etag"] = f'W/"{hashlib.sha256(who.encode() + data).hexdigest()}"'
            if tag in call.headers.get("if-none-match", ""):
                self.limits.refund(call)
                exchange.answer = None
                return Response(status_code=304, headers=headers | self.limits.headers(call))
        media = {} if answer.status == 204 else {"content-type": answer.media}
        return Response(data, answer.status, headers | media)


class _Noting:
    """An application whose status is noted in the log."""

    def __init__(self, app: Any, exchange: Exchange) -> None:
        self._app, self._exchange = app, exchange

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._exchange.status = message["status"]
            await send(message)

        await self._app(scope, receive, noting)


def _route(call: Call, path: str) -> Route:
    for pattern, route in PATTERNS:
        if route.method == call.method and (match := pattern.fullmatch(path)):
            call.path = match.groupdict()
            return route
    raise not_found()


def _check_headers(call: Call) -> None:
    if not call.headers.get("user-agent", "").strip():
        raise Refused(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.")
    version = call.headers.get("x-github-api-version")
    if version is not None and version not in VERSIONS:
        raise Refused(400, f"The provided API version, {version}, is not supported.")


async def _body(request: Request) -> bytes:
    """The body, up to a byte beyond what is accepted."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > LARGEST:
            break
    return bytes(data)


def _parsed(raw: bytes) -> Any:
    if len(raw) > LARGEST:
        raise Refused(413, "Payload Too Large")
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "Body should be a JSON object")
    return body


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _without_token(body: Any) -> Any:
    return body | {"token": "***"} if isinstance(body, dict) and "token" in body else body
