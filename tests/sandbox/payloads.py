"""Webhook payloads as GitHub sends them, and the signature over their bytes."""

import hashlib
import hmac
from datetime import datetime
from typing import Any

from tests.builders import git
from tests.sandbox import shapes, shapes_pull
from tests.sandbox.changes import merge_base
from tests.sandbox.world import Installation, PullRequest, Repository, User, World

Payload = dict[str, Any]
MOST_COMMITS = 2_048
"""Commits that a `push` event lists."""


def sign(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(world: World, event: str, delivery_id: str, secret: str, body: bytes) -> dict[str, str]:
    return {
        "accept": "*/*",
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/5a1b2c3",
        "x-github-delivery": delivery_id,
        "x-github-event": event,
        "x-github-hook-id": "9001",
        "x-github-hook-installation-target-id": str(world.app_id),
        "x-github-hook-installation-target-type": "integration",
        "x-hub-signature-256": sign(secret, body),
    }


def pull_request(world: World, pull: PullRequest, action: str, sender: User | None = None, **more: Any) -> Payload:
    """A `pull_request` event of that action; `more` is what the action adds (`before` and `after`, `changes` …)."""
    return {
        "action": action,
        "number": pull.number,
        "pull_request": shapes_pull.pull_request(world, pull),
        **more,
        **_around(world, pull.repository, sender or pull.user),
    }


def push(world: World, repository: Repository, ref: str, before: str, after: str, sender: User) -> Payload:
    """A `push` event: that ref (`refs/heads/…`) moved from one commit to another; zeros where it was made or deleted."""
    made, gone = not before.strip("0"), not after.strip("0")
    around, in_seconds = _around(world, repository, sender), int(datetime.fromisoformat(repository.created_at).timestamp())
    around["repository"] |= {"created_at": in_seconds, "pushed_at": in_seconds, "stargazers": 0}
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": made,
        "deleted": gone,
        "forced": not made and not gone and merge_base(repository.path, before, after) != before,
        "base_ref": None,
        "compare": f"{world.url}/{repository.full_name}/compare/{before[:12]}...{after[:12]}",
        "commits": [] if gone else [_commit(world, repository, sha) for sha in _new(repository, before, after)],
        "head_commit": None if gone else _commit(world, repository, after),
        "pusher": {"name": sender.login, "email": f"{sender.login}@example.com"},
        **around,
    }


def _new(repository: Repository, before: str, after: str) -> list[str]:
    """The commits that came with a push, oldest first."""
    known = ("--not", before) if before.strip("0") else ()
    return git(repository.path, "rev-list", "--reverse", f"--max-count={MOST_COMMITS}", after, *known).decode().split()


def _commit(world: World, repository: Repository, sha: str) -> Payload:
    """Without the names of its files: GitHub lists them, but not all of them, so that nobody should count on it."""
    whole = shapes.commit(world, repository, sha)
    about = whole["commit"]
    people = {word: {key: about[word][key] for key in ("name", "email")} for word in ("author", "committer")}
    return {
        "id": sha,
        "tree_id": about["tree"]["sha"],
        "distinct": True,
        "message": about["message"],
        "timestamp": about["committer"]["date"],
        "url": whole["html_url"],
        **people,
        "added": [],
        "removed": [],
        "modified": [],
    }


def issue_comment(world: World, pull: PullRequest, comment: Payload, action: str, sender: User) -> Payload:
    urls = shapes_pull.pull_urls(world, pull)
    simple = shapes_pull.pull_simple(world, pull)
    issue = {
        key: simple[key] for key in ("id", "node_id", "number", "title", "user", "state", "body", "author_association", "draft")
    }
    links = {"url": urls["url"], "html_url": urls["html_url"], "diff_url": urls["diff_url"], "patch_url": urls["patch_url"]}
    issue |= {"url": urls["issue_url"], "html_url": urls["html_url"], "pull_request": links}
    return {"action": action, "issue": issue, "comment": comment, **_around(world, pull.repository, sender)}


def _around(world: World, repository: Repository, sender: User) -> Payload:
    payload: Payload = {"repository": shapes.repository(world, repository)}
    if repository.owner.type == "Organization":
        payload["organization"] = organization(world, repository.owner)
    held = world.installation_of(repository)
    if held is not None:
        payload["installation"] = {"id": held.id, "node_id": shapes.node("MDI", held.id)}
    return payload | {"sender": shapes.user(world, sender)}


def organization(world: World, owner: User) -> Payload:
    api = f"{world.api}/orgs/{owner.login}"
    names = ("repos", "events", "hooks", "issues")
    urls = {f"{name}_url": f"{api}/{name}" for name in names}
    members = {"members_url": f"{api}/members{{/member}}", "public_members_url": f"{api}/public_members{{/member}}"}
    about = {"avatar_url": f"{world.url}/avatars/{owner.id}", "description": None}
    return {"login": owner.login, "id": owner.id, "node_id": shapes.node("O", owner.id), "url": api, **urls, **members, **about}


def _named(repository: Repository) -> Payload:
    return {
        "id": repository.id,
        "node_id": shapes.node("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
    }


def installation(world: World, held: Installation, action: str, sender: User) -> Payload:
    """An `installation` event: created, deleted, suspend, unsuspend, new_permissions_accepted."""
    payload: Payload = {
        "action": action,
        "installation": shapes.installation(world, held),
        "sender": shapes.user(world, sender),
    }
    if action in ("created", "deleted", "suspend", "unsuspend"):
        owned = [r for r in world.repositories.values() if r.owner is held.account and not r.deleted]
        payload["repositories"] = [_named(r) for r in owned if held.repositories is None or r.id in held.repositories]
    if action == "created":
        payload["requester"] = None
    return payload


def installation_repositories(
    world: World, held: Installation, added: list[Repository], removed: list[Repository], sender: User
) -> Payload:
    return {
        "action": "added" if added else "removed",
        "installation": shapes.installation(world, held),
        "repository_selection": "all" if held.repositories is None else "selected",
        "repositories_added": [_named(repository) for repository in added],
        "repositories_removed": [_named(repository) for repository in removed],
        "requester": None,
        "sender": shapes.user(world, sender),
    }


def ping(world: World) -> Payload:
    config = {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": "https://example.com/webhooks/github"}
    hook = {
        "type": "App",
        "id": 9001,
        "name": "web",
        "active": True,
        "app_id": world.app_id,
        "events": ["pull_request", "push", "repository"],
        "config": config,
    }
    return {"zen": "Keep it logically awesome.", "hook_id": 9001, "hook": hook}
