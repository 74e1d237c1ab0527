"""Deliveries remembered: each once, however it comes, and what a later one means for the work on an earlier one."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from storage.database import Away, Database
from storage.deliveries import MAX_OUTCOME, Deliveries, NewDelivery, RememberedDelivery
from tests.builders_storage import a_new_delivery

pytestmark = pytest.mark.integration

A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    """One for all these tests, in which no delivery came yet."""
    async with Database.open(shared_database_url, pool_size=8) as opened:
        async with opened.system() as connection:
            await connection.execute("DELETE FROM deliveries")
        yield opened


@pytest.fixture
def deliveries(database: Database) -> Deliveries:
    return Deliveries(database)


def new(action: str = "opened", head: str = A, **changes: Any) -> NewDelivery:
    """A delivery with an id of its own."""
    return a_new_delivery(str(uuid.uuid4()), action=action, head_sha=head, **changes)


def noted(action: str, head: str = A, **changes: Any) -> NewDelivery:
    """One that puts no job: `closed`, `labeled` …"""
    return new(action, head, state="done", job=None, **changes)


async def why_given_up(deliveries: Deliveries, mine: NewDelivery, *arrived: NewDelivery, at: str = "") -> str | None:
    """What the job of `mine` hears, working on the head `at`, after these arrived one after another."""
    for delivery in arrived:
        await deliveries.remember([delivery])
    return await deliveries.newer_head(9001, 7, mine.id, at or mine.head_sha or "")


async def changed_long_ago(database: Database, delivery_id: str, seconds: float) -> None:
    async with database.system() as connection:
        await connection.execute(
            "UPDATE deliveries SET updated_at = now() - make_interval(secs => %(s)s),"
            " received_at = now() - make_interval(secs => %(s)s) WHERE id = %(id)s",
            {"s": seconds, "id": delivery_id},
        )


async def test_a_delivery_is_new_once(deliveries: Deliveries) -> None:
    first, second = new(), new()
    assert await deliveries.remember([first]) == {first.id}
    assert await deliveries.remember([first, second, second]) == {second.id}
    assert await deliveries.remember([]) == set()
    assert await deliveries.get(first.id) == RememberedDelivery(first.id, "pull_request", "opened", "received", "", 0, 7, A)
    assert await deliveries.get("never-seen") is None


async def test_the_same_deliveries_through_many_connections_at_once_are_each_new_once(deliveries: Deliveries) -> None:
    batch = [new() for _ in range(50)]
    answers = await asyncio.gather(*(deliveries.remember(batch) for _ in range(16)))
    assert sorted(id for answer in answers for id in answer) == sorted(delivery.id for delivery in batch)


async def test_whatever_a_webhook_may_lack_can_be_remembered(deliveries: Deliveries) -> None:
    bare = NewDelivery("ping-1", "ping", "", None, None, None, None, None, "done", "Answered GitHub's ping.")
    largest = new(account_id=2**63 - 1, installation_id=2**63 - 1, repository_id=2**63 - 1, pull_number=2**31 - 1)
    assert await deliveries.remember([bare, largest]) == {"ping-1", largest.id}
    assert await deliveries.get("ping-1") == RememberedDelivery(
        "ping-1", "ping", "", "done", "Answered GitHub's ping.", 0, None, None
    )


async def test_a_row_that_postgres_refuses_is_no_outage_and_takes_its_batch_with_it(deliveries: Deliveries) -> None:
    """Whoever sends the batch tells the two apart: an outage is waited out, a refused row is left out."""
    good, bad = new(), new(state="no such state")
    with pytest.raises(psycopg.errors.CheckViolation):
        await deliveries.remember([good, bad])
    assert await deliveries.get(good.id) is None
    assert await deliveries.remember([good]) == {good.id}


async def test_an_outage_is_named_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.WAIT", 0.2)
    async with Database.open("postgresql://postgres@127.0.0.1:1/none") as away:
        with pytest.raises(Away):
            async with asyncio.timeout(10):
                await Deliveries(away).remember([new()])


async def test_a_delivery_that_failed_is_new_again_when_it_is_delivered_again(deliveries: Deliveries) -> None:
    delivery = new()
    await deliveries.remember([delivery])
    await deliveries.started(delivery.id)
    assert await deliveries.remember([delivery]) == set()
    await deliveries.failed(delivery.id, "It broke.")
    assert await deliveries.remember([delivery]) == {delivery.id}
    again = await deliveries.get(delivery.id)
    assert again is not None
    assert (again.state, again.outcome, again.attempts) == ("received", "", 0)


@pytest.mark.parametrize("end", ["finished", "superseded"])
async def test_a_delivery_that_came_to_an_end_is_not_done_again(deliveries: Deliveries, end: str) -> None:
    delivery = new()
    await deliveries.remember([delivery])
    await getattr(deliveries, end)(delivery.id, "The end.")
    assert await deliveries.remember([delivery]) == set()
    assert await deliveries.started(delivery.id) is None


async def test_a_delivery_goes_through_its_states(deliveries: Deliveries) -> None:
    delivery = new()
    await deliveries.remember([delivery])
    assert await deliveries.started(delivery.id) == 1
    await deliveries.retrying(delivery.id, "GitHub is away.")
    assert await deliveries.started(delivery.id) == 2
    await deliveries.finished(delivery.id, "Posted \x00 \ud800" + "x" * 5000)
    done = await deliveries.get(delivery.id)
    assert done is not None
    assert (done.state, done.attempts, len(done.outcome)) == ("done", 2, MAX_OUTCOME)
    assert await deliveries.started("never-seen") is None


async def test_a_second_job_does_not_change_how_a_delivery_ended(deliveries: Deliveries) -> None:
    """One that was taken for dead may go on beside the one that took its place."""
    delivery = new()
    await deliveries.remember([delivery])
    await deliveries.failed(delivery.id, "The process that worked on it died.")
    await deliveries.finished(delivery.id, "Posted review 501.")
    for late in (deliveries.failed, deliveries.retrying, deliveries.superseded, deliveries.finished):
        await late(delivery.id, "Too late.")
    row = await deliveries.get(delivery.id)
    assert row is not None
    assert (row.state, row.outcome) == ("done", "Posted review 501.")


async def test_only_a_dead_letter_can_be_taken_up_again_by_hand(deliveries: Deliveries) -> None:
    delivery, ping = new(job=b'{"kind": "x"}'), new(event="ping", job=None)
    await deliveries.remember([delivery, ping])
    assert await deliveries.again(delivery.id) is None
    await deliveries.failed(delivery.id, "It broke.")
    await deliveries.failed(ping.id, "It broke.")
    assert [row.id for row in await deliveries.open()] == [ping.id, delivery.id]
    assert await deliveries.again(ping.id) is None
    assert await deliveries.again(delivery.id) == b'{"kind": "x"}'
    assert await deliveries.again(delivery.id) is None
    assert [(row.id, row.state) for row in await deliveries.open()] == [(ping.id, "failed"), (delivery.id, "received")]


async def test_the_recent_ones_come_newest_first(deliveries: Deliveries) -> None:
    batch = [new() for _ in range(4)]
    await deliveries.remember(batch)
    assert [row.id for row in await deliveries.recent(3)] == [delivery.id for delivery in reversed(batch[1:])]


async def test_what_is_unfinished_comes_in_pages_oldest_first_once_it_was_left_alone(
    database: Database, deliveries: Deliveries
) -> None:
    waiting = [new() for _ in range(5)]
    await deliveries.remember([*waiting, noted("closed")])
    for delivery in waiting:
        await changed_long_ago(database, delivery.id, 30)
    await deliveries.finished(waiting[0].id, "Done.")
    await deliveries.failed(waiting[1].id, "Failed.")
    await deliveries.started(waiting[4].id)
    first = await deliveries.unfinished(15, 0, 1)
    rest = await deliveries.unfinished(15, first[-1].sequence, 10)
    assert [one.id for one in first + rest] == [waiting[2].id, waiting[3].id]
    assert bytes(first[0].job or b"") == b"{}"
    assert {one.id for one in await deliveries.unfinished(0)} == {delivery.id for delivery in waiting[2:]}


async def test_old_deliveries_are_forgotten_and_unfinished_ones_never(
    database: Database, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.deliveries.FORGOTTEN_AT_ONCE", 2)
    old, waiting, fresh = [noted("closed") for _ in range(5)], new(), noted("closed")
    await deliveries.remember([*old, waiting, fresh])
    for delivery in [*old, waiting]:
        await changed_long_ago(database, delivery.id, 31 * 86_400)
    assert await deliveries.forget(30) == 5
    assert await deliveries.forget(30) == 0
    assert await deliveries.get(waiting.id) is not None
    assert await deliveries.get(fresh.id) is not None
    assert await deliveries.get(old[0].id) is None


async def test_a_push_supersedes_the_review_of_an_earlier_head(deliveries: Deliveries) -> None:
    mine = new("opened", A)
    assert await why_given_up(deliveries, mine, mine) is None
    because = await why_given_up(deliveries, mine, new("synchronize", B), new("synchronize", C))
    assert because == "The pull request has moved on to ccccccc."


async def test_an_earlier_delivery_supersedes_nothing(deliveries: Deliveries) -> None:
    mine = new("synchronize", B)
    assert await why_given_up(deliveries, mine, new("opened", A), noted("closed", A), mine) is None


@pytest.mark.parametrize(
    "other",
    [new("synchronize", B, pull_number=8), new("synchronize", B, repository_id=9002), new("created", B, event="check_run")],
    ids=["pull request", "repository", "event"],
)
async def test_what_is_about_another_thing_supersedes_nothing(deliveries: Deliveries, other: NewDelivery) -> None:
    mine = new()
    assert await why_given_up(deliveries, mine, mine, other) is None


async def test_the_same_head_again_supersedes_nothing(deliveries: Deliveries) -> None:
    mine = new("opened", A)
    assert await why_given_up(deliveries, mine, mine, mine, new("reopened", A), noted("labeled", A)) is None


async def test_a_job_that_works_on_the_newest_head_is_not_superseded_by_its_own_push(deliveries: Deliveries) -> None:
    """A job reads the pull request anew, so it may already be at the head that a later delivery tells of."""
    mine = new("opened", A)
    assert await why_given_up(deliveries, mine, mine, new("synchronize", B), at=B) is None


@pytest.mark.parametrize(
    ("end", "begin", "because"),
    [
        ("closed", "reopened", "The pull request was closed."),
        ("converted_to_draft", "ready_for_review", "The pull request became a draft."),
    ],
)
async def test_an_end_stops_what_came_before_it_and_not_what_comes_after(
    deliveries: Deliveries, end: str, begin: str, because: str
) -> None:
    before, after = new("opened"), new(begin)
    assert await why_given_up(deliveries, before, before, noted(end)) == because
    assert await why_given_up(deliveries, after, after) is None
    assert await deliveries.newer_head(9001, 7, before.id, A) == because


@pytest.mark.parametrize(("end", "begin"), [("closed", "reopened"), ("converted_to_draft", "ready_for_review")])
async def test_an_end_that_was_overtaken_by_its_own_undoing_stops_nothing(deliveries: Deliveries, end: str, begin: str) -> None:
    mine = new(begin)
    assert await why_given_up(deliveries, mine, mine, noted(end)) is None


@pytest.mark.parametrize("late", ["labeled", "edited", "opened"])
async def test_a_late_delivery_with_an_old_head_never_leaves_a_head_without_a_job(deliveries: Deliveries, late: str) -> None:
    """Without a job it ends nothing; with one its own job reads the pull request anew and reviews the newest head."""
    push = new("synchronize", B)
    stale = new(late, A) if late == "opened" else noted(late, A)
    because = await why_given_up(deliveries, push, push, stale)
    if late == "opened":
        assert because is not None
        assert await deliveries.newer_head(9001, 7, stale.id, B) is None
    else:
        assert because is None


async def test_a_failed_delivery_that_is_delivered_again_does_not_overtake_a_later_push(deliveries: Deliveries) -> None:
    mine = new("opened", A)
    await deliveries.remember([mine])
    await deliveries.failed(mine.id, "It broke.")
    assert await why_given_up(deliveries, mine, new("synchronize", B), mine) == "The pull request has moved on to bbbbbbb."


async def test_the_sweep_and_the_look_for_a_newer_head_read_by_index(shared_database_url: str, deliveries: Deliveries) -> None:
    await deliveries.remember([noted("closed", repository_id=n) for n in range(3000)])
    with psycopg.connect(shared_database_url) as admin:
        admin.execute("ANALYZE deliveries")
        plans = [
            admin.execute(f"EXPLAIN SELECT * FROM deliveries WHERE {where}").fetchall()
            for where in (
                "state IN ('received', 'running', 'retrying') AND sequence > 0 ORDER BY sequence LIMIT 500",
                "state IN ('received', 'running', 'retrying', 'failed') ORDER BY sequence DESC LIMIT 100",
                "repository_id = 7 AND pull_number = 7",
            )
        ]
    text = str(plans)
    assert "Seq Scan" not in text
    assert "deliveries_unfinished" in text
    assert "deliveries_pull" in text
