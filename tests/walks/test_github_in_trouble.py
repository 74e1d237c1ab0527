"""GitHub that fails, limits, loses answers or is raced: exactly one review stands in the end, and nothing is posted blindly."""

import asyncio
import itertools

import pytest
from tenacity import stop_after_attempt

from bot.worker import attempt
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import LEAK, SOUND, WRONG_SUM, says_wrong_sum
from tests.walks.house import House

pytestmark = pytest.mark.walk

POST = ("POST", "/pulls/1/reviews$")
PUT = ("PUT", "/pulls/1/reviews/")


def posts(house: House) -> int:
    """How many reviews we tried to post."""
    return sum(call.startswith("POST") and call.endswith("/reviews") for call in house.calls())


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("lose_answer", 1), ("lose_request", 2), ("502", 2), ("503", 2), ("html", 1), ("malformed", 1)],
)
async def test_a_post_without_an_answer_is_looked_for_before_it_is_tried_again(
    house: House, pull: PullRequest, kind: str, asked: int
) -> None:
    fault = house.github.fault(*POST, kind)
    row = await house.review(pull)
    assert (row.state, fault.met) == ("done", 1)
    assert len(house.standing(pull)) == 1
    assert len(house.github.comments(pull.repository, pull.number)) == 1
    assert posts(house) == asked


@pytest.mark.parametrize("kind", ["lose_answer", "lose_request", "502"])
async def test_an_edit_without_an_answer_is_done_again(house: House, repository: Repository, kind: str) -> None:
    pull = house.github.open_pull_request(repository, SOUND)
    await house.review(pull)
    house.github.push(pull, {"README.md": "# Shop\n\nIt sells more.\n"})
    house.github.fault(*PUT, kind)
    row = await house.review(pull, "synchronize")
    [note] = house.standing(pull)
    assert row.state == "done"
    assert pull.head_sha[:7] in note.body


@pytest.mark.parametrize("path", ["/access_tokens$", "/pulls/1$", "/pulls/1/reviews$", r"/shop\.git/"])
@pytest.mark.parametrize("kind", ["502", "lose_answer", "429"])
async def test_a_read_that_fails_once_is_done_again(house: House, pull: PullRequest, path: str, kind: str) -> None:
    fault = house.github.fault("*" if "git" in path or "tokens" in path else "GET", path, kind, seconds=0.05)
    row = await house.review(pull)
    assert (row.state, row.outcome[:13], fault.met) == ("done", "Posted review", 1)
    assert len(house.standing(pull)) == 1


