"""Tokens beyond one job: encrypted in Redis, gone in time, and nothing worse than absent when Redis or the key is wrong."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis

from storage.tokens import PREFIX, Tokens

pytestmark = pytest.mark.integration

SECRET = "a secret key of at least thirty-two characters"


@pytest.fixture
async def tokens(redis_url: str) -> AsyncIterator[Tokens]:
    async with Tokens.open(redis_url, SECRET) as opened:
        yield opened


async def test_a_token_is_kept_for_all_processes_until_it_is_replaced(tokens: Tokens, redis_url: str) -> None:
    assert await tokens.get("installation:1") is None
    await tokens.put("installation:1", "ghs_é1", 60)
    async with Tokens.open(redis_url, SECRET) as another_process:
        assert await another_process.get("installation:1") == "ghs_é1"
        await another_process.put("installation:1", "ghs_2", 60)
    assert await tokens.get("installation:1") == "ghs_2"
    assert await tokens.get("installation:2") is None


@pytest.mark.parametrize(("seconds", "milliseconds"), [(3000.9, 3_000_000), (0.2, 1_000), (-5, 1_000)])
async def test_a_token_is_gone_when_it_expires(tokens: Tokens, redis_url: str, seconds: float, milliseconds: int) -> None:
    await tokens.put("installation:1", "ghs_1", seconds)
    with redis.Redis.from_url(redis_url) as client:
        left = client.pttl(f"{PREFIX}installation:1")
    assert milliseconds - 900 < left <= milliseconds


async def test_whoever_reads_redis_learns_nothing(tokens: Tokens, redis_url: str) -> None:
    await tokens.put("installation:1", "ghs_secret", 60)
    with redis.Redis.from_url(redis_url) as client:
        kept = b"".join(client.get(key) for key in client.scan_iter())
    assert kept
    assert b"ghs" not in kept


async def test_a_changed_secret_key_or_a_spoiled_value_counts_as_not_there(tokens: Tokens, redis_url: str) -> None:
    await tokens.put("installation:1", "ghs_1", 60)
    async with Tokens.open(redis_url, SECRET + "!") as changed:
        assert await changed.get("installation:1") is None
    with redis.Redis.from_url(redis_url) as client:
        client.set(f"{PREFIX}installation:1", b"\xff not ours")
    assert await tokens.get("installation:1") is None


async def test_a_redis_that_is_away_holds_nothing_and_stops_nobody() -> None:
    async with asyncio.timeout(10), Tokens.open("redis://127.0.0.1:1/0", SECRET) as away:
        await away.put("installation:1", "ghs_1", 60)
        assert await away.get("installation:1") is None


async def test_without_a_secret_key_nothing_is_kept(redis_url: str) -> None:
    with pytest.raises(ValueError, match="SECRET_KEY"):
        async with Tokens.open(redis_url, ""):
            pass
