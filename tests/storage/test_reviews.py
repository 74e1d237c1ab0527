"""Reviews remembered: of many jobs one wins a head, and whoever lost it changes nothing any more."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from review.analysis import Analysis
from review.finding import Side, Suggestion
from review.review import Comment, Review
from storage.database import Database
from storage.reviews import STALE_SECONDS, ClaimedReview, Head, PostedRecord, Reviews
from tests.builders_review import a_finding
from tests.builders_storage import a_head, a_tenant

pytestmark = pytest.mark.integration

ANALYSIS = Analysis("a" * 40, findings=(a_finding(fingerprint="f-1", suggestion=Suggestion(1, 1, "x = 1")),), changed_lines=3)
REVIEW = Review(
    "a" * 40,
    "Two findings.",
    (Comment("app.py", 4, "Wrong.", Side.LEFT, 2, "f-1"), Comment("b.py", 1, "Also.")),
    ("f-1", "f-2"),
)
NOTE = Review("a" * 40, "Nothing found.")


accounts = itertools.count(100)


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url, pool_size=12) as opened:
        yield opened


@pytest.fixture
async def head(database: Database) -> Head:
    """A head of a tenant of one's own."""
    return a_head(await a_tenant(database, next(accounts)))


@pytest.fixture
def reviews(database: Database) -> Reviews:
    return Reviews(database)


async def claimed(reviews: Reviews, head: Head, delivery: str = "d-1") -> ClaimedReview:
    claim = await reviews.claim(head, delivery)
    assert isinstance(claim, ClaimedReview)
    return claim


async def posted(reviews: Reviews, head: Head, github_id: int, review: Review = REVIEW) -> ClaimedReview:
    claim = await claimed(reviews, head)
    await reviews.keep(claim, ANALYSIS, review)
    await reviews.posted(claim, github_id, review.body)
    return claim


async def grown_stale(database: Database, claim: ClaimedReview, seconds: float = STALE_SECONDS + 1) -> None:
    """As if the job of this claim had died so many seconds ago."""
    async with database.tenant(claim.head.organization_id) as connection:
        await connection.execute(
            "UPDATE reviews SET heartbeat_at = heartbeat_at - make_interval(secs => %s) WHERE id = %s", (seconds, claim.id)
        )


async def record(database: Database, claim: ClaimedReview) -> tuple[object, ...]:
    async with database.tenant(claim.head.organization_id) as connection:
        cursor = await connection.execute("SELECT * FROM reviews WHERE id = %s", (claim.id,))
        row = await cursor.fetchone()
    assert row is not None
    return row


async def count(database: Database, head: Head, table: str) -> int:
    async with database.tenant(head.organization_id) as connection:
        row = await (await connection.execute(f"SELECT count(*) FROM {table}")).fetchone()
    assert row is not None
    return int(row[0])


async def test_of_many_jobs_that_claim_a_head_at_once_one_wins(reviews: Reviews, head: Head) -> None:
    claims = await asyncio.gather(*(reviews.claim(head, f"d-{n}") for n in range(40)))
    assert sorted(type(claim).__name__ for claim in claims) == ["ClaimedReview"] + ["NoneType"] * 39


async def test_of_many_jobs_that_take_over_a_dead_claim_one_wins(database: Database, reviews: Reviews, head: Head) -> None:
    dead = await claimed(reviews, head)
    await grown_stale(database, dead)
    claims = await asyncio.gather(*(reviews.claim(head, f"d-{n}") for n in range(2, 42)))
    [won] = [claim for claim in claims if claim is not None]
    assert isinstance(won, ClaimedReview)
    assert (won.id, won.tries) == (dead.id, dead.tries + 1)


async def test_another_base_or_pull_request_is_another_review(reviews: Reviews, head: Head) -> None:
    first = await claimed(reviews, head)
    for other in (a_head_like(head, base_ref="release"), a_head_like(head, number=8), a_head_like(head, head_sha="b" * 40)):
        assert (await claimed(reviews, other, "d-2")).id != first.id


def a_head_like(head: Head, *, head_sha: str = "a" * 40, number: int = 7, base_ref: str = "main") -> Head:
    return Head(head.organization_id, head.repository_id, number, head_sha, base_ref)


