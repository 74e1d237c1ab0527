"""Live state: told once, seen in order by whoever follows, in whichever process, early, late or again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from storage import live as module
from storage.embedded.redis import EmbeddedRedis
from storage.live import MOST_WAITING, Event, Live, TooSlow

pytestmark = pytest.mark.integration


@asynccontextmanager
async def two_processes(redis_url: str) -> AsyncIterator[tuple[Live, Live]]:
    async with Live.open(redis_url) as teller, Live.open(redis_url) as follower:
        yield teller, follower


async def seen(live: Live, topic: str, *, count: int = 1_000) -> list[Event]:
    """What a follower gets, up to the last event or so many."""
    events: list[Event] = []
    async with asyncio.timeout(10), aclosing(live.follow(topic)) as following:
        async for event in following:
            events.append(event)
            if len(events) == count:
                break
    return events


async def test_a_follower_in_another_process_sees_every_event_in_order_up_to_the_last(redis_url: str) -> None:
    async with two_processes(redis_url) as (teller, follower), aclosing(follower.follow("analysis:1")) as following:
        await teller.tell("analysis:1", {"progress": 0})
        assert await anext(following) == {"progress": 0}
        for progress in (25, 50, 75):
            await teller.tell("analysis:1", {"progress": progress})
        await teller.tell("analysis:1", {"type": "complete"}, last=True)
        events = [event async for event in following]
    assert events[-1] == {"type": "complete"}
    assert [event.get("progress") for event in events[:-1]] == [25, 50, 75]


async def test_who_comes_late_gets_the_present_state_alone_and_at_once(redis_url: str) -> None:
    async with two_processes(redis_url) as (teller, follower):
        for progress in (25, 50):
            await teller.tell("analysis:1", {"progress": progress})
        assert await seen(follower, "analysis:1", count=1) == [{"progress": 50}]
        await teller.tell("analysis:1", {"type": "complete"}, last=True)
        assert await seen(follower, "analysis:1") == [{"type": "complete"}]
        assert await follower.ending("analysis:1", 5) == {"type": "complete"}


async def test_topics_and_numbered_databases_are_kept_apart(redis_url: str) -> None:
    other_database = redis_url.partition("?")[0] + "?db=15"
    async with two_processes(redis_url) as (teller, follower), Live.open(other_database) as elsewhere:
        following = asyncio.create_task(seen(follower, "analysis:1"))
        while not follower._subscribed:
            await asyncio.sleep(0.01)
        await teller.tell("analysis:12", {"of": "another one"})
        await elsewhere.tell("analysis:1", {"of": "another installation"})
        await teller.tell("analysis:1", {"of": "this one"}, last=True)
        assert await following == [{"of": "this one"}]
    with redis.Redis.from_url(other_database) as client:
        client.flushdb()


async def test_nothing_comes_twice_or_out_of_order_however_many_come_and_go_meanwhile(redis_url: str) -> None:
    async with two_processes(redis_url) as (teller, follower):

        async def tell() -> None:
            for progress in range(200):
                await teller.tell("analysis:1", {"progress": progress}, last=progress == 199)

        async def come_and_go() -> list[list[Event]]:
            rounds: list[list[Event]] = []
            while not rounds or rounds[-1][-1]["progress"] < 199:
                rounds.append(await seen(follower, "analysis:1", count=3))
            return rounds

        async with asyncio.TaskGroup() as group:
            visits = [group.create_task(come_and_go()).result for _ in range(5)]
            await tell()
    for visit in (events for result in visits for events in result()):
        numbers = [event["progress"] for event in visit]
        assert all(earlier < later for earlier, later in pairwise(numbers))


async def test_who_does_not_take_what_comes_is_dropped_and_the_others_are_not_held_up(redis_url: str) -> None:
    async with two_processes(redis_url) as (teller, follower), aclosing(follower.follow("analysis:1")) as slow:
        await teller.tell("analysis:1", {"progress": 0})
        assert await anext(slow) == {"progress": 0}
        quick = asyncio.create_task(seen(follower, "analysis:1"))
        for progress in range(1, MOST_WAITING + 3):
            await teller.tell("analysis:1", {"progress": progress})
        await teller.tell("analysis:1", {"type": "complete"}, last=True)
        assert (await quick)[-1] == {"type": "complete"}
        with pytest.raises(TooSlow):
            async for _ in slow:
                pass


async def test_work_that_is_done_anew_opens_its_topic_again(redis_url: str) -> None:
    async with two_processes(redis_url) as (teller, follower):
        await teller.tell("report:1:pdf", {"state": "ready"}, last=True)
        await teller.tell("report:1:pdf", {"state": "queued"})
        waiting = asyncio.create_task(follower.ending("report:1:pdf", 5))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await teller.tell("report:1:pdf", {"state": "ready", "again": True}, last=True)
        assert await waiting == {"state": "ready", "again": True}


async def test_nobody_waits_longer_than_they_said(redis_url: str) -> None:
    async with Live.open(redis_url) as live:
        await live.tell("analysis:1", {"progress": 3})
        assert await live.ending("analysis:1", 0.1) is None
        assert live._followers == {}


async def test_a_message_that_was_lost_on_its_way_is_made_up_for(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN", 0.05)
    async with two_processes(redis_url) as (teller, follower):
        teller._channel = "nobody listens here"
        following = asyncio.create_task(seen(follower, "analysis:1"))
        await asyncio.sleep(0.1)
        await teller.tell("analysis:1", {"type": "complete"}, last=True)
        assert await following == [{"type": "complete"}]


@pytest.mark.fault
async def test_a_redis_that_restarts_empty_costs_a_follower_nothing_that_comes_later() -> None:
    with TemporaryDirectory(prefix="riq-") as folder, Path(folder, "lock").open("w") as lock:
        server = EmbeddedRedis(Path(folder, "redis"), Path(folder), lock.fileno(), durable=False)
        url = server.start()
        async with two_processes(url) as (teller, follower), aclosing(follower.follow("analysis:1")) as events:
            await teller.tell("analysis:1", {"progress": 10})
            assert await asyncio.wait_for(anext(events), 5) == {"progress": 10}
            server.stop()
            await teller.tell("analysis:1", {"progress": 20})  # lost, and no error
            assert await follower.present("analysis:1") is None
            server.start()
            await teller.tell("analysis:1", {"progress": 30})
            assert await asyncio.wait_for(anext(events), 10) == {"progress": 30}
            await teller.tell("analysis:1", {"progress": 40}, last=True)
            assert await asyncio.wait_for(anext(events), 5) == {"progress": 40}
        server.stop()
