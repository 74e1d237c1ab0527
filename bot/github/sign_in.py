"""SignIn on GitHub, by httpx alone: the web process asks it, and githubkit takes a second to import."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog

from bot.settings import Settings
from bot.way_out import proxy_to, trusted_at
from handlers.host import Rejected, Revoked
from review.errors import TryAgain
from review.pull_request import Installation, Repository
from storage.accounts.github_accounts import GitHubPerson, GitHubTokens
from storage.accounts.seen_on_github import GitHubRole, Permission, SeenInstallation, SeenRepository

SECONDS = 10.0
"""For one answer."""

AT_ONCE = 4
"""Requests that are under way at the same time for one person."""

MOST_PAGES = 100
"""Of a hundred each. Whoever may read more repositories of one account than that sees the first ones."""

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "RefactorIQ"}
PERMISSIONS: tuple[tuple[str, Permission], ...] = (
    ("admin", "admin"), ("maintain", "maintain"), ("push", "write"), ("triage", "triage"), ("pull", "read"),
)  # fmt: skip
"""GitHub's switches, the strongest first, and what we call them."""

log = structlog.get_logger()


class GitHubSignIn:
    """One for a process. All times are seconds."""

    def __init__(self, settings: Settings, web: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
        self._web, self._api = web, api
        self._web_url, self._api_url = settings.web_url, settings.github_api_url
        self._client_id = settings.github_client_id
        self._client_secret = settings.github_client_secret.get_secret_value()
        self._app_id = settings.github_app_id
        # Without it GitHub takes the first callback URL that the app names, which is safe as well.
        self._callback = f"{settings.public_url}/api/v1/auth/github/callback" if settings.public_url else ""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator["GitHubSignIn | None"]:
        """With connections of its own; None without GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET. Raises UserError."""
        if not (settings.github_client_id and settings.github_client_secret.get_secret_value()):
            yield None
            return
        async with _client(settings, settings.web_url) as web, _client(settings, settings.github_api_url) as api:
            yield cls(settings, web, api)

    def authorize_url(self, state: str, challenge: str) -> str:
        """Where a person's browser is sent. `challenge` is the S256 of the verifier that `exchange` is given."""
        query = {"client_id": self._client_id, "state": state, "code_challenge": challenge, "code_challenge_method": "S256"}
        return f"{self._web_url}/login/oauth/authorize?{urlencode(query | self._redirect)}"

    async def exchange(self, code: str, verifier: str) -> GitHubTokens:
        """The tokens for a code that the browser brought back. Raises Rejected, TryAgain."""
        answer = await self._token({"code": code, "code_verifier": verifier, **self._redirect})
        if "access_token" in answer:
            return _tokens(answer)
        match answer.get("error"):
            case "bad_verification_code":
                raise Rejected("GitHub does not take this sign-in any more: start again.")
            case "incorrect_client_credentials":
                log.error("sign-in refused", because="GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET do not belong together.")
                raise Rejected("GitHub does not know this installation: its administrator must correct GITHUB_CLIENT_SECRET.")
            case "redirect_uri_mismatch":
                raise Rejected(f"The app on GitHub does not name {self._callback} as a callback URL: add it there.")
        raise Rejected(f"GitHub did not sign you in: {answer.get('error_description') or 'it gave no reason'}")

    async def renewed(self, tokens: GitHubTokens) -> GitHubTokens:
        """New tokens for the refresh token, after which the old ones are worth nothing. Raises Revoked, TryAgain."""
        if not tokens.refresh:
            raise Revoked("GitHub takes this person's token for none.")
        answer = await self._token({"grant_type": "refresh_token", "refresh_token": tokens.refresh})
        if "access_token" in answer:
            return _tokens(answer)
        if answer.get("error") == "bad_refresh_token":
            raise Revoked("GitHub takes this person's refresh token for none.")
        # Ours to mend (a wrong GITHUB_CLIENT_SECRET), and no reason to take anything from them.
        raise TryAgain(f"GitHub renewed no token: {answer.get('error_description') or answer.get('error')}")

    async def person(self, tokens: GitHubTokens) -> GitHubPerson:
        """Who they are. Raises Revoked, Rejected, TryAgain."""
        user = (await self._get(tokens, "/user")).json()
        return GitHubPerson(int(user["id"]), str(user["login"]), str(user.get("name") or ""), await self._email(tokens))

    async def installations(self, tokens: GitHubTokens, github_id: int) -> list[SeenInstallation]:
        """The installations of the app in which they may read something. Raises Revoked, Rejected, TryAgain."""
        listed = await self._pages(tokens, "/user/installations", "installations")
        ours = [one for one in listed if self._is_ours(one)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def seen(one: Mapping[str, Any]) -> SeenInstallation:
            async with gate:
                return await self._seen(tokens, github_id, one)

        # All of them come to an end before the first error is raised: nothing is left running.
        found = await asyncio.gather(*(seen(one) for one in ours), return_exceptions=True)
        for outcome in found:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in found if isinstance(outcome, SeenInstallation) and outcome.repositories]

    def _is_ours(self, one: Mapping[str, Any]) -> bool:
        """People may sign in by another app than the one that reviews. A suspended one may not say who reads what."""
        account = one.get("account") or {}
        is_app = not self._app_id or str(one.get("app_id")) == self._app_id
        return is_app and one.get("suspended_at") is None and "login" in account

    async def _seen(self, tokens: GitHubTokens, github_id: int, one: Mapping[str, Any]) -> SeenInstallation:
        account, kind = one["account"], str(one["account"].get("type") or one.get("target_type") or "Organization")
        installation = Installation(int(one["id"]), int(account["id"]), str(account["login"]), kind)
        listed = await self._repositories(tokens, installation)
        if kind == "User":
            return SeenInstallation(installation, "owner" if installation.account_id == github_id else "viewer", listed)
        return SeenInstallation(installation, await self._role(tokens, installation.account), listed)

    async def _repositories(self, tokens: GitHubTokens, installation: Installation) -> tuple[SeenRepository, ...]:
        try:
            listed = await self._pages(tokens, f"/user/installations/{installation.id}/repositories", "repositories")
        except Rejected as rejected:  # it went away meanwhile, or the organization demands a single sign-on first
            log.warning("repositories not told", account=installation.account, because=str(rejected))
            return ()
        return tuple(seen for one in listed if (seen := _repository(one)) is not None)

    async def _role(self, tokens: GitHubTokens, organization: str) -> GitHubRole:
        """GitHub's admins own it here too. Whoever is no member, or may not be told of as one, is a viewer."""
        try:
            membership = (await self._get(tokens, f"/user/memberships/orgs/{organization}")).json()
        except Rejected as rejected:
            if str(rejected) != NOT_THERE:
                log.warning("role not told", account=organization, because=f"{rejected} Does the app hold `members: read`?")
            return "viewer"
        if membership.get("state") != "active":
            return "viewer"
        return {"admin": "owner", "member": "member"}.get(membership.get("role"), "viewer")  # type: ignore[return-value]

    async def _email(self, tokens: GitHubTokens) -> str | None:
        try:
            listed = (await self._get(tokens, "/user/emails")).json()
        except Rejected:  # the app need not hold the permission for it
            return None
        return next((str(one["email"]) for one in listed if one.get("primary") and one.get("verified")), None)

    async def _pages(self, tokens: GitHubTokens, path: str, name: str) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            answer = await self._get(tokens, path, {"per_page": 100, "page": page})
            found += answer.json()[name]
            if "next" not in answer.links:
                break
        return found

    async def _get(self, tokens: GitHubTokens, path: str, params: Mapping[str, int] | None = None) -> httpx.Response:
        headers = {**HEADERS, "Authorization": f"Bearer {tokens.access}"}
        try:
            answer = await self._api.get(f"{self._api_url}{path}", params=params, headers=headers)
        except httpx.HTTPError as error:
            raise TryAgain(f"GitHub gave no answer to GET {path} ({type(error).__name__}).") from None
        return _whole(answer, path)

    async def _token(self, given: Mapping[str, str]) -> dict[str, Any]:
        body = {"client_id": self._client_id, "client_secret": self._client_secret, **given}
        url = f"{self._web_url}/login/oauth/access_token"
        try:
            answer = await self._web.post(url, data=body, headers={"Accept": "application/json", "User-Agent": "RefactorIQ"})
            parsed = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise TryAgain(f"GitHub gave no token ({type(error).__name__}).") from None
        if not isinstance(parsed, dict) or answer.status_code >= 500 or answer.status_code == 429:
            raise TryAgain(f"GitHub gave no token ({answer.status_code}).")
        return parsed

    @property
    def _redirect(self) -> dict[str, str]:
        return {"redirect_uri": self._callback} if self._callback else {}


NOT_THERE = "GitHub says that it is not there."


def _client(settings: Settings, url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=SECONDS,
        verify=trusted_at(url, settings.ssl_cert_file),
        proxy=proxy_to(url, settings.https_proxy) or None,
        trust_env=False,
    )


def _whole(answer: httpx.Response, path: str) -> httpx.Response:
    """The answer where it is a success in JSON. Raises Revoked, Rejected, TryAgain."""
    if answer.status_code == 401:
        raise Revoked("GitHub takes this person's token for none.")
    if answer.status_code == 404:
        raise Rejected(NOT_THERE)
    limited = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    if answer.status_code in (403, 429) and (limited or answer.status_code == 429 or "rate limit" in answer.text):
        raise TryAgain("GitHub's rate limit for this person is used up.")
    if answer.status_code == 403:
        raise Rejected(f"GitHub refused GET {path}.")
    try:
        answer.raise_for_status().json()
    except (httpx.HTTPStatusError, ValueError):
        raise TryAgain(f"GitHub answered {answer.status_code} to GET {path}, and not with what was asked for.") from None
    return answer


def _tokens(answer: Mapping[str, Any]) -> GitHubTokens:
    lasts = float(answer.get("expires_in") or 0)
    expires = time.time() + lasts if lasts else 0.0
    return GitHubTokens(str(answer["access_token"]), expires, str(answer.get("refresh_token") or ""))


def _repository(one: Mapping[str, Any]) -> SeenRepository | None:
    """The repository, with the strongest permission; None where there is none at all."""
    switches = one.get("permissions") or {}
    permission = next((ours for theirs, ours in PERMISSIONS if switches.get(theirs)), None)
    if permission is None:
        return None
    branch = str(one.get("default_branch") or "main")
    repository = Repository(int(one["id"]), str(one["full_name"]), one.get("private") is not False, branch)
    return SeenRepository(repository, permission)