async def test_two_tenants_review_the_same_head_apart(database: Database, reviews: Reviews, head: Head) -> None:
    await posted(reviews, head, 501)
    fork = a_head(await a_tenant(database, next(accounts)))
    await claimed(reviews, fork)
    assert await reviews.told(fork, [fork.head_sha]) == frozenset()
    assert await reviews.latest(fork) is None


@pytest.mark.parametrize("delivery", ["d-1", "d-2"])
async def test_a_live_claim_is_taken_over_by_nobody_not_even_its_own_delivery(
    reviews: Reviews, head: Head, delivery: str
) -> None:
    first = await claimed(reviews, head, "d-1")
    assert await reviews.claim(head, delivery) is None
    assert await reviews.touch(first)


async def test_whoever_takes_over_a_dead_claim_fences_it(database: Database, reviews: Reviews, head: Head) -> None:
    first = await claimed(reviews, head)
    await grown_stale(database, first)
    second = await claimed(reviews, head)
    assert (second.id, second.tries) == (first.id, first.tries + 1)
    assert not await reviews.touch(first)
    assert await reviews.touch(second)


async def test_a_claim_that_was_let_go_is_free_at_once_with_what_was_planned(reviews: Reviews, head: Head) -> None:
    first = await claimed(reviews, head)
    await reviews.keep(first, ANALYSIS, REVIEW)
    await reviews.release(first)
    second = await claimed(reviews, head, "d-2")
    assert second.planned == REVIEW
    await reviews.release(first)
    assert await reviews.claim(head, "d-3") is None


async def test_a_heartbeat_keeps_a_claim_from_going_stale(database: Database, reviews: Reviews, head: Head) -> None:
    first = await claimed(reviews, head)
    await grown_stale(database, first)
    assert await reviews.touch(first)
    assert await reviews.claim(head, "d-2") is None
    await grown_stale(database, first, STALE_SECONDS - 5)
    assert await reviews.claim(head, "d-2") is None


async def test_what_was_ready_to_be_posted_outlives_the_job_that_thought_it(
    database: Database, reviews: Reviews, head: Head
) -> None:
    first = await claimed(reviews, head)
    await reviews.keep(first, ANALYSIS, REVIEW)
    await grown_stale(database, first)
    assert (await claimed(reviews, head, "d-2")).planned == REVIEW


async def test_a_posted_review_is_never_claimed_again(database: Database, reviews: Reviews, head: Head) -> None:
    done = await posted(reviews, head, 501)
    await grown_stale(database, done)
    for delivery in ("d-1", "d-2"):
        assert await reviews.claim(head, delivery) == "This head is reviewed already, in review 501."


async def test_a_head_that_failed_or_was_superseded_may_be_claimed_by_anybody(reviews: Reviews, head: Head) -> None:
    first = await claimed(reviews, head, "d-1")
    await reviews.keep(first, ANALYSIS, REVIEW)
    await reviews.failed(first, "GitHub refused it.\x00")
    second = await claimed(reviews, head, "d-2")
    assert second.planned is None
    await reviews.superseded(second, "The pull request has moved on.")
    assert (await claimed(reviews, head, "d-3")).tries == 3


async def test_a_job_that_lost_its_claim_changes_nothing(database: Database, reviews: Reviews, head: Head) -> None:
    earlier = a_head_like(head, head_sha="b" * 40)
    standing = await posted(reviews, earlier, 500, NOTE)
    lost = await claimed(reviews, head)
    await grown_stale(database, lost)
    won = await claimed(reviews, head)
    before = await record(database, won), await record(database, standing), await count(database, head, "analyses")
    await reviews.keep(lost, ANALYSIS, REVIEW)
    await reviews.posted(lost, 501, "Mine.")
    await reviews.edited(lost, 500, "Mine.")
    await reviews.failed(lost, "Mine.")
    await reviews.release(lost)
    await reviews.superseded(lost, "Mine.")
    assert (await record(database, won), await record(database, standing), await count(database, head, "analyses")) == before


