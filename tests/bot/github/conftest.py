"""The real client on the sandbox GitHub: octo/app, the app installed on it, and one open pull request."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from bot.github import client as client_module
from bot.github import http as http_module
from bot.github.client import Client
from bot.github.host import GitHubHost
from bot.github.http import Http
from bot.github.identity import Identity, MemoryCache
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import Installation, PullRequest, Repository

BASE = {"app.py": "a = 1\nb = 2\nc = 3\n", "README.md": "Hello\n"}


@dataclass(slots=True)
class Octo:
    """Everything that talks to GitHub, and GitHub itself."""

    github: SandboxGitHub
    repository: Repository
    installation: Installation
    pull: PullRequest
    http: Http
    identity: Identity
    client: Client
    host: GitHubHost

    @property
    def id(self) -> int:
        return self.installation.id

    def asked(self, *, git: bool = False) -> list[str]:
        """The REST calls so far, as `METHOD path`."""
        seen = self.github.requests if git else self.github.rest_requests
        return [f"{one.method} {one.path}" for one in seen]

    def another_process(self, cache: MemoryCache | None = None) -> Identity:
        """The same app in another process; with `cache` the two share what they know."""
        key = self.github.private_key
        return Identity(self.http, self.github.app_id, key, cache=cache or MemoryCache())


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between tries take no time; gives those that a limit asked for."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(http_module, "wait_exponential_jitter", lambda **_: lambda _: 0.0)
    monkeypatch.setattr(client_module, "asyncio", SimpleNamespace(sleep=sleep))
    return slept


@pytest.fixture
async def octo(github: SandboxGitHub) -> AsyncIterator[Octo]:
    repository = github.create_repository("octo/app", BASE)
    installation = github.install("octo")
    pull = github.open_pull_request(repository, {"app.py": "a = 2\nb = 2\nc = 4\n"}, title="Änderung", body="Why\n")
    async with Http(github.api_url, seconds=5) as http:
        identity = Identity(http, github.app_id, github.private_key, cache=MemoryCache())
        client = Client(http, identity)
        yield Octo(github, repository, installation, pull, http, identity, client, GitHubHost(client))
