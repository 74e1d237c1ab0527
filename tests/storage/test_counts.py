"""Counts that processes share: they add up whoever counts, and a Redis that is away costs no more than what was counted."""

import asyncio

import pytest

from storage.counts import Counts

pytestmark = pytest.mark.integration


async def test_what_several_processes_count_adds_up(redis_url: str) -> None:
    async with Counts.open(redis_url) as one, Counts.open(redis_url) as other:
        assert await one.read() == {}
        await asyncio.gather(*(counts.add({"shown": 3, "cited": 1}) for counts in (one, other, one)))
        assert await other.read() == {"shown": 9, "cited": 3}


async def test_a_redis_that_is_away_costs_the_count_alone() -> None:
    async with Counts.open("redis://127.0.0.1:1") as counts:
        await counts.add({"shown": 1})
        assert await counts.read() == {}