async def test_nothing_takes_a_post_back(database: Database, reviews: Reviews, head: Head) -> None:
    done = await posted(reviews, head, 501)
    before = await record(database, done)
    await reviews.superseded(done, "Too late.")
    await reviews.failed(done, "Too late.")
    await reviews.release(done)
    await reviews.keep(done, ANALYSIS, NOTE)
    await reviews.edited(done, 501, "Too late.")
    assert await record(database, done) == before


async def test_only_what_was_posted_counts_as_told(reviews: Reviews, head: Head) -> None:
    claim = await claimed(reviews, head)
    await reviews.keep(claim, ANALYSIS, REVIEW)
    assert await reviews.told(head) == frozenset()
    await reviews.posted(claim, 501, REVIEW.body)
    assert await reviews.told(a_head_like(head, head_sha="b" * 40)) == {"f-1", "f-2"}
    assert await reviews.told(a_head_like(head, number=8)) == frozenset()


@pytest.mark.parametrize("end", ["crashed", "superseded", "failed"])
async def test_a_review_seen_on_github_counts_as_told_even_if_its_post_was_never_written_down(
    reviews: Reviews, head: Head, end: str
) -> None:
    claim = await claimed(reviews, head)
    await reviews.keep(claim, ANALYSIS, REVIEW)
    if end != "crashed":
        await getattr(reviews, end)(claim, "After the post.")
    assert await reviews.told(a_head_like(head, head_sha="b" * 40), [head.head_sha]) == {"f-1", "f-2"}


async def test_the_latest_review_is_the_newest_on_github_and_of_this_pull_request(reviews: Reviews, head: Head) -> None:
    assert await reviews.latest(head) is None
    await posted(reviews, a_head_like(head, head_sha="b" * 40), 502)
    await posted(reviews, head, 501, NOTE)
    await posted(reviews, a_head_like(head, number=8), 900)
    assert await reviews.latest(head) == PostedRecord(502, REVIEW.body, False)


async def test_a_note_is_edited_and_stays_one_note(reviews: Reviews, head: Head) -> None:
    await posted(reviews, head, 501, NOTE)
    newer = a_head_like(head, head_sha="b" * 40)
    claim = await claimed(reviews, newer)
    await reviews.keep(claim, ANALYSIS, None)
    await reviews.edited(claim, 501, "Still nothing found.")
    assert await reviews.latest(head) == PostedRecord(501, "Still nothing found.", True)
    assert await reviews.claim(newer, "d-9") == "This head is reviewed already, in review 501."


async def test_a_review_with_findings_that_is_edited_does_not_become_a_note(reviews: Reviews, head: Head) -> None:
    await posted(reviews, head, 501)
    for sha in ("b" * 40, "c" * 40):
        claim = await claimed(reviews, a_head_like(head, head_sha=sha))
        await reviews.keep(claim, ANALYSIS, None)
        await reviews.edited(claim, 501, f"Nothing new in {sha[:7]}.")
        assert await reviews.latest(head) == PostedRecord(501, f"Nothing new in {sha[:7]}.", False)
    assert await reviews.told(head) == {"f-1", "f-2"}


async def test_the_body_that_is_edited_is_that_of_its_own_pull_request(reviews: Reviews, head: Head) -> None:
    """GitHub's ids are its own; another pull request's record with the same id would be a mistake, and stays as it is."""
    other = a_head_like(head, number=8)
    await posted(reviews, other, 501)
    await posted(reviews, a_head_like(head, head_sha="b" * 40), 501, NOTE)
    claim = await claimed(reviews, head)
    await reviews.edited(claim, 501, "Edited.")
    latest = await reviews.latest(other)
    assert latest is not None
    assert latest.body == REVIEW.body


async def test_a_review_is_kept_with_its_analysis_or_not_at_all(database: Database, reviews: Reviews, head: Head) -> None:
    claim = await claimed(reviews, head)
    hopeless = Analysis("a" * 40, findings=(a_finding(line=2**40),))
    with pytest.raises(Exception, match="integer out of range"):
        await reviews.keep(claim, hopeless, REVIEW)
    assert await count(database, head, "analyses") == 0
    await reviews.release(claim)
    assert (await claimed(reviews, head)).planned is None
