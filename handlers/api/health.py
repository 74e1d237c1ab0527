"""Health: is this process alive, can it serve, how is all that it depends on; and the figures for Prometheus."""

import asyncio
import ipaddress
from collections.abc import Mapping
from time import monotonic
from typing import Literal

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import Field
from starlette.responses import Response

from handlers.api.authenticate import CHALLENGE
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs, Pace
from handlers.api.forms import Data, Nothing
from handlers.api.problem import Code, Problem
from handlers.api.services import Check
from handlers.metrics import exposition
from review.errors import TryAgain

CHECK_SECONDS = 2.0

NEEDED = ("postgres", "redis")
"""Without these a process cannot serve. Without the others some of what it does waits."""

FRESH = {"Cache-Control": "no-store"}

METRICS_SCOPE = "metrics:read"
PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers by which a proxy shows itself: behind one on this machine everybody seems to come from here."""


class Alive(Data):
    status: Literal["alive"] = "alive"


class Ready(Data):
    """`services` is what serving needs: `answers`, or `away`."""

    status: Literal["ready"] = "ready"
    services: dict[str, Literal["answers", "away"]]


class Dependency(Data):
    """Whether it answers, how long that took, and a few words about it."""

    state: Literal["answers", "away"]
    latency_ms: float
    said: str = ""


class Detailed(Data):
    """`degraded`: something is away without which some work waits; `not ready`: nothing can be served."""

    status: Literal["ready", "degraded", "not ready"]
    dependencies: dict[str, Dependency] = Field(description="By name; only those that are set up.")


async def alive(_: Asked[Nothing, Nothing]) -> Answer:
    """200 as long as this process answers at all, whatever is away. Restart it when this fails."""
    return Answer(Alive(), "Alive.", headers=FRESH)


async def ready(asked: Asked[Nothing, Nothing]) -> Answer:
    """200, or 503 with what does not answer. Send no traffic while this fails."""
    checks = asked.services.checks
    found = await looked_at({name: checks[name] for name in NEEDED})
    states = {name: dependency.state for name, dependency in found.items()}
    away = [name for name, state in states.items() if state == "away"]
    if away:
        words = " and ".join(away)
        message = f"Not ready: {words} cannot be reached."
        raise Problem(Code.UNAVAILABLE, message, {"services": states}, headers={"Retry-After": "5"})
    return Answer(Ready(services=states), "Ready.", headers=FRESH)


async def detailed(asked: Asked[Nothing, Nothing]) -> Answer:
    """Everything that this installation depends on, with the time that it took to answer."""
    found = await looked_at(asked.services.checks)
    away = {name for name, dependency in found.items() if dependency.state == "away"}
    status: Literal["ready", "degraded", "not ready"] = "ready"
    if away:
        status = "not ready" if away & set(NEEDED) else "degraded"
    return Answer(Detailed(status=status, dependencies=found), f"This installation is {status}.", headers=FRESH)


async def looked_at(checks: Mapping[str, Check]) -> dict[str, Dependency]:
    """What these say, asked all at once."""
    found = await asyncio.gather(*(_look(check) for check in checks.values()))
    return dict(zip(checks, found, strict=True))


async def _look(check: Check) -> Dependency:
    started = monotonic()
    state: Literal["answers", "away"] = "answers"
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            said = str(await check() or "")
    except TimeoutError:
        state, said = "away", f"No answer within {CHECK_SECONDS:.0f} seconds."
    except TryAgain as away:
        state, said = "away", str(away)
    return Dependency(state=state, latency_ms=round((monotonic() - started) * 1000, 1), said=said)


async def metrics(asked: Asked[Nothing, Nothing]) -> Response:
    """For administrators, their API keys with the scope metrics:read, and whoever asks from this very machine."""
    if not _may_read_metrics(asked):
        code = Code.UNAUTHENTICATED if asked.caller.user is None else Code.FORBIDDEN
        headers = CHALLENGE if asked.caller.user is None else {}
        raise Problem(code, f"Figures are for administrators: send an API key of one, with {METRICS_SCOPE}.", headers=headers)
    page = await exposition(asked.services.counts, asked.services.queue)
    return Response(page, media_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(asked: Asked[Nothing, Nothing]) -> bool:
    caller = asked.caller
    if caller.user is not None:
        return caller.user.administrator and (caller.scopes is None or METRICS_SCOPE in caller.scopes)
    try:
        from_here = ipaddress.ip_address(caller.address).is_loopback
    except ValueError:  # a unix socket, or a name
        from_here = False
    return from_here and not any(name in asked.request.headers for name in PASSED_ON)


ENDPOINTS = (
    Endpoint("GET", "/health", "health.read", "Whether this process lives", alive, Needs.NOBODY, data=Alive, pace=Pace.NONE),
    Endpoint("GET", "/health/ready", "health.read", "Whether it can serve", ready, Needs.NOBODY, data=Ready, pace=Pace.NONE),
    Endpoint("GET", "/health/detailed", "health.read", "What it depends on", detailed, Needs.ADMINISTRATOR, data=Detailed,
             pace=Pace.NONE),
    Endpoint("GET", "/health/metrics", "metrics.read", "Figures for Prometheus", metrics, Needs.NOBODY,
             gives=("text/plain",), codes=(Code.FORBIDDEN,), pace=Pace.NONE, knows_callers=True),
)  # fmt: skip
