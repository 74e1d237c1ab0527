"""What the sandbox's GitHub remembers: accounts, repositories, installations, pull requests, reviews. Nothing answers here."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.builders import git
from tests.sandbox.changes import Changes, changes, merge_base
from tests.sandbox.people import People

PERMISSIONS = {"metadata": "read", "contents": "read", "pull_requests": "write", "checks": "write", "members": "read"}
EVENTS = ("pull_request", "push", "repository", "issue_comment", "pull_request_review_comment")


def now() -> str:
    """This moment in GitHub's spelling."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class User:
    """An account: `type` is User, Organization or Bot."""

    id: int
    login: str
    type: str = "User"


@dataclass(slots=True)
class Repository:
    """A repository and its bare git directory. A deleted one stays on disk and is served no more."""

    id: int
    owner: User
    name: str
    path: Path
    private: bool = True
    default_branch: str = "main"
    fork: bool = False
    deleted: bool = False
    created_at: str = field(default_factory=now)
    pulls: dict[int, "PullRequest"] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    protected: set[str] = field(default_factory=set)
    """Branches to which nobody may push."""

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def branch(self, name: str) -> str | None:
        """The commit that a branch stands at."""
        rows = git(self.path, "for-each-ref", "--format=%(objectname)", f"refs/heads/{name}").decode().split()
        return rows[0] if rows else None

    def resolve(self, revision: str) -> str | None:
        """The commit behind a branch, tag, full or abbreviated id."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            try:
                return (
                    git(self.path, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}")
                    .decode()
                    .strip()
                )
            except AssertionError:
                continue
        return None


@dataclass(slots=True)
class Comment:
    """A review comment. `line`, `start_line` and `position` become None when a push makes it outdated."""

    id: int
    review: int
    user: User
    body: str
    path: str
    commit_id: str
    original_commit_id: str
    side: str = "RIGHT"
    line: int | None = None
    start_line: int | None = None
    start_side: str | None = None
    original_line: int | None = None
    original_start_line: int | None = None
    position: int | None = None
    original_position: int | None = None
    diff_hunk: str = ""
    subject_type: str = "line"
    in_reply_to: int | None = None
    applied: bool = False
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)

    @property
    def outdated(self) -> bool:
        return self.subject_type == "line" and self.line is None


@dataclass(slots=True)
class Review:
    id: int
    user: User
    body: str
    state: str
    commit_id: str
    submitted_at: str | None = None


@dataclass(slots=True)
class IssueComment:
    id: int
    user: User
    body: str
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass(slots=True)
class CheckRun:
    """`given` is what the app sent, kept as it came."""

    id: int
    head_sha: str
    given: dict[str, Any]
    annotations: int = 0


@dataclass(slots=True)
class PullRequest:
    """A pull request. `base_sha` is the base branch's tip as of the last push, as GitHub's own `base.sha`."""

    id: int
    number: int
    repository: Repository
    head_repository: Repository | None
    user: User
    title: str
    body: str | None
    base_ref: str
    base_sha: str
    head_ref: str
    head_sha: str
    world: "World" = field(repr=False)
    association: str = "MEMBER"
    draft: bool = False
    state: str = "open"
    merged: bool = False
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    closed_at: str | None = None
    reviews: dict[int, Review] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    talk: dict[int, IssueComment] = field(default_factory=dict)
    queued: bool = False

    @property
    def changes(self) -> Changes:
        return changes(self.repository.path, self.base_tip, self.head_sha)

    @property
    def base_tip(self) -> str:
        return self.repository.resolve(self.base_ref) or self.base_sha

    def commits(self) -> list[str]:
        """Every commit of the pull request, oldest first."""
        start = merge_base(self.repository.path, self.base_tip, self.head_sha)
        return git(self.repository.path, "rev-list", "--reverse", f"{start}..{self.head_sha}").decode().split()

    def has_commit(self, sha: str) -> bool:
        return sha == self.head_sha or sha in self.commits()

    def payload(self, action: str = "opened", sender: User | None = None, **more: Any) -> dict[str, Any]:
        """The webhook's body for a `pull_request` event of that action, as things stand now."""
        from tests.sandbox import payloads

        with self.world.lock:
            return payloads.pull_request(self.world, self, action, sender, **more)


@dataclass(slots=True)
class Installation:
    """The app on one account. `repositories` is None where it may see all of them."""

    id: int
    account: User
    repositories: set[int] | None
    permissions: dict[str, str]
    suspended: bool = False
    removed: bool = False
    created_at: str = field(default_factory=now)

    def covers(self, repository: Repository) -> bool:
        if repository.owner is not self.account or repository.deleted:
            return False
        return self.repositories is None or repository.id in self.repositories


@dataclass(slots=True)
class Token:
    """An installation token. `repositories` narrows what the installation covers."""

    text: str
    installation: Installation
    expires: float
    permissions: dict[str, str]
    repositories: set[int] | None = None
    revoked: bool = False

    @property
    def alive(self) -> bool:
        return not self.revoked and not self.installation.removed and time.time() < self.expires

    def covers(self, repository: Repository) -> bool:
        return self.installation.covers(repository) and (self.repositories is None or repository.id in self.repositories)

    def may(self, permission: str, level: str) -> bool:
        held = self.permissions.get(permission)
        return held is not None and (level == "read" or held in ("write", "admin"))


@dataclass(slots=True)
class HookDelivery:
    """One attempt to deliver a webhook."""

    id: int
    guid: str
    event: str
    url: str
    payload: dict[str, Any]
    status_code: int
    status: str
    duration: float
    answer: str
    redelivery: bool = False
    delivered_at: str = field(default_factory=now)


@dataclass(slots=True)
class World:
    """All of it. `lock` is held by whoever reads or alters it; `url` is the address that the world is served under."""

    root: Path
    public_key: bytes
    url: str = ""
    app_id: int = 4711
    slug: str = "refactoriq"
    client_id: str = "Iv23liSANDBOX4711"
    webhook_secret: str = "the sandbox's webhook secret"
    token_seconds: float = 3600.0
    long_tokens: bool = True
    """Since April 2026 a token may be `ghs_APPID_JWT`, far longer than 40 characters."""
    users: dict[str, User] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    deliveries: list[HookDelivery] = field(default_factory=list)
    people: People = field(default_factory=People)
    redeliver: Callable[[HookDelivery], None] | None = None
    """Makes another attempt to deliver, beside the request that asks for it."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(3_000_000_001))

    @property
    def api(self) -> str:
        return f"{self.url}/api/v3"

    @property
    def bot(self) -> User:
        """The account under which the app acts."""
        return self.user(f"{self.slug}[bot]", "Bot")

    def user(self, login: str, type: str = "User") -> User:
        """That account, made when it is new."""
        return self.users.setdefault(login.lower(), User(len(self.users) + 1001, login, type))

    def repository(self, full_name: str) -> Repository | None:
        found = self.repositories.get(full_name.lower())
        return found if found and not found.deleted else None

    def installation_of(self, repository: Repository) -> Installation | None:
        installed = (i for i in self.installations.values() if not i.removed and i.covers(repository))
        return next(installed, None)
