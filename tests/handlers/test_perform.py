"""One job from the queue: done, put off, or given up; what is written down is what happened."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from handlers import perform as performing
from handlers.context import Context
from handlers.host import Gone, Rejected
from handlers.jobs import JOBS
from handlers.perform import LONGEST_DELAY, MOST_ATTEMPTS, delay, perform
from review.errors import Superseded, TryAgain, UserError
from storage.counts import Counts
from storage.database import Away, Database
from storage.deliveries import Deliveries, NewDelivery

pytestmark = pytest.mark.integration


@dataclass(frozen=True, slots=True)
class Bench:
    """A Context of which only the deliveries and the counts are there: no job of these tests asks for more."""

    database: Database
    deliveries: Deliveries
    done: list[Mapping[str, Any]] = field(default_factory=list)
    counts: Counts = field(default_factory=lambda: Counts(Redis()))  # noted, and never added to anything


@pytest.fixture
async def bench(database: Database) -> Bench:
    """A delivery `d-1` has just come in."""
    deliveries = Deliveries(database)
    row = NewDelivery("d-1", "pull_request", "opened", 1, 2, 3, 7, "a" * 40, "received", job=b"{}")
    await deliveries.remember([row])
    return Bench(database, deliveries)


async def run(bench: Bench, monkeypatch: pytest.MonkeyPatch, ends: Any, kind: str = "a job") -> float | None:
    """Perform a job that ends like this: with an error, or with this outcome."""

    async def job(context: Context, arguments: Mapping[str, Any]) -> str:
        bench.done.append(arguments)
        if isinstance(ends, BaseException):
            raise ends
        return str(ends)

    monkeypatch.setitem(JOBS, "a job", job)
    return await perform(cast(Context, bench), kind, {"delivery_id": "d-1"})


async def state(bench: Bench) -> tuple[str, str, int]:
    row = await bench.deliveries.get("d-1")
    assert row is not None
    return row.state, row.outcome, row.attempts


async def test_a_job_that_ends_well_is_done_with_its_outcome(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await run(bench, monkeypatch, "Posted.") is None
    assert await state(bench) == ("done", "Posted.", 1)
    assert any(name.startswith("job_seconds|a job|done|") for name in bench.counts._noted)


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (Superseded("A newer head came."), "superseded"),
        (UserError("The key is wrong."), "failed"),
        (Gone("It is gone."), "failed"),
        (Rejected("GitHub says no."), "failed"),
    ],
)
async def test_what_will_not_pass_ends_the_delivery(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, becomes: str
) -> None:
    assert await run(bench, monkeypatch, error) is None
    assert await state(bench) == (becomes, str(error), 1)


async def test_what_may_pass_is_put_off_and_says_why(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = await run(bench, monkeypatch, TryAgain("GitHub is away."))
    assert seconds is not None
    assert 2.5 <= seconds <= 7.5
    assert await state(bench) == ("retrying", "GitHub is away.", 1)
    assert await run(bench, monkeypatch, TryAgain("A limit.", after=90)) == 90
    assert await run(bench, monkeypatch, "Posted.") is None
    assert await state(bench) == ("done", "Posted.", 3)


async def test_it_is_tried_for_hours_and_then_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = [await run(bench, monkeypatch, TryAgain("GitHub is away.")) for _ in range(MOST_ATTEMPTS)]
    assert waited[-1] is None
    assert None not in waited[:-1]
    assert await state(bench) == ("failed", "Given up after 15 attempts. The last one: GitHub is away.", 15)


async def test_a_delivery_with_an_end_is_not_worked_on_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await run(bench, monkeypatch, "Posted.")
    assert await run(bench, monkeypatch, "Posted twice.") is None
    assert len(bench.done) == 1
    assert await state(bench) == ("done", "Posted.", 1)


async def test_a_delivery_that_nobody_remembers_is_not_worked_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await perform(cast(Context, bench), "a job", {"delivery_id": "never"}) is None
    assert bench.done == []


async def test_a_kind_that_this_worker_does_not_know_says_what_to_do(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await run(bench, monkeypatch, "", kind="invented_later") is None
    assert (await state(bench))[1] == (
        "No worker here does jobs of the kind `invented_later`: update the workers, then retry it."
    )


async def test_a_job_that_hangs_is_put_off(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performing, "SECONDS", 0.05)

    async def hangs(context: Context, arguments: Mapping[str, Any]) -> str:
        await asyncio.sleep(60)
        return ""

    monkeypatch.setitem(JOBS, "a job", hangs)
    assert await perform(cast(Context, bench), "a job", {"delivery_id": "d-1"}) is not None
    assert (await state(bench))[0] == "retrying"


async def test_a_bug_is_not_swallowed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        await run(bench, monkeypatch, ZeroDivisionError())
    assert any(name.startswith("job_seconds|a job|bug|") for name in bench.counts._noted)
    assert (await state(bench))[0] == "running"


async def test_a_postgres_that_is_away_is_the_queues_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.WAIT", 0.2)
    async with Database.open("postgresql://postgres@/x?host=/nowhere") as away:
        with pytest.raises(Away):
            await perform(cast(Context, Bench(away, Deliveries(away))), "a job", {"delivery_id": "d-1"})


def test_delays_grow_by_two_with_chance_up_to_a_bound_and_obey_what_was_asked_for() -> None:
    for attempt in range(1, 30):
        base = min(5.0 * 2 ** (attempt - 1), LONGEST_DELAY)
        seconds = [delay(attempt) for _ in range(50)]
        assert base * 0.5 <= min(seconds) < max(seconds) <= base * 1.5
    assert delay(1, 3600.0) == 3600.0
    assert delay(20, 1.0) >= LONGEST_DELAY * 0.5
