"""Telling progress: the newest step, now and then, never after the end and never backwards."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from handlers.telling import telling
from storage.live import Live

pytestmark = pytest.mark.unit


class Told:
    """A Live that notes what it is told, and takes its time for it."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.events: list[Mapping[str, Any]] = []
        self._seconds = seconds

    async def tell(self, topic: str, event: Mapping[str, Any]) -> None:
        await asyncio.sleep(self._seconds)
        self.events.append({"topic": topic, **event})


async def test_the_first_step_is_told_at_once_and_of_many_the_newest() -> None:
    told = Told()
    async with telling(cast(Live, told), "analysis:1") as progress:
        progress(5, "Reading the files...")
        await asyncio.sleep(0.02)
        for number in range(1_000):
            progress(10 + number // 100, f"Analyzing file{number}.py...")
            await asyncio.sleep(0)
        await asyncio.sleep(0.15)
    assert told.events[0] == {
        "topic": "analysis:1",
        "type": "progress",
        "progress": 5,
        "message": "Reading the files...",
    }
    assert told.events[-1]["message"] == "Analyzing file999.py..."
    assert 2 <= len(told.events) <= 6


async def test_nothing_is_on_its_way_once_the_work_is_over() -> None:
    told = Told(seconds=0.05)
    async with telling(cast(Live, told), "analysis:1") as progress:
        progress(5, "Reading the files...")
        await asyncio.sleep(0.01)
        progress(10, "Analyzing a.py...")
    seen = len(told.events)
    await asyncio.sleep(0.12)
    assert len(told.events) == seen == 1


async def test_a_work_that_breaks_off_ends_its_telling_as_well() -> None:
    told = Told()
    with pytest.raises(ValueError, match="broken"):
        async with telling(cast(Live, told), "analysis:1") as progress:
            progress(5, "Reading the files...")
            raise ValueError("broken")
    assert told.events == []


async def test_a_second_try_does_not_go_back_to_the_beginning() -> None:
    told = Told()
    async with telling(cast(Live, told), "analysis:1", reached=60) as progress:
        progress(5, "Reading the files...")
        await asyncio.sleep(0.02)
    assert [event["progress"] for event in told.events] == [60]
