"""The cache: what is kept comes back while it lasts, and a Redis that is away only costs what was kept."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from storage.cache import Cache
from storage.redis_client import open_redis

pytestmark = pytest.mark.integration

NOWHERE = "redis://127.0.0.1:1"


async def test_what_was_put_comes_back_until_it_is_dropped(redis_url: str) -> None:
    redis = open_redis(redis_url)
    cache = Cache(redis)
    assert await cache.get("analysis:17") is None
    await cache.put("analysis:17", b"\x00\xff", 60)
    assert await cache.get("analysis:17") == b"\x00\xff"
    assert await redis.pttl("cache:analysis:17") > 50_000
    await cache.drop("analysis:17")
    assert await cache.get("analysis:17") is None
    await redis.aclose()


async def test_what_was_put_is_gone_when_its_time_is_over(redis_url: str) -> None:
    redis = open_redis(redis_url)
    cache = Cache(redis)
    await cache.put("analysis:17", b"1", 0.05)
    await asyncio.sleep(0.1)
    assert await cache.get("analysis:17") is None
    await redis.aclose()


@pytest.mark.parametrize("url", [NOWHERE, NOWHERE.replace("redis:", "redis-cluster:")])
async def test_a_redis_that_is_away_holds_nothing_and_is_told_of_once(url: str) -> None:
    redis = open_redis(url)
    cache = Cache(redis)
    with capture_logs() as logs:
        for _ in range(3):
            await cache.put("analysis:17", b"1", 60)
            assert await cache.get("analysis:17") is None
            await cache.drop("analysis:17")
    assert [line["event"] for line in logs] == ["cache away"]
    await redis.aclose()


async def test_a_redis_that_never_answers_is_waited_for_once_and_not_by_every_request() -> None:
    held: list[asyncio.StreamWriter] = []

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    redis = open_redis(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}?socket_timeout=0.1")
    cache = Cache(redis)
    started = time.monotonic()
    for _ in range(50):
        assert await cache.get("analysis:17") is None
    assert time.monotonic() - started < 2
    await redis.aclose()
    for writer in held:
        writer.close()
    server.close()