@pytest.mark.parametrize("kind", ["secondary_limit", "primary_limit", "429", "secondary_limit_silent"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_long_limit_puts_the_job_off_for_as_long_as_github_says(
    house: House, pull: PullRequest, method: str, kind: str
) -> None:
    house.github.fault(method, "/pulls/1/reviews$", kind, seconds=90)
    id = await house.tell(pull)
    await house.work()
    row = await house.row(id)
    assert (row.state, house.standing(pull)) == ("retrying", [])
    assert "rate limit" in row.outcome
    assert house.put_off[id] >= (58 if kind == "secondary_limit_silent" else 85)
    if kind != "primary_limit":
        assert (await house.settle(id)).state == "done"
        assert len(house.standing(pull)) == 1


async def test_a_github_that_is_down_for_hours_makes_a_dead_letter_that_says_so(
    house: House, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.perform.MOST_ATTEMPTS", 2)
    monkeypatch.setattr("bot.github.http.stop_after_attempt", lambda _: stop_after_attempt(1))
    house.github.fault("GET", "/pulls/1$", "503", times=50)
    row = await house.review(pull)
    assert (row.state, row.attempts) == ("failed", 2)
    assert row.outcome.startswith("Given up after 2 attempts. The last one: GitHub answered 503")


async def test_a_review_that_github_rejects_is_a_dead_letter_with_githubs_words(house: House, pull: PullRequest) -> None:
    house.github.fault(*POST, "422", times=50)
    row = await house.review(pull)
    assert (row.state, row.attempts, posts(house)) == ("failed", 1, 2)
    assert "Unprocessable Entity" in row.outcome


async def test_when_github_refuses_the_comments_they_are_told_in_the_body(house: House, pull: PullRequest) -> None:
    house.github.fault(*POST, "422", times=1)
    row = await house.review(pull)
    [review] = house.standing(pull)
    assert row.state == "done"
    assert house.github.comments(pull.repository, pull.number) == []
    assert "GitHub did not take the comments on lines" in review.body
    assert any(line.get("event") == "comments refused" for line in house.log)


async def test_a_pending_review_left_behind_is_taken_away(house: House, pull: PullRequest) -> None:
    house.github.leave_pending_review(pull, "half a review")
    row = await house.review(pull)
    assert row.state == "done"
    assert [review.state for review in house.github.reviews(pull.repository, pull.number)] == ["COMMENTED"]


async def test_a_strangers_copy_of_our_mark_does_not_pass_for_our_review(
    house: House, github: SandboxGitHub, repository: Repository, pull: PullRequest
) -> None:
    await house.review(pull)
    [review] = house.standing(pull)
    other = github.open_pull_request(repository, LEAK)
    copied = github.leave_pending_review(other, review.body.replace(pull.head_sha, other.head_sha))
    copied.user, copied.state = github.world.user("mimic[bot]", "Bot"), "COMMENTED"
    await house.review(other)
    assert [review.user.login for review in house.standing(other)] == ["mimic[bot]", github.bot_login]


async def test_two_workers_on_the_same_head_post_one_review(house: House, pull: PullRequest) -> None:
    ids = [await house.tell(pull), await house.tell(pull, "reopened"), await house.tell(pull, "ready_for_review")]
    jobs = [job for _ in ids if (job := await house.next_job())]
    await asyncio.gather(*(attempt(house.settings, job["kind"], job["arguments"]) for job in jobs))
    for job in jobs:
        await attempt(house.settings, job["kind"], job["arguments"])
    assert {(await house.row(id)).state for id in ids} == {"done"}
    assert (len(house.standing(pull)), posts(house)) == (1, 1)


async def test_two_workers_on_the_same_delivery_post_one_review(house: House, pull: PullRequest) -> None:
    id = await house.tell(pull)
    job = await house.next_job()
    assert job is not None
    thrice = [attempt(house.settings, job["kind"], job["arguments"]) for _ in range(3)]
    waits = await asyncio.gather(*thrice)
    row = await house.row(id)
    assert (row.state, row.outcome[:13]) == ("done", "Posted review")
    assert sorted(seconds is None for seconds in waits) == [False, False, True]
    assert await attempt(house.settings, job["kind"], job["arguments"]) is None
    assert await house.row(id) == row
    assert (len(house.standing(pull)), posts(house)) == (1, 1)


async def test_duplicated_deliveries_in_parallel_are_one_job(house: House, pull: PullRequest) -> None:
    payload = pull.payload("opened")
    answers = await asyncio.gather(*(house.send("pull_request", payload, "the-same-one") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert sum(answer.json()["outcome"].startswith("Queued") for answer in answers) == 1
    assert await house.next_job() is not None
    assert await house.next_job() is None


async def test_many_pull_requests_at_once_get_their_own_review_each(
    house: House, github: SandboxGitHub, repository: Repository
) -> None:
    pulls = [github.open_pull_request(repository, LEAK) for _ in range(4)]
    ids = [await house.tell(pull) for pull in pulls]
    jobs = [job for _ in ids if (job := await house.next_job())]
    await asyncio.gather(*(attempt(house.settings, job["kind"], job["arguments"]) for job in jobs))
    assert {(await house.row(id)).state for id in ids} == {"done"}
    assert [len(house.standing(pull)) for pull in pulls] == [1, 1, 1, 1]


async def test_a_job_that_takes_too_long_is_put_off_and_done_later(
    thinking_house: House, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = thinking_house
    monkeypatch.setattr("handlers.perform.SECONDS", 1.5)
    pull = house.github.open_pull_request(repository, WRONG_SUM)
    house.models.answer(findings=[says_wrong_sum()])
    house.models.fault("hang")
    id = await house.tell(pull)
    await house.work()
    row = await house.row(id)
    assert (row.state, row.outcome) == ("retrying", "It took longer than 0 minutes.")
    house.sql("UPDATE reviews SET heartbeat_at = now() - interval '16 seconds'")  # it may have been posting: nobody hurries
    assert (await house.settle(id)).state == "done"
    assert len(house.standing(pull)) == 1


async def test_a_claim_that_another_job_took_over_posts_nothing(thinking_house: House, repository: Repository) -> None:
    """As after a pause of the whole machine: the job wakes up, and its review belongs to somebody else."""
    house = thinking_house
    pull = house.github.open_pull_request(repository, WRONG_SUM)
    calls = itertools.count()

    def taken_meanwhile(_: str) -> object:
        if next(calls) == 0:
            house.sql("UPDATE reviews SET tries = tries + 1")
        return {"findings": [says_wrong_sum()]}

    house.models.answer(taken_meanwhile)
    id = await house.tell(pull)
    await house.work()
    assert ((await house.row(id)).state, posts(house)) == ("retrying", 0)
    house.sql("UPDATE reviews SET heartbeat_at = '-infinity'")
    assert (await house.settle(id)).state == "done"
    assert (len(house.standing(pull)), posts(house)) == (1, 1)
