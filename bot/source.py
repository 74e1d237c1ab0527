"""Source: where changes come from. Git first; GitHub's API where git cannot reach the repository."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from bot.git.errors import GitAway, GitFailed, GitRefused, GitTooMuch, NoSuchCommit
from bot.git.fetching import Fetched, Fetcher, Wanted
from bot.git.safety import Remote
from bot.git.tree import GitTree
from bot.github.api_diff import api_change, file_content
from bot.github.client import Client
from handlers.host import Gone, Rejected
from review.change import Change
from review.errors import Superseded, TryAgain
from review.parse_diff import parse_diff
from review.pull_request import PullRequest, Repository
from review.rules import RULES_PATH

PAUSE = 1.0
"""Seconds before git is asked once more: by then a brief fault of the network, or a replica that lags, is over."""

UNUSABLE = "git could not read the repository."
"""Git's own words go into the log only: they name folders of this machine."""

REASONS = {GitRefused: "git was not let into the repository.", GitAway: "git did not get through to the repository."}
log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Web:
    """Where repositories are fetched from: GITHUB_WEB_URL, and the way there."""

    url: str
    proxy: str = field(default="", repr=False)
    ca_file: str = ""

    def remote(self, repository: str, token: str) -> Remote:
        return Remote(f"{self.url.rstrip('/')}/{repository}.git", token, self.proxy, self.ca_file)


class GitHubSource:
    """Fulfils handlers.host.Source."""

    def __init__(self, fetcher: Fetcher, client: Client, web: Web) -> None:
        self._fetcher = fetcher
        self._client = client
        self._web = web
        self._rules: dict[tuple[int, int, str], bytes | None] = {}

    async def change(self, installation_id: int, pull: PullRequest) -> Change:
        try:
            fetched = await self._fetched(installation_id, pull)
        except NoSuchCommit:
            raise Superseded(
                f"The head {pull.head_sha[:12]} is not in {pull.repository.full_name} any more: it was pushed over."
            ) from None
        except GitFailed as error:
            log.warning("git_failed", repository=pull.repository.full_name, number=pull.number, error=str(error)[:1000])
            return await api_change(self._client, installation_id, pull, _because(error))
        self._rules[_key(pull)] = fetched.also.get(RULES_PATH)
        ends = fetched.checkout.commits
        base_sha, head_sha = ends.values()
        diff = parse_diff(fetched.diff)
        return Change(diff, fetched.checkout, base_sha, head_sha, pull.title, pull.body, tree=fetched.tree)

    async def rules(self, installation_id: int, pull: PullRequest) -> bytes | None:
        if _key(pull) in self._rules:
            return self._rules.pop(_key(pull))
        name = pull.repository.full_name
        return await file_content(self._client, installation_id, name, RULES_PATH, pull.base_ref)

    async def branch(self, installation_id: int, repository: Repository) -> GitTree:
        try:
            return await self._tree(
                installation_id, repository, lambda host, remote: self._fetcher.branch(host, repository.id, remote)
            )
        except NoSuchCommit:
            raise Gone(f"{repository.full_name} has no commits yet.") from None

    async def commit(self, installation_id: int, repository: Repository, ref: str) -> GitTree:
        try:
            return await self._tree(
                installation_id, repository, lambda host, remote: self._fetcher.commit(host, repository.id, remote, ref)
            )
        except NoSuchCommit:
            raise Gone(f"{repository.full_name} has no branch, tag or commit {ref}: check the name.") from None

    async def _tree(
        self, installation_id: int, repository: Repository, fetch: Callable[[str, Remote], Awaitable[GitTree]]
    ) -> GitTree:
        """What git fetches; where it does not, whether that may pass. Raises NoSuchCommit, Gone, TryAgain."""
        try:
            return await self._by_git(installation_id, repository, fetch)
        except NoSuchCommit:
            raise
        except GitFailed as error:
            log.warning("git_failed", repository=repository.full_name, error=str(error)[:1000])
            with contextlib.suppress(Rejected):  # asked only to hear whether the repository is gone
                await self._client.get(installation_id, f"/repos/{repository.full_name}")
            raise TryAgain(_because(error)) from error

    async def _fetched(self, installation_id: int, pull: PullRequest) -> Fetched:
        wanted = Wanted(pull.number, pull.head_sha, pull.base_ref, pull.base_sha, also=(RULES_PATH,))
        return await self._by_git(
            installation_id,
            pull.repository,
            lambda host, remote: self._fetcher.fetch(host, pull.repository.id, remote, wanted),
        )

    async def _by_git(self, installation_id: int, repository: Repository, fetch: Callable[[str, Remote], Awaitable[T]]) -> T:
        """What git fetches, asked for twice where the first answer may not be the last word."""
        identity = self._client.identity
        host, name = urlsplit(self._web.url).netloc, repository.full_name
        token = await identity.token(installation_id)
        try:
            return await fetch(host, self._web.remote(name, token))
        except GitRefused:
            token = await identity.renewed(installation_id, token)
        except (GitAway, NoSuchCommit):
            await asyncio.sleep(PAUSE)
        return await fetch(host, self._web.remote(name, token))


def _because(error: GitFailed) -> str:
    """Why git could not serve, as a sentence for people."""
    return str(error) if isinstance(error, GitTooMuch) else REASONS.get(type(error), UNUSABLE)


def _key(pull: PullRequest) -> tuple[int, int, str]:
    return pull.repository.id, pull.number, pull.head_sha
