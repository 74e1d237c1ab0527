"""Events decide: which deliveries ask for a review, which end one, which are kept, and why the rest is ignored."""

from typing import Any

import pytest

from handlers.delivery import Delivery
from handlers.events import EVENTS
from handlers.events.event import Decision, Ignored, Noted, PutJob
from tests.builders_delivery import (
    HEAD_SHA,
    a_delivery,
    a_pull_request,
    a_pull_request_payload,
    a_repository,
    an_account,
    an_installation_payload,
)  # fmt: skip

pytestmark = pytest.mark.unit

BOT = an_account("dependabot[bot]", 49699333, "Bot")


def decide(delivery: Delivery) -> Decision:
    return EVENTS[delivery.event](delivery)


def about(action: str, pull: dict[str, Any] | None = None, **changes: Any) -> Decision:
    return decide(a_delivery("pull_request", a_pull_request_payload(action, pull, **changes)))


@pytest.mark.parametrize("action", ["opened", "reopened", "ready_for_review", "synchronize"])
def test_a_change_to_look_at_puts_a_review(action: str) -> None:
    assert about(action) == PutJob(
        "review_pull_request",
        {
            "delivery_id": "d-1",
            "installation_id": 5005,
            "account_id": 77,
            "account": "octo-org",
            "account_type": "Organization",
            "repository_id": 1296269,
            "repository": "octo-org/app",
            "private": True,
            "default_branch": "main",
            "number": 7,
            "head_sha": HEAD_SHA,
            "action": action,
            "sender": "mona",
            "sender_is_bot": False,
        },
        "default",
    )


def test_an_edited_base_is_another_change() -> None:
    assert isinstance(about("edited", changes={"base": {"ref": {"from": "develop"}}}), PutJob)


@pytest.mark.parametrize("changes", [{"title": {"from": "x"}}, {"body": {"from": None}}, {"base": None}, {}, None])
def test_an_edited_text_is_the_same_change(changes: Any) -> None:
    assert about("edited", changes=changes) == Ignored("Ignored: the title or text was edited, the change is the same.")


@pytest.mark.parametrize(
    ("action", "pull", "says"),
    [
        ("closed", {"state": "closed", "merged": True}, "The pull request was merged: a review in progress stops."),
        ("closed", {"state": "closed", "merged": None}, "The pull request was closed: a review in progress stops."),
        ("converted_to_draft", {"draft": True}, "The pull request became a draft: a review in progress stops."),
    ],
)
def test_what_ends_a_review_in_progress_is_noted(action: str, pull: dict[str, Any], says: str) -> None:
    assert about(action, a_pull_request(**pull)) == Noted(says)


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronize"])
def test_a_draft_waits_until_it_is_ready(action: str) -> None:
    assert about(action, a_pull_request(draft=True)) == Ignored(
        "Skipped: the pull request is a draft. It is reviewed when it is marked ready for review."
    )


def test_ready_for_review_counts_even_where_the_payload_still_says_draft() -> None:
    assert isinstance(about("ready_for_review", a_pull_request(draft=True)), PutJob)


def test_a_bots_pull_request_is_skipped() -> None:
    assert about("opened", a_pull_request(user=BOT)) == Ignored(
        "Skipped: the pull request was opened by a bot (dependabot[bot])."
    )


def test_a_bot_that_acts_on_a_persons_pull_request_is_left_for_the_job_to_judge() -> None:
    decision = about("synchronize", sender=BOT)
    assert isinstance(decision, PutJob)
    assert (decision.arguments["sender"], decision.arguments["sender_is_bot"]) == ("dependabot[bot]", True)


@pytest.mark.parametrize("action", ["synchronize", "edited"])
def test_a_closed_pull_request_gets_no_review(action: str) -> None:
    decision = about(action, a_pull_request(state="closed"), changes={"base": {"ref": {"from": "develop"}}})
    assert decision == Ignored("Skipped: the pull request is closed.")


@pytest.mark.parametrize("action", ["labeled", "assigned", "stacked", "auto_merge_enabled", "not_yet_invented"])
def test_any_other_action_is_ignored_by_name(action: str) -> None:
    assert about(action) == Ignored(f"Ignored: a pull request that is `{action}` needs no new review.")


