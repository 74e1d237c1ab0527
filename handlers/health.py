"""Is this process alive, and are the Postgres and Redis that it needs within reach?"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from review.errors import TryAgain

Check = Callable[[], Awaitable[None]]
"""Asks one service for a sign of life; raises TryAgain when there is none."""

CHECK_SECONDS = 2.0


class Health:
    """Answers of two kinds: `alive` (restart me when it fails) and `ready` (send me no traffic when it fails)."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    async def alive(self, _: Request) -> Response:
        """GET /api/v1/health: 200 as long as this process answers at all, whatever is away."""
        return JSONResponse({"status": "alive"})

    async def ready(self, _: Request) -> Response:
        """GET /api/v1/health/ready: 200, or 503 with the services that do not answer."""
        answers = await asyncio.gather(*(_answers(check) for check in self._checks.values()))
        services = {name: "answers" if answer else "away" for name, answer in zip(self._checks, answers, strict=True)}
        ready = all(answers)
        return JSONResponse({"status": "ready" if ready else "not ready", "services": services}, 200 if ready else 503)


async def _answers(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except (TryAgain, TimeoutError):
        return False
    return True
