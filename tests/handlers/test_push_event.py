"""Pushes decide: the default branch is indexed whoever pushed, everything else is left alone with its reason."""

from typing import Any

import pytest

from handlers.events import EVENTS
from handlers.events.event import Decision, Ignored, PutJob
from handlers.router import route
from tests.builders_delivery import HEAD_SHA, a_delivery, a_push_payload, a_repository, an_account

pytestmark = pytest.mark.unit

ARGUMENTS = {
    "delivery_id": "d-1",
    "installation": {"id": 5005, "account_id": 77, "account": "octo-org", "account_type": "Organization", "suspended": False},
    "repository": {"id": 1296269, "full_name": "octo-org/app", "private": True, "default_branch": "main"},
}


def pushed(ref: str = "refs/heads/main", **changes: Any) -> Decision:
    return EVENTS["push"](a_delivery("push", a_push_payload(ref, **changes)))


def test_a_push_to_the_default_branch_puts_a_low_job() -> None:
    assert pushed() == PutJob("index_repository", ARGUMENTS, "low")


def test_a_default_branch_may_have_any_name() -> None:
    decision = pushed("refs/heads/release/2.x", repository=a_repository(default_branch="release/2.x"))
    assert isinstance(decision, PutJob)
    assert decision.arguments["repository"]["default_branch"] == "release/2.x"


def test_bots_merge_too() -> None:
    assert isinstance(pushed(sender=an_account("dependabot[bot]", 49699333, "Bot")), PutJob)


@pytest.mark.parametrize(
    ("ref", "changes", "says"),
    [
        ("refs/heads/topic", {}, "only the default branch is indexed"),
        ("refs/heads/main2", {}, "only the default branch is indexed"),
        ("refs/tags/main", {}, "only branches are indexed"),
        ("refs/tags/refs/heads/main", {}, "only branches are indexed"),
        ("main", {}, "only branches are indexed"),
        (None, {}, "only branches are indexed"),
        ("refs/heads/main", {"deleted": True, "after": "0" * 40}, "a branch was deleted"),
        ("refs/heads/main", {"installation": None}, "names no installation"),
        ("refs/heads/main", {"repository": a_repository(owner=None)}, "does not name its repository"),
    ],
)
def test_everything_else_is_ignored_with_the_reason(ref: Any, changes: dict[str, Any], says: str) -> None:
    decision = pushed(ref, **changes)
    assert isinstance(decision, Ignored)
    assert says in decision.because


def test_a_push_is_remembered_with_the_commit_that_it_brought() -> None:
    routed = route(a_delivery("push", a_push_payload()))
    assert (routed.remembered.head_sha, routed.remembered.repository_id) == (HEAD_SHA, 1296269)
    assert routed.job is not None
    assert routed.job.queue == "low"


def repository_is(action: str, **changes: Any) -> Decision:
    payload = {"action": action, "repository": a_repository(), "installation": {"id": 5005}, **changes}
    return EVENTS["repository"](a_delivery("repository", payload))


def test_a_repository_that_was_deleted_is_removed() -> None:
    removed = [{"id": 1296269, "full_name": "octo-org/app", "private": True}]
    assert repository_is("deleted") == PutJob(
        "update_installation",
        {
            "delivery_id": "d-1",
            "action": "removed",
            "installation": ARGUMENTS["installation"],
            "repositories_added": [],
            "repositories_removed": removed,
        },
        "high",
    )


@pytest.mark.parametrize("action", ["renamed", "archived", "publicized", "created"])
def test_whatever_else_becomes_of_a_repository_is_ignored(action: str) -> None:
    assert isinstance(repository_is(action), Ignored)


def test_a_deletion_that_does_not_say_where_is_ignored() -> None:
    assert isinstance(repository_is("deleted", installation=None), Ignored)
