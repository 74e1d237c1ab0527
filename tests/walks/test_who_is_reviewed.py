"""Whose pull requests are reviewed, how, and where the app may not: each with the reason on record."""

import asyncio

import pytest

from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import BASE, LEAK, SOUND, WRONG_SUM, says_wrong_sum
from tests.walks.house import House

pytestmark = pytest.mark.walk


@pytest.mark.parametrize("association", ["NONE", "FIRST_TIME_CONTRIBUTOR", "FIRST_TIMER", "MANNEQUIN"])
async def test_a_stranger_on_a_public_repository_gets_the_analyzers_and_is_told_why(
    thinking_house: House, github: SandboxGitHub, association: str
) -> None:
    repository = github.create_repository("octo/open", BASE, private=False)
    github.install("octo")
    fork = github.fork(repository, "stranger")
    pull = github.open_pull_request(repository, LEAK, fork=fork, author="stranger", association=association)
    row = await thinking_house.review(pull)
    [review] = thinking_house.standing(pull)
    assert row.state == "done"
    assert thinking_house.models.requests == []
    assert "No model looked at this change: its author is new to this public repository." in review.body
    assert [comment.path for comment in github.comments(repository, pull.number)] == ["config.js"]


@pytest.mark.parametrize(("private", "association"), [(False, "CONTRIBUTOR"), (False, "OWNER"), (True, "NONE")])
async def test_whoever_is_known_or_inside_gets_the_models_too(
    thinking_house: House, github: SandboxGitHub, private: bool, association: str
) -> None:
    repository = github.create_repository("octo/known", BASE, private=private)
    github.install("octo")
    pull = github.open_pull_request(repository, WRONG_SUM, association=association)
    thinking_house.models.answer(findings=[says_wrong_sum()])
    assert (await thinking_house.review(pull)).state == "done"
    assert len(github.comments(repository, pull.number)) == 1


async def test_a_draft_is_skipped_until_it_is_ready(house: House, github: SandboxGitHub, repository: Repository) -> None:
    pull = github.open_pull_request(repository, LEAK, draft=True)
    opened = await house.review(pull)
    assert (opened.state, opened.outcome) == (
        "ignored",
        "Skipped: the pull request is a draft. It is reviewed when it is marked ready for review.",
    )
    pull.draft = False
    assert (await house.review(pull, "ready_for_review")).state == "done"
    assert len(house.standing(pull)) == 1


async def test_a_draft_that_the_delivery_did_not_know_of_is_skipped_too(house: House, pull: PullRequest) -> None:
    payload = pull.payload("opened")
    pull.draft = True
    row = await house.settle(await house.deliver("pull_request", payload))
    assert (row.state, house.standing(pull)) == ("done", [])
    assert row.outcome.startswith("Skipped: the pull request is a draft.")


async def test_a_bots_pull_request_is_skipped(house: House, github: SandboxGitHub, repository: Repository) -> None:
    pull = github.open_pull_request(repository, LEAK, author="dependabot[bot]", author_type="Bot")
    row = await house.review(pull)
    assert (row.state, row.outcome) == ("ignored", "Skipped: the pull request was opened by a bot (dependabot[bot]).")
    assert github.rest_requests == []


async def test_what_the_app_did_itself_is_skipped_and_what_another_bot_did_is_not(house: House, pull: PullRequest) -> None:
    own = await house.review(pull, "synchronize", sender=house.github.world.bot)
    assert (own.state, own.outcome, house.standing(pull)) == ("done", "Skipped: this app did it itself.", [])
    other = await house.review(pull, "synchronize", sender=house.github.world.user("autofix[bot]", "Bot"))
    assert (other.state, len(house.standing(pull))) == ("done", 1)
    assert len(house.calls()) <= 4 + 4  # each with the look for the app's own name


@pytest.mark.parametrize(("event", "state"), [("ping", 200), ("star", 202), ("workflow_run", 202), ("not_yet_invented", 202)])
async def test_events_that_mean_nothing_are_answered_and_kept(house: House, event: str, state: int) -> None:
    answer = await house.send(event, house.github.ping_payload())
    row = await house.row(answer.json()["delivery"])
    assert answer.status_code == state
    assert row.state == ("done" if event == "ping" else "ignored")


