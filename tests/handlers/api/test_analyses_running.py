"""Analyses on their way: progress told and kept, cancelled, taken over, given up; none stays on its way for ever."""

import asyncio
from typing import Any

import pytest
import redis

from bot.chores import sweep_once
from handlers.analyzing import run
from handlers.analyzing.run import Running
from handlers.sweep import DIED
from review.reviewer import Reviewer
from storage.live import Live
from tests.builders_analyses import BAD, asked, shown, uploaded
from tests.builders_api import Api

pytestmark = pytest.mark.api


async def test_a_queued_analysis_is_cancelled_and_never_run(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    answer = await mona.put(f"/analyses/{id}", {"status": "cancelled", "title": "No more"})
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "cancelled")
    await api.work()
    analysis = await shown(mona, id)
    assert (analysis["status"], analysis["title"], analysis["results"]) == ("cancelled", "No more", None)
    again = await mona.put(f"/analyses/{id}", {"status": "cancelled"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "illegal_step")
    assert again.json()["error"]["details"] == {"status": "cancelled", "legal": []}


async def endless(*_: Any, **__: Any) -> None:
    await asyncio.Event().wait()


async def until_running(api: Api, id: int) -> None:
    async with asyncio.timeout(20):
        while api.sql("SELECT status FROM analyses WHERE id = %s", (id,)) != [("running",)]:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_a_running_analysis_that_nobody_wants_ends_within_seconds(
    api: Api, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    monkeypatch.setattr(Reviewer, "review", endless)
    monkeypatch.setattr(run, "BEAT_EVERY", 0.05)
    working = asyncio.create_task(api.work())
    await until_running(api, id)
    path = f"/analyses/{id}"
    done = await mona.put(path, {"status": "cancelled"}) if how == "cancel" else await mona.delete(path)
    assert done.status_code == 200
    async with asyncio.timeout(10):
        assert await working == {}
    [job] = api.sql("SELECT state, outcome FROM deliveries WHERE id = %s", (f"analysis-{id}",))
    assert job == ("superseded", "The analysis was cancelled." if how == "cancel" else "The analysis was removed.")


async def test_progress_is_kept_while_it_runs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))

    async def far(*_: Any, progress: Any, **__: Any) -> None:
        progress(42, "Analyzing app.py...")
        await asyncio.Event().wait()

    monkeypatch.setattr(Reviewer, "review", far)
    monkeypatch.setattr(run, "BEAT_EVERY", 0.05)
    working = asyncio.create_task(api.work())
    async with asyncio.timeout(20):
        while (analysis := await shown(mona, id))["progress"] != 42:
            await asyncio.sleep(0.05)
    assert (analysis["status"], analysis["message"], analysis["results"]) == ("running", "Analyzing app.py...", None)
    await mona.put(f"/analyses/{id}", {"status": "cancelled"})
    await working


async def test_a_job_that_finds_another_at_it_waits_and_takes_over_from_one_that_died(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    api.sql("UPDATE analyses SET status = 'running', tries = 1, heartbeat_at = now() WHERE id = %s", (id,))
    put_off = await api.work()
    assert put_off[f"analysis-{id}"] >= 5
    assert (await shown(mona, id))["status"] == "running"
    api.sql("UPDATE analyses SET heartbeat_at = now() - interval '1 minute' WHERE id = %s", (id,))
    await api.put_again()
    await api.work()
    assert (await shown(mona, id))["status"] == "completed"
    assert api.sql("SELECT tries FROM analyses WHERE id = %s", (id,)) == [(2,)]


async def test_a_bug_lets_go_of_the_analysis_and_in_the_end_it_has_failed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))

    async def broken(_: Running) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(Running, "run", broken)
    for status in ("queued", "queued", "failed"):
        with pytest.raises(AssertionError, match="A mistake of ours"):
            await api.work()
        assert (await shown(mona, id))["status"] == status
        await api.put_again()
    assert (await shown(mona, id))["error"] == "A mistake of ours (ZeroDivisionError); the log tells more."


async def test_an_analysis_whose_job_never_reached_the_queue_is_queued_by_the_sweep(api: Api) -> None:
    mona = await api.person("mona")
    upload = await uploaded(mona, {"app.py": BAD})
    id = await asked(mona, upload_id=upload)
    with redis.Redis.from_url(api.settings.redis_url.get_secret_value()) as away:
        away.flushdb()
    assert await api.work() == {}
    assert api.sql("SELECT status FROM analyses WHERE id = %s", (id,)) == [("queued",)]
    api.sql("UPDATE deliveries SET updated_at = now() - interval '1 minute' WHERE id = %s", (f"analysis-{id}",))
    await sweep_once(api.settings)
    await api.work()
    assert api.sql("SELECT status FROM analyses WHERE id = %s", (id,)) == [("completed",)]


async def test_an_analysis_whose_process_died_each_time_has_failed(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    api.sql("UPDATE deliveries SET updated_at = now() - interval '1 minute' WHERE id = %s", (f"analysis-{id}",))
    with redis.Redis.from_url(api.settings.redis_url.get_secret_value()) as given_up:
        given_up.lrem("rq:queue:default", 1, f"analysis-{id}")
        given_up.zadd("rq:failed:default", {f"analysis-{id}": 1e12})
    await sweep_once(api.settings)
    analysis = await shown(mona, id)
    assert (analysis["status"], analysis["error"]) == ("failed", DIED)


async def test_followers_are_told_of_the_steps_and_of_the_end(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    async with Live.open(api.settings.redis_url.get_secret_value()) as live:
        working = asyncio.create_task(api.work())
        async with asyncio.timeout(30):
            events = [event async for event in live.follow(f"analysis:{id}")]
        await working
    assert {event["type"] for event in events[:-1]} == {"progress"}
    steps = [event["progress"] for event in events[:-1]]
    assert steps == sorted(steps)
    assert events[-1] == {"type": "complete", "analysis_id": id}
