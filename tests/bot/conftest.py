"""What tests of the processes share: a working folder and an environment without any setting."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import source as module
from bot.git.cache import Repositories
from bot.git.fetching import Fetcher
from bot.github.client import Client
from bot.github.host import GitHubHost
from bot.github.http import Http
from bot.github.identity import Identity, MemoryCache
from bot.settings import Settings
from bot.source import GitHubSource, Web
from review.change import Change
from review.pull_request import PullRequest
from tests.builders import Files
from tests.sandbox import world
from tests.sandbox.github import SandboxGitHub

RULES = "max_comments: 3\n"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's settings, proxies included, nor a `.env` of the working folder."""
    for name in (*Settings.model_fields, "no_proxy", "all_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@dataclass(slots=True)
class Octo:
    """octo/app with the app on it, and the source that reads its pull requests."""

    github: SandboxGitHub
    repository: world.Repository
    installation: world.Installation
    folder: Path
    client: Client
    source: GitHubSource

    async def change(self, pull: world.PullRequest) -> Change:
        return await self.source.change(self.installation.id, await self.read(pull))

    async def read(self, pull: world.PullRequest) -> PullRequest:
        return await GitHubHost(self.client).pull_request(self.installation.id, self.repository.full_name, pull.number)

    def opened(self, head: Files, base: Files | None = None) -> world.PullRequest:
        return self.github.open_pull_request(self.repository, head, base=base)

    def without_git(self, kind: str = "503") -> None:
        """From now on git gets no answer from GitHub."""
        self.github.fault("*", r"octo/app\.git/", kind, times=10_000)

    def rest(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.github.rest_requests]

    def hold_still(self) -> list[str]:
        """The REST calls from now on."""
        self.github.server.requests.clear()
        return self.rest()


@pytest.fixture
async def octo(github: SandboxGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Octo]:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    repository = github.create_repository("octo/app", {"app.py": "a = 1\nb = 2\n", ".refactoriq.yml": RULES, "lib.py": "x\n"})
    installation = github.install("octo")
    async with Http(github.api_url, seconds=5) as http:
        client = Client(http, Identity(http, github.app_id, github.private_key, cache=MemoryCache()))
        source = GitHubSource(Fetcher(Repositories(tmp_path / "cache")), client, Web(f"{github.url}/"))
        yield Octo(github, repository, installation, tmp_path / "cache", client, source)