async def test_an_installation_is_kept_and_a_suspended_one_gets_no_review_until_it_is_resumed(
    house: House, github: SandboxGitHub, pull: PullRequest
) -> None:
    held = github.world.installation_of(pull.repository)
    created = await house.settle(await house.deliver("installation", github.installation_payload(held, "created")))
    assert created.outcome == "The app is installed on octo, with 1 repository named. 1 repository to be indexed."
    calls = house.calls()
    await house.settle(await house.deliver("installation", github.installation_payload(held, "suspend")))
    skipped = await house.review(pull)
    assert (skipped.state, skipped.outcome) == ("done", "Skipped: the app is suspended on this account.")
    assert house.calls() == calls
    await house.settle(await house.deliver("installation", github.installation_payload(held, "unsuspend")))
    assert (await house.review(pull)).outcome.startswith("Posted review")


async def test_a_removed_installation_gets_no_review(house: House, github: SandboxGitHub, pull: PullRequest) -> None:
    held = github.world.installation_of(pull.repository)
    opened = pull.payload("opened")
    await house.settle(await house.deliver("installation", github.installation_payload(held, "deleted")))
    held.removed = True
    row = await house.settle(await house.deliver("pull_request", opened))
    assert (row.state, row.outcome) == ("done", "Skipped: the app was removed from this account or repository.")
    assert github.rest_requests == []


async def test_a_repository_that_was_taken_away_gets_no_review_until_it_is_given_back(
    house: House, github: SandboxGitHub, pull: PullRequest
) -> None:
    held, repository = github.world.installation_of(pull.repository), pull.repository
    assert held is not None
    for added, removed in (([], [repository]), ([repository], [])):
        payload = github.installation_repositories_payload(held, added=added, removed=removed)
        await house.settle(await house.deliver("installation_repositories", payload))
        row = await house.review(pull)
        assert row.outcome.startswith("Posted review" if added else "Skipped: the app was removed"), row.outcome


async def test_a_suspension_that_nobody_told_of_fails_with_githubs_words(
    house: House, github: SandboxGitHub, pull: PullRequest
) -> None:
    held = github.world.installation_of(pull.repository)
    assert held is not None
    opened = pull.payload("opened")
    held.suspended = True
    row = await house.settle(await house.deliver("pull_request", opened))
    assert row.state == "failed"
    assert "suspended" in row.outcome


async def test_a_repository_deleted_meanwhile_ends_the_delivery(house: House, github: SandboxGitHub, pull: PullRequest) -> None:
    id = await house.tell(pull)
    github.delete_repository(pull.repository)
    row = await house.settle(id)
    assert (row.state, row.attempts) == ("failed", 1)
    assert "GitHub does not show this to the app (any more)" in row.outcome
    assert [line["event"] for line in house.log if line.get("delivery") == id and line["level"] == "error"] == ["job failed"]


async def test_a_repository_deleted_in_mid_review_ends_the_delivery(
    thinking_house: House, github: SandboxGitHub, repository: Repository
) -> None:
    house = thinking_house
    pull = github.open_pull_request(repository, WRONG_SUM)

    def delete_meanwhile(_: str) -> object:
        github.delete_repository(repository)
        return {"findings": [says_wrong_sum()]}

    house.models.answer(delete_meanwhile)
    row = await house.review(pull)
    assert row.state == "failed"
    assert "GitHub does not show this to the app (any more)" in row.outcome


async def test_a_token_revoked_in_mid_review_is_renewed_and_the_review_posted(
    thinking_house: House, github: SandboxGitHub, repository: Repository
) -> None:
    house = thinking_house
    pull = github.open_pull_request(repository, WRONG_SUM)

    def revoke_meanwhile(_: str) -> object:
        github.revoke_tokens()
        return {"findings": [says_wrong_sum()]}

    house.models.answer(revoke_meanwhile)
    row = await house.review(pull)
    assert (row.state, row.attempts, len(house.standing(pull))) == ("done", 1, 1)
    tokens = [call for call in house.calls() if call.endswith("/access_tokens")]
    assert len(tokens) == 2


async def test_two_tenants_in_one_house_are_each_kept_as_their_own(
    house: House, github: SandboxGitHub, pull: PullRequest
) -> None:
    other = github.open_pull_request(github.create_repository("acme/shop", BASE), SOUND)
    github.install("acme")
    first, second = await asyncio.gather(house.tell(pull), house.tell(other))
    assert {(await house.settle(id)).state for id in (first, second)} == {"done"}
    kept = house.sql(
        "SELECT login, full_name FROM organizations JOIN repositories ON organization_id = organizations.id ORDER BY login"
    )
    assert kept == [("acme", "acme/shop"), ("octo", "octo/shop")]
