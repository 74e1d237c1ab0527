"""Source: where changes come from. Git first; GitHub's API where git cannot reach the repository."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog

from bot.git.errors import GitAway, GitFailed, GitRefused, GitTooMuch, NoSuchCommit
from bot.git.fetching import Fetched, Fetcher, Wanted
from bot.git.safety import Remote
from bot.github.api_diff import api_change, file_content
from bot.github.client import Client
from review.change import Change
from review.errors import Superseded
from review.parse_diff import parse_diff
from review.pull_request import PullRequest
from review.rules import RULES_PATH

PAUSE = 1.0
"""Seconds before git is asked once more: by then a brief fault of the network, or a replica that lags, is over."""

UNUSABLE = "git could not read the repository."
"""Git's own words go into the log only: they name folders of this machine."""

REASONS = {GitRefused: "git was not let into the repository.", GitAway: "git did not get through to the repository."}
log = structlog.get_logger()


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
            because = str(error) if isinstance(error, GitTooMuch) else REASONS.get(type(error), UNUSABLE)
            log.warning("git_failed", repository=pull.repository.full_name, number=pull.number, error=str(error)[:1000])
            return await api_change(self._client, installation_id, pull, because)
        self._rules[_key(pull)] = fetched.also.get(RULES_PATH)
        ends = fetched.checkout.commits
        base_sha, head_sha = ends.values()
        return Change(parse_diff(fetched.diff), fetched.checkout, base_sha, head_sha, pull.title, pull.body)

    async def rules(self, installation_id: int, pull: PullRequest) -> bytes | None:
        if _key(pull) in self._rules:
            return self._rules.pop(_key(pull))
        name = pull.repository.full_name
        return await file_content(self._client, installation_id, name, RULES_PATH, pull.base_ref)

    async def _fetched(self, installation_id: int, pull: PullRequest) -> Fetched:
        """The change by git, asked for twice where the first answer may not be the last word."""
        identity = self._client.identity
        token = await identity.token(installation_id)
        try:
            return await self._fetch(pull, token)
        except GitRefused:
            token = await identity.renewed(installation_id, token)
        except (GitAway, NoSuchCommit):
            await asyncio.sleep(PAUSE)
        return await self._fetch(pull, token)

    async def _fetch(self, pull: PullRequest, token: str) -> Fetched:
        repository = pull.repository
        wanted = Wanted(pull.number, pull.head_sha, pull.base_ref, pull.base_sha, also=(RULES_PATH,))
        host = urlsplit(self._web.url).netloc
        return await self._fetcher.fetch(host, repository.id, self._web.remote(repository.full_name, token), wanted)


def _key(pull: PullRequest) -> tuple[int, int, str]:
    return pull.repository.id, pull.number, pull.head_sha
