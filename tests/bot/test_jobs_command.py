"""`refactoriq jobs` and `jobs retry ID`: what waits, what failed and why, and another chance."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from redis import Redis

from bot.commands.jobs import list_jobs, retry_job
from review.errors import UserError
from storage.database import Database
from storage.deliveries import Deliveries
from storage.embedded import ADDRESSES
from storage.queue import Queue, QueuedJob
from tests.builders_storage import a_new_delivery, a_tenant

pytestmark = pytest.mark.integration

JOB = b'{"kind":"review_pull_request","queue":"default","arguments":{"delivery_id":"failed"}}'
T = TypeVar("T")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)


def with_deliveries(database_url: str, act: Callable[[Deliveries], Awaitable[T]]) -> T:
    async def acted() -> T:
        async with Database.open(database_url) as database:
            return await act(Deliveries(database))

    return asyncio.run(acted())


async def some(deliveries: Deliveries) -> None:
    names = ("done", "failed", "waits", "tried")
    await deliveries.remember([a_new_delivery(name, job=JOB, head_sha="abcdef0" + "1" * 33) for name in names])
    await deliveries.started("failed")
    await deliveries.failed("failed", "GitHub says: \x1b[31mno\nreally")
    await deliveries.finished("done", "Posted.")
    await deliveries.retrying("tried", "GitHub is away.")


def test_an_empty_house_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    list_jobs()
    assert (
        capsys.readouterr().out
        == "Waiting: 0 high, 0 default, 0 low.\nNo job waits, runs, or has failed. What is done: add --all.\n"
    )


def test_the_services_of_a_running_serve_are_found_in_its_data_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with_deliveries(database_url, some)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name)
    with pytest.raises(UserError, match="DATABASE_URL is not set"):
        list_jobs()
    (tmp_path / ADDRESSES).write_text(json.dumps({"database_url": database_url, "redis_url": redis_url}))
    list_jobs()
    assert "failed" in capsys.readouterr().out


def test_what_is_not_done_is_listed_newest_first_with_its_reason(
    capsys: pytest.CaptureFixture[str], database_url: str, redis_url: str
) -> None:
    with_deliveries(database_url, some)

    async def put() -> None:
        async with Queue.open(redis_url) as queue:
            await queue.put_many([QueuedJob("waits", "review_pull_request", {}, "low")])

    asyncio.run(put())
    list_jobs()
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "Waiting: 0 high, 0 default, 1 low."
    assert lines[1].split() == ["ID", "STATE", "TRIES", "EVENT", "REPOSITORY", "PULL", "HEAD", "SAID"]
    assert [line.split()[:3] for line in lines[2:]] == [
        ["tried", "retrying", "0"],
        ["waits", "received", "0"],
        ["failed", "failed", "1"],
    ]
    assert lines[-1].split(maxsplit=6)[3:] == ["pull_request.opened", "7", "abcdef0", "GitHub says:  [31mno really"]
    assert said.err == "Give a failed one another chance with `refactoriq jobs retry ID`.\n"


def test_all_of_them_are_listed_where_one_asks_what_became_of_a_delivery(
    capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    list_jobs(all=True)
    assert capsys.readouterr().out.endswith("No delivery has come in.\n")
    with_deliveries(database_url, some)
    list_jobs(all=True)
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == ["tried", "waits", "failed", "done"]
    assert lines[-1].endswith("Posted.")


def test_a_failed_one_gets_another_chance(capsys: pytest.CaptureFixture[str], database_url: str, redis_url: str) -> None:
    with_deliveries(database_url, some)
    retry_job("failed")
    assert capsys.readouterr().out == "Queued again: failed.\n"
    row = with_deliveries(database_url, lambda deliveries: deliveries.get("failed"))
    assert row is not None
    assert (row.state, row.outcome, row.attempts) == ("received", "", 0)
    with Redis.from_url(redis_url) as redis:
        assert redis.lrange("rq:queue:default", 0, -1) == [b"failed"]


@pytest.mark.parametrize("id", ["done", "waits", "never"])
def test_only_what_failed_can_be_tried_again(database_url: str, redis_url: str, id: str) -> None:
    with_deliveries(database_url, some)
    with pytest.raises(UserError, match=rf"^No failed job has the id {id}: `refactoriq jobs` lists them\.$"):
        retry_job(id)
    with Redis.from_url(redis_url) as redis:
        assert redis.llen("rq:queue:default") == 0


def test_a_job_of_our_own_is_listed_with_its_repository(capsys: pytest.CaptureFixture[str], database_url: str) -> None:
    async def installed() -> None:
        async with Database.open(database_url) as database:
            await a_tenant(database)

    asyncio.run(installed())
    own = a_new_delivery("index-9001-abc", event="refactoriq", action="index_repository", pull_number=None, head_sha=None)
    with_deliveries(database_url, lambda deliveries: deliveries.remember([own]))
    list_jobs()
    row = capsys.readouterr().out.splitlines()[2]
    assert row.split() == ["index-9001-abc", "received", "0", "refactoriq.index_repository", "octo/hello"]
