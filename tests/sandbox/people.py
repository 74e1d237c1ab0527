"""What the sandbox's GitHub knows of people: addresses, roles, permissions, and the tokens that let an app ask for them."""

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.world import Repository, User

PERMISSIONS = ("pull", "triage", "push", "maintain", "admin")
"""GitHub's switches, the weakest first; each brings those before it."""


@dataclass(slots=True)
class Person:
    """Somebody with an account. `roles` are by an organization's login: (admin, member or billing_manager; active or pending).
    `permissions` are by a repository's id."""

    user: "User"
    name: str = ""
    emails: list[tuple[str, bool, bool]] = field(default_factory=list)
    """(address, primary, verified)"""
    roles: dict[str, tuple[str, str]] = field(default_factory=dict)
    permissions: dict[int, str] = field(default_factory=dict)

    def permission(self, repository: "Repository") -> str | None:
        """What they may do there at most."""
        owns = repository.owner is self.user
        rules = self.roles.get(repository.owner.login.lower()) == ("admin", "active")
        return "admin" if owns or rules else self.permissions.get(repository.id)


@dataclass(slots=True)
class Code:
    """What the browser brings back: good once, for ten minutes, for whoever knows the verifier of its challenge."""

    person: Person
    challenge: str
    redirect: str
    expires: float


@dataclass(slots=True)
class UserToken:
    """What an app asks with in somebody's name. It ends with its refresh token's use."""

    text: str
    refresh: str
    person: Person
    expires: float
    revoked: bool = False

    @property
    def alive(self) -> bool:
        return not self.revoked and time.time() < self.expires


@dataclass(slots=True)
class People:
    """All of them, by login in lower case."""

    client_secret: str = "the sandbox's client secret"
    callback: str = "http://refactoriq.test/api/v1/auth/github/callback"
    """The app's callback URL: browsers are sent back to no other."""
    token_seconds: float = 28_800.0
    may_read_emails: bool = True
    denies: bool = False
    """Whoever is asked presses Cancel."""
    persons: dict[str, Person] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, UserToken] = field(default_factory=dict)

    def give_token(self, person: Person) -> UserToken:
        token = UserToken(
            f"ghu_{secrets.token_hex(18)}", f"ghr_{secrets.token_hex(38)}", person, time.time() + self.token_seconds
        )
        self.tokens[token.text] = token
        return token

    def revoke(self, login: str) -> None:
        """They take the app's access back, in their settings."""
        for token in self.tokens.values():
            if token.person is self.persons[login.lower()]:
                token.revoked = True
                token.refresh = ""
