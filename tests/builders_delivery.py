"""Builders for webhooks: payloads as GitHub sends them, signed requests, and the decisions they lead to."""

import hashlib
import hmac
import json
from typing import Any

from handlers.delivery import Delivery, parse
from handlers.events import EVENTS

SECRET = "a secret for tests only"
HEAD_SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
ACCOUNT_URLS = "followers following gists starred subscriptions organizations repos events received_events"
REPOSITORY_URLS = (
    "archive assignees blobs branches collaborators comments commits compare contents contributors deployments downloads "
    "events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels languages merges "
    "milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees"
)


def an_account(login: str = "octo-org", id: int = 77, type: str = "Organization") -> dict[str, Any]:
    """An account with the URLs that GitHub sends along each time."""
    base = f"https://api.github.com/users/{login}"
    return {
        "login": login,
        "id": id,
        "type": type,
        "url": base,
        **{f"{name}_url": f"{base}/{name}" for name in ACCOUNT_URLS.split()},
    }


def a_repository(full_name: str = "octo-org/app", id: int = 1296269, **changes: Any) -> dict[str, Any]:
    """A repository, with its fifty URLs."""
    base = f"https://api.github.com/repos/{full_name}"
    owner, _, name = full_name.partition("/")
    return {
        "id": id,
        "name": name,
        "full_name": full_name,
        "private": True,
        "owner": an_account(owner),
        "default_branch": "main",
        "url": base,
        **{f"{name}_url": f"{base}/{name}{{/sha}}" for name in REPOSITORY_URLS.split()},
        **changes,
    }


def a_pull_request(number: int = 7, **changes: Any) -> dict[str, Any]:
    """An open pull request of a person, ready for review."""
    base = f"https://api.github.com/repos/octo-org/app/pulls/{number}"
    return {
        "number": number,
        "state": "open",
        "draft": False,
        "merged": False,
        "title": "Add a discount",
        "user": an_account("mona", 1, "User"),
        "body": "Orders over 100 get a discount of a tenth.\n" * 60,
        "head": {"ref": "discount", "sha": HEAD_SHA, "repo": a_repository(), "user": an_account()},
        "base": {"ref": "main", "sha": "a" * 60, "repo": a_repository(), "user": an_account()},
        "author_association": "MEMBER",
        "requested_reviewers": [an_account(f"reviewer-{n}", 100 + n, "User") for n in range(6)],
        "labels": [{"id": n, "name": f"area/{n}", "color": "ededed", "description": "Where it is."} for n in range(8)],
        "_links": {name: {"href": f"{base}/{name}"} for name in ("self", "html", "issue", "comments", "commits", "statuses")},
        **changes,
    }


def a_pull_request_payload(action: str = "opened", pull: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The payload of a `pull_request` event: some 25 KB, as GitHub's are."""
    return {
        "action": action,
        "number": 7,
        "pull_request": pull or a_pull_request(),
        "repository": a_repository(),
        "organization": an_account(),
        "installation": {"id": 5005, "node_id": "MDIz"},
        "sender": an_account("mona", 1, "User"),
        **changes,
    }


def an_installation_payload(action: str = "created", **changes: Any) -> dict[str, Any]:
    """The payload of an `installation` event."""
    return {
        "action": action,
        "installation": {"id": 5005, "account": an_account(), "target_type": "Organization", "suspended_at": None},
        "repositories": [{"id": 1, "full_name": "octo-org/app", "private": True, "name": "app"}],
        "sender": an_account("mona", 1, "User"),
        **changes,
    }


def a_delivery(event: str, payload: Any, id: str = "d-1") -> Delivery:
    """That payload, parsed as the receiver parses it."""
    return parse(id, event, json.dumps(payload).encode(), strict=event in EVENTS)


def signed(body: bytes, secret: str = SECRET) -> str:
    """The X-Hub-Signature-256 of these bytes."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers_for(body: bytes, event: str = "pull_request", id: str = "d-1", secret: str = SECRET) -> dict[str, str]:
    """The headers that GitHub sends with these bytes."""
    return {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/044aadd",
        "x-github-delivery": id,
        "x-github-event": event,
        "x-github-hook-id": "292430182",
        "x-hub-signature-256": signed(body, secret),
    }


def a_push_payload(ref: str = "refs/heads/main", **changes: Any) -> dict[str, Any]:
    """The payload of a `push` event, with its owner and its dates as that event alone writes them."""
    owner = {"name": "octo-org", "email": None, **an_account()}
    return {
        "ref": ref,
        "before": "a" * 40,
        "after": HEAD_SHA,
        "created": False,
        "deleted": False,
        "forced": False,
        "commits": [{"id": HEAD_SHA, "added": [f"src/{n}.py" for n in range(20)], "removed": [], "modified": ["README.md"]}],
        "repository": a_repository(owner=owner, created_at=1_700_000_000, organization="octo-org"),
        "organization": an_account(),
        "installation": {"id": 5005, "node_id": "MDIz"},
        "sender": an_account("mona", 1, "User"),
        **changes,
    }
