"""What people push, close and reopen while the bot works: only the newest head is spoken of, and nothing is said twice."""

import asyncio

import pytest

from tests.builders import commit
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import LEAK, WRONG_SUM, says_wrong_sum
from tests.walks.house import House

pytestmark = pytest.mark.walk

ANOTHER_LEAK = {"more.js": LEAK["config.js"].replace("Q7XJ", "W6ZK")}


async def test_a_push_brings_what_is_new_and_repeats_nothing(house: House, pull: PullRequest) -> None:
    await house.review(pull)
    house.github.push(pull, ANOTHER_LEAK)
    await house.review(pull, "synchronize")
    _, second = house.standing(pull)
    assert [comment.path for comment in house.github.comments(pull.repository, pull.number)] == ["config.js", "more.js"]
    assert second.commit_id == pull.head_sha
    assert "1 new finding (1 critical) in 1 file" in second.body
    assert "1 earlier finding still stands." in second.body


async def test_a_finding_that_moved_down_is_not_posted_again(house: House, pull: PullRequest) -> None:
    await house.review(pull)
    house.github.push(pull, {"config.js": "// keys\n\n\n" + LEAK["config.js"]})
    row = await house.review(pull, "synchronize")
    assert row.outcome.startswith("Nothing new:")
    assert len(house.standing(pull)) == 1
    assert len(house.github.comments(pull.repository, pull.number)) == 1


async def test_a_force_push_is_a_new_head_like_any_other(house: House, pull: PullRequest) -> None:
    await house.review(pull)
    house.github.push(pull, LEAK | ANOTHER_LEAK, force=True)
    row = await house.review(pull, "synchronize")
    assert row.state == "done"
    assert [review.commit_id for review in house.standing(pull)][-1] == pull.head_sha
    assert [comment.path for comment in house.github.comments(pull.repository, pull.number)] == ["config.js", "more.js"]


async def test_a_push_supersedes_the_review_in_progress(thinking_house: House, repository: Repository) -> None:
    house = thinking_house
    pull = house.github.open_pull_request(repository, WRONG_SUM)
    old, first = pull.head_sha, await house.tell(pull)
    house.models.fault("hang")
    house.models.answer(findings=[says_wrong_sum()])
    working = asyncio.create_task(house.work())
    await house.until(lambda: house.models.requests)
    house.github.push(pull, {"README.md": "# Sum\n"})
    second = await house.tell(pull, "synchronize")
    await working
    row = await house.row(first)
    assert (row.state, row.outcome) == ("superseded", f"The pull request has moved on to {pull.head_sha[:7]}.")
    assert (await house.settle(second)).state == "done"
    [review] = house.standing(pull)
    assert review.commit_id == pull.head_sha
    assert old not in str([exchange.body for exchange in house.github.rest_requests])


async def test_a_push_that_no_delivery_tells_of_is_seen_before_the_post(thinking_house: House, repository: Repository) -> None:
    house = thinking_house
    pull = house.github.open_pull_request(repository, WRONG_SUM)

    def push_meanwhile(_: str) -> object:
        if len(house.models.requests) == 1:
            house.github.push(pull, {"README.md": "# Sum\n"})
        return {"findings": [says_wrong_sum()]}

    house.models.answer(push_meanwhile)
    row = await house.review(pull)
    assert (row.state, row.outcome) == ("superseded", f"The pull request has moved on to {pull.head_sha[:7]}.")
    assert house.standing(pull) == []


@pytest.mark.parametrize(
    ("action", "act", "says"),
    [
        ("closed", lambda github, pull: github.close(pull), "The pull request was closed."),
        ("closed", lambda github, pull: github.close(pull, merged=True), "The pull request was closed."),
        ("converted_to_draft", lambda github, pull: setattr(pull, "draft", True), "The pull request became a draft."),
    ],
    ids=["closed", "merged", "draft"],
)
async def test_what_ends_in_mid_review_gets_no_review(
    thinking_house: House, repository: Repository, action: str, act: object, says: str
) -> None:
    house = thinking_house
    pull = house.github.open_pull_request(repository, WRONG_SUM)
    first = await house.tell(pull)
    house.models.fault("hang")
    working = asyncio.create_task(house.work())
    await house.until(lambda: house.models.requests)
    act(house.github, pull)  # type: ignore[operator]
    ended = await house.tell(pull, action)
    await working
    assert (await house.row(ended)).state == "done"
    row = await house.row(first)
    assert (row.state, row.outcome) == ("superseded", says)
    assert house.standing(pull) == []


async def test_reopened_after_closed_is_reviewed(house: House, pull: PullRequest) -> None:
    house.github.close(pull)
    await house.tell(pull, "closed")
    house.github.reopen(pull)
    row = await house.review(pull, "reopened")
    assert row.state == "done"
    assert len(house.standing(pull)) == 1


async def test_reopened_at_a_head_that_was_reviewed_is_not_reviewed_twice(house: House, pull: PullRequest) -> None:
    await house.review(pull)
    house.github.close(pull)
    await house.tell(pull, "closed")
    house.github.reopen(pull)
    row = await house.review(pull, "reopened")
    assert (row.state, len(house.standing(pull))) == ("done", 1)
    assert row.outcome.startswith("This head is reviewed already")


async def test_another_base_is_another_change(house: House, github: SandboxGitHub, repository: Repository) -> None:
    commit(repository.path, ANOTHER_LEAK, ref="refs/heads/release", parents=[str(repository.resolve("main"))])
    pull = github.open_pull_request(repository, LEAK | ANOTHER_LEAK)
    await house.review(pull)
    pull.base_ref = "release"
    changes = {"base": {"ref": {"from": "main"}, "sha": {"from": pull.base_sha}}}
    row = await house.review(pull, "edited", changes=changes)
    assert row.state == "done"
    assert not row.outcome.startswith("This head is reviewed already"), row.outcome
    assert (await house.row(await house.tell(pull, "edited", changes={"title": {"from": "x"}}))).state == "ignored"


async def test_a_head_that_was_pushed_over_and_collected_ends_superseded(house: House, pull: PullRequest) -> None:
    first = await house.tell(pull)
    house.github.push(pull, ANOTHER_LEAK, force=True, forget=True)
    row = await house.settle(first)
    assert row.state in ("done", "superseded")
    assert {review.commit_id for review in house.standing(pull)} <= {pull.head_sha}
    assert (await house.review(pull, "synchronize")).state == "done"
    [review] = house.standing(pull)
    assert review.commit_id == pull.head_sha


async def test_a_redelivery_does_nothing(house: House, pull: PullRequest) -> None:
    payload = pull.payload("opened")
    id = await house.deliver("pull_request", payload)
    await house.settle(id)
    calls = house.calls()
    again = await house.send("pull_request", payload, id)
    assert (again.status_code, again.json()["outcome"]) == (202, "This delivery is known already: nothing is done twice.")
    await house.work()
    assert house.calls() == calls
    assert (await house.row(id)).attempts == 1


async def test_deliveries_of_one_push_in_the_wrong_order_end_in_one_review_of_the_newest_head(
    house: House, pull: PullRequest
) -> None:
    opened = pull.payload("opened")
    house.github.push(pull, ANOTHER_LEAK)
    later, earlier = await house.tell(pull, "synchronize"), await house.deliver("pull_request", opened)
    assert {(await house.settle(id)).state for id in (later, earlier)} <= {"done", "superseded"}
    [review] = house.standing(pull)
    assert review.commit_id == pull.head_sha