@pytest.mark.parametrize("sender", [None, {}, {"login": None, "id": None}, an_account("ghost", 10137, "User")])
def test_a_sender_that_is_gone_hinders_nothing(sender: Any) -> None:
    assert isinstance(about("opened", sender=sender), PutJob)
    assert isinstance(about("opened", a_pull_request(user=None), sender=sender), PutJob)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"installation": None}, "names no installation"),
        ({"installation": {}}, "names no installation"),
        ({"repository": None}, "does not name its repository"),
        ({"repository": a_repository(owner=None)}, "does not name its repository"),
        ({"pull_request": None}, "does not name the pull request"),
        ({"pull_request": a_pull_request(head=None)}, "does not name the pull request"),
        ({"pull_request": a_pull_request(number=None)}, "does not name the pull request"),
    ],
)
def test_a_delivery_that_lacks_what_a_review_needs_is_ignored_with_the_reason(changes: dict[str, Any], says: str) -> None:
    decision = about("opened", **changes)
    assert isinstance(decision, Ignored)
    assert says in decision.because


def test_a_repository_is_private_unless_it_is_said_to_be_public() -> None:
    for said, private in ((True, True), (None, True), (False, False)):
        decision = about("opened", repository=a_repository(private=said, default_branch=None))
        assert isinstance(decision, PutJob)
        assert decision.arguments["private"] is private
        assert decision.arguments["default_branch"] == "main"


@pytest.mark.parametrize("action", ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"])
def test_what_happens_to_an_installation_is_kept(action: str) -> None:
    suspended_at = "2026-11-01T00:00:00Z" if action == "suspend" else None
    installation = {"id": 5005, "account": an_account(), "suspended_at": suspended_at}
    decision = decide(a_delivery("installation", an_installation_payload(action, installation=installation)))
    added = [{"id": 1, "full_name": "octo-org/app", "private": True}] if action == "created" else []
    assert decision == PutJob(
        "update_installation",
        {
            "delivery_id": "d-1",
            "action": action,
            "installation": {
                "id": 5005,
                "account_id": 77,
                "account": "octo-org",
                "account_type": "Organization",
                "suspended": action == "suspend",
            },
            "repositories_added": added,
            "repositories_removed": [],
        },
        "high",
    )


@pytest.mark.parametrize("action", ["added", "removed"])
def test_repositories_that_come_and_go_are_kept(action: str) -> None:
    payload = an_installation_payload(
        action,
        repositories_added=[{"id": 2, "full_name": "octo-org/two", "private": False}],
        repositories_removed=[{"id": 3, "full_name": "octo-org/three"}, {"id": None}],
    )
    decision = decide(a_delivery("installation_repositories", payload))
    assert isinstance(decision, PutJob)
    assert (decision.kind, decision.queue, decision.arguments["action"]) == ("update_installation", "high", action)
    assert decision.arguments["repositories_added"] == [{"id": 2, "full_name": "octo-org/two", "private": False}]
    assert decision.arguments["repositories_removed"] == [{"id": 3, "full_name": "octo-org/three", "private": True}]


def test_an_enterprise_has_a_slug_where_others_have_a_login() -> None:
    installation = {"id": 5005, "account": {"id": 9, "slug": "big-corp", "name": "Big"}, "target_type": "Enterprise"}
    decision = decide(a_delivery("installation", an_installation_payload("created", installation=installation)))
    assert isinstance(decision, PutJob)
    assert decision.arguments["installation"]["account"] == "big-corp"
    assert decision.arguments["installation"]["account_type"] == "Enterprise"


@pytest.mark.parametrize(("event", "action"), [("installation", "renamed"), ("installation_repositories", "moved")])
def test_unknown_actions_on_installations_are_ignored(event: str, action: str) -> None:
    decision = decide(a_delivery(event, an_installation_payload(action)))
    assert isinstance(decision, Ignored)
    assert f"`{action}`" in decision.because


def test_an_installation_without_an_account_is_ignored() -> None:
    decision = decide(a_delivery("installation", an_installation_payload("created", installation={"id": 5005})))
    assert decision == Ignored("Ignored: the delivery does not name its installation and account.")


def test_a_ping_is_answered() -> None:
    assert decide(a_delivery("ping", {"zen": "Design for failure.", "hook_id": 1})) == Noted("Answered GitHub's ping.")
