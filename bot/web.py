"""The web process: webhooks on a short way of their own, everything else through Starlette's routes."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bot.logs import report, set_up_logs, set_up_reports
from bot.open_services import open_services
from bot.settings import Settings, read_settings
from handlers.api import ENDPOINTS
from handlers.api.answers import failure
from handlers.api.docs import documentation
from handlers.api.problem import MEANINGS, Code, Problem
from handlers.api.serve import routes
from handlers.api.services import Services
from handlers.browsers import Compressed, Origins
from handlers.intake import Intake
from handlers.live import LiveAnalysis
from handlers.metrics import Metrics
from handlers.middleware import BUG, Guarded
from handlers.pulse import pulse
from handlers.unread import Unread
from handlers.webhook import Webhook
from storage.counts import Counts
from storage.database import Database
from storage.deliveries import Deliveries
from storage.live import end
from storage.queue import Queue

WEBHOOK = "/webhooks/github"

log = structlog.get_logger()


def create_app() -> ASGIApp:
    """The application for uvicorn, from this process's settings. Raises UserError."""
    settings = read_settings()
    set_up_logs(settings)
    set_up_reports(settings)
    app = Guarded(Doors(settings), report)
    # The caller's address is the nearest one that no trusted proxy has; without this setting, whoever is connected.
    trusted = settings.trusted_proxies
    return cast(ASGIApp, ProxyHeadersMiddleware(cast(Any, app), trusted)) if trusted else app


class Doors:
    """Hands each request to whoever answers it. The services are opened when the server starts and closed when it stops."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._webhook: Webhook | None = None
        self._services: Services | None = None
        others = Starlette(
            routes=[
                *documentation(ENDPOINTS, settings.public_url),
                *routes(ENDPOINTS, self._opened),
                WebSocketRoute("/ws/analysis/{id}", LiveAnalysis(self._opened).follow),
            ],
            exception_handlers={HTTPException: _error, Exception: _bug},
            lifespan=self._lifespan,
        )
        others.router.redirect_slashes = False
        compressed = Unread(Compressed(others))
        self._others = Origins(compressed, settings.cors_origins) if settings.cors_origins else compressed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._webhook is not None and scope["type"] == "http" and scope["path"] == WEBHOOK:
            await self._webhook(scope, receive, send)
        else:
            await self._others(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        settings = self._settings
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database.open(settings.database_url.get_secret_value()))
            queue = await stack.enter_async_context(Queue.open(settings.redis_url.get_secret_value()))
            counts = await stack.enter_async_context(Counts.open(settings.redis_url.get_secret_value()))
            metrics = Metrics(counts.note)
            intake = Intake(Deliveries(database), queue, metrics)
            stack.push_async_callback(intake.drain)
            secrets = [secret.get_secret_value() for secret in settings.github_webhook_secret]
            if not secrets:
                log.warning("no webhook secret", because="GITHUB_WEBHOOK_SECRET is not set: no delivery is accepted.")
            self._services = await stack.enter_async_context(open_services(settings, database, queue, counts))
            self._webhook = Webhook(secrets, intake, metrics)
            stack.push_async_callback(end, [asyncio.create_task(pulse(self._services))])
            calm_collector()
            yield

    def _opened(self) -> Services:
        """What the endpoints use: no request comes before the server has started."""
        assert self._services is not None  # noqa: S101
        return self._services


STATUS = {MEANINGS[code].status: code for code in reversed(MEANINGS)}
"""The first code of each HTTP status."""


async def _error(_: Request, error: Exception) -> Response:
    """What the framework refused, in the form of all our answers."""
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for nothing else)
    code = STATUS.get(error.status_code, Code.MALFORMED if error.status_code < 500 else Code.INTERNAL)
    nowhere = error.status_code == 404
    said = "There is nothing at this path: /docs lists what there is" if nowhere else error.detail.rstrip(".")
    return failure(Problem(code, f"{said}.", headers=error.headers))


async def _bug(_: Request, __: Exception) -> Response:
    """The middleware has it on record: it is raised again."""
    return failure(BUG)


def calm_collector() -> None:
    """Python's garbage collector looks through everything now and then, which holds up all requests for up to 150 ms.

    What is there now, the modules above all, is not looked at again; what is old, such as open WebSockets, seldom.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
