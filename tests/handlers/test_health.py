"""Health: alive whatever is away, ready only with Postgres and Redis in reach."""

import asyncio
import json

import pytest
from starlette.requests import Request

from handlers import health
from handlers.health import Health
from review.errors import TryAgain
from tests.handlers.conftest import Door, OpenDoor

pytestmark = pytest.mark.api


async def test_alive_and_ready(door: Door) -> None:
    alive, ready = await door.client.get("/api/v1/health"), await door.client.get("/api/v1/health/ready")
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    services = {"postgres": "answers", "redis": "answers"}
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "services": services})


async def test_not_ready_names_the_service_that_is_away(open_door: OpenDoor) -> None:
    door = await open_door(redis_url="unix:///nowhere/redis.sock")
    assert (await door.client.get("/api/v1/health")).status_code == 200
    ready = await door.client.get("/api/v1/health/ready")
    services = {"postgres": "answers", "redis": "away"}
    assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "services": services})


async def test_a_service_that_hangs_counts_as_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.02)

    async def hangs() -> None:
        await asyncio.sleep(60)

    async def is_away() -> None:
        raise TryAgain("away")

    answer = await Health({"postgres": hangs, "redis": is_away}).ready(Request({"type": "http"}))
    assert json.loads(bytes(answer.body))["services"] == {"postgres": "away", "redis": "away"}
