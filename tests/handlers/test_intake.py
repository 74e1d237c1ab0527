"""Intake: deliveries that arrive together share a flush; one alone waits for nobody; nobody is left waiting."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from handlers.intake import BATCH, Intake
from handlers.metrics import Metrics
from handlers.router import Routed, route
from review.errors import TryAgain
from storage.deliveries import NewDelivery
from storage.queue import QueuedJob
from tests.builders_delivery import a_delivery, a_pull_request_payload

pytestmark = pytest.mark.unit


class Rows:
    """A Postgres of one dict, whose INSERT takes a turn of the loop, and fails on request."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.inserts: list[int] = []
        self.trouble: Exception | None = None
        self.poison = ""
        self.gate = asyncio.Event()
        self.gate.set()

    async def remember(self, batch: Sequence[NewDelivery]) -> set[str]:
        self.inserts.append(len(batch))
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        if any(row.id == self.poison for row in batch):
            raise ValueError("a row that cannot be stored")
        new = {row.id for row in batch} - self.ids
        self.ids |= new
        return new


class Jobs:
    """A Redis of one list."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.trips = 0
        self.trouble: Exception | None = None

    async def put_many(self, jobs: Sequence[QueuedJob]) -> None:
        self.trips += 1
        if self.trouble:
            raise self.trouble
        self.ids += [job.id for job in jobs]


class Door:
    """An intake and what stands behind it."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.jobs = Jobs()
        self.counted: Counter[str] = Counter()
        self.metrics = Metrics(self.counted.update)
        self.intake = Intake(self.rows, self.jobs, self.metrics)

    async def take(self, *ids: str) -> list[bool | BaseException]:
        return await asyncio.gather(*(self.intake.take(routed(id)) for id in ids), return_exceptions=True)


def routed(id: str, event: str = "pull_request") -> Routed:
    return route(a_delivery(event, a_pull_request_payload(), id))


async def test_deliveries_that_arrive_together_share_one_insert_and_one_round_trip() -> None:
    door = Door()
    ids = [f"d-{n}" for n in range(40)]
    assert await door.take(*ids) == [True] * 40
    assert door.rows.inserts == [40]
    assert door.jobs.trips == 1
    assert door.jobs.ids == ids


async def test_what_arrives_during_a_flush_makes_up_the_next_one() -> None:
    door = Door()
    door.rows.gate.clear()
    first = asyncio.create_task(door.take("d-0"))
    await asyncio.sleep(0.01)
    later = asyncio.create_task(door.take("d-1", "d-2", "d-3"))
    await asyncio.sleep(0.01)
    assert door.rows.inserts == [1]
    door.rows.gate.set()
    assert await first == [True]
    assert await later == [True] * 3
    assert door.rows.inserts == [1, 3]


async def test_a_batch_is_bounded() -> None:
    door = Door()
    assert await door.take(*(f"d-{n}" for n in range(2 * BATCH + 1))) == [True] * (2 * BATCH + 1)
    assert door.rows.inserts == [BATCH, BATCH, 1]


async def test_a_known_delivery_is_not_queued_again() -> None:
    door = Door()
    assert await door.take("d-1") == [True]
    assert await door.take("d-1", "d-2") == [False, True]
    assert door.jobs.ids == ["d-1", "d-2"]


async def test_the_same_delivery_twice_at_once_is_one_row_and_one_job() -> None:
    door = Door()
    assert sorted(map(bool, await door.take("d-1", "d-1", "d-1"))) == [False, False, True]
    assert door.rows.inserts == [1]
    assert door.jobs.ids == ["d-1"]


async def test_what_puts_no_job_makes_no_round_trip_to_redis() -> None:
    door = Door()
    assert await door.intake.take(routed("d-1", "star"))
    assert door.jobs.trips == 0


async def test_with_postgres_away_everybody_in_the_batch_hears_it_and_nothing_is_queued() -> None:
    door = Door()
    door.rows.trouble = TryAgain("Postgres is away.")
    answers = await door.take("d-1", "d-2", "d-1")
    assert [type(answer) for answer in answers] == [TryAgain] * 3
    assert door.jobs.ids == []
    door.rows.trouble = None
    assert await door.take("d-1") == [True]


async def test_a_postgres_that_does_not_answer_counts_as_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.intake.POSTGRES_SECONDS", 0.02)
    door = Door()
    door.rows.gate.clear()
    [answer] = await door.take("d-1")
    assert isinstance(answer, TryAgain)


@pytest.mark.parametrize("trouble", [TryAgain("Redis is away."), ValueError("a bug in the queue")])
async def test_with_redis_away_the_delivery_counts_as_taken(trouble: Exception) -> None:
    door = Door()
    door.jobs.trouble = trouble
    assert await door.take("d-1", "d-2") == [True, True]
    assert door.rows.ids == {"d-1", "d-2"}
    assert door.counted["unqueued"] == 2


async def test_one_row_that_cannot_be_stored_does_not_take_the_others_with_it() -> None:
    door = Door()
    door.rows.poison = "d-1"
    answers = await door.take("d-0", "d-1", "d-2")
    assert [answers[0], type(answers[1]), answers[2]] == [True, ValueError, True]
    assert door.jobs.ids == ["d-0", "d-2"]


async def test_a_client_that_is_gone_leaves_the_others_of_its_batch_alone() -> None:
    door = Door()
    door.rows.gate.clear()
    gone = asyncio.create_task(door.intake.take(routed("d-1")))
    stays = asyncio.create_task(door.intake.take(routed("d-2")))
    await asyncio.sleep(0.01)
    gone.cancel()
    door.rows.gate.set()
    assert await stays
    assert door.jobs.ids == ["d-1", "d-2"]


async def test_too_many_waiting_ones_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.intake.WAITING", 2)
    door = Door()
    door.rows.gate.clear()
    flushing = asyncio.create_task(door.take("d-0"))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(door.take("d-1", "d-2", "d-3"))
    await asyncio.sleep(0.01)
    door.rows.gate.set()
    assert await flushing == [True]
    [first, second, turned_away] = await waiting
    assert [first, second, type(turned_away)] == [True, True, TryAgain]


async def test_draining_waits_for_whatever_is_on_its_way_in() -> None:
    door = Door()
    taking = [asyncio.create_task(door.intake.take(routed(f"d-{n}"))) for n in range(3)]
    await asyncio.sleep(0)
    await door.intake.drain()
    assert door.jobs.ids == ["d-0", "d-1", "d-2"]
    assert await asyncio.gather(*taking) == [True] * 3
