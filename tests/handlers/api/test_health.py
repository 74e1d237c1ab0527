"""Health: alive whatever is away, ready only with Postgres and Redis in reach, and to administrators the whole truth."""

import asyncio
from typing import Any

import pytest

from handlers.api import health
from handlers.api.health import looked_at
from review.errors import TryAgain
from tests.builders_api import Api
from tests.handlers.conftest import Door, OpenDoor

pytestmark = pytest.mark.api


async def test_alive_and_ready(door: Door) -> None:
    alive, ready = await door.client.get("/api/v1/health"), await door.client.get("/api/v1/health/ready")
    assert (alive.status_code, alive.json()["data"]) == (200, {"status": "alive"})
    services = {"postgres": "answers", "redis": "answers"}
    assert (ready.status_code, ready.json()["data"]) == (200, {"status": "ready", "services": services})


async def test_not_ready_names_the_service_that_is_away(open_door: OpenDoor) -> None:
    door = await open_door(redis_url="unix:///nowhere/redis.sock")
    assert (await door.client.get("/api/v1/health")).status_code == 200
    ready = await door.client.get("/api/v1/health/ready")
    assert ready.status_code == 503
    assert ready.json()["error"]["message"] == "Not ready: redis cannot be reached."
    assert ready.json()["error"]["details"] == {"services": {"postgres": "answers", "redis": "away"}}


async def test_a_service_that_hangs_counts_as_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.02)

    async def hangs() -> None:
        await asyncio.sleep(60)

    async def is_away() -> None:
        raise TryAgain("It is away.")

    async def answers() -> str:
        return "well"

    found = await looked_at({"one": hangs, "other": is_away, "third": answers})
    states = {name: (dependency.state, dependency.said) for name, dependency in found.items()}
    assert states == {
        "one": ("away", "No answer within 0 seconds."),
        "other": ("away", "It is away."),
        "third": ("answers", "well"),
    }


async def test_administrators_see_every_dependency_with_its_latency_and_no_secret(api: Api) -> None:
    lisa, mona = await api.person("lisa", administrator=True), await api.person("mona")
    assert (await api.client.get("/api/v1/health/detailed")).status_code == 401
    assert (await mona.get("/health/detailed")).status_code == 403
    answer = await lisa.get("/health/detailed")
    found = answer.json()["data"]
    assert {"postgres", "redis", "redis_cache", "objects", "github", "workers"} <= set(found["dependencies"])
    assert found["status"] == "degraded"  # no worker runs here
    assert found["dependencies"]["workers"]["said"] == "No worker was seen: start `refactoriq worker`."
    assert found["dependencies"]["postgres"]["state"] == "answers"
    assert 0 < found["dependencies"]["postgres"]["latency_ms"] < 2_000
    assert api.settings.database_url.get_secret_value() not in answer.text


async def metrics(api: Api, **headers: str) -> Any:
    return await api.client.get("/api/v1/health/metrics", headers=headers)


async def test_figures_are_for_administrators_their_keys_and_this_machine_alone(api: Api) -> None:
    lisa, mona = await api.person("lisa", administrator=True), await api.person("mona")
    assert (await metrics(api)).status_code == 200  # from loopback
    assert (await metrics(api, **{"X-Forwarded-For": "203.0.113.7"})).status_code == 401
    assert (await mona.get("/health/metrics")).status_code == 403
    assert (await lisa.get("/health/metrics")).status_code == 200
    for person, scope, status in ((lisa, "metrics:read", 200), (lisa, "analysis:read", 403), (mona, "metrics:read", 403)):
        key = (await person.post("/auth/api-keys", {"name": "prometheus", "scopes": [scope]})).json()["data"]["key"]
        assert (await metrics(api, Authorization=f"Bearer {key}")).status_code == status, scope
