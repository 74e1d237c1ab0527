"""One request to GitHub's REST API and its answer, through githubkit in its light form: no models, no retries of its own.

githubkit takes about a second to import: the worker loads this room before it forks, the web process never does.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
from githubkit import GitHub
from githubkit.exception import RequestError, RequestFailed
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from bot.way_out import proxy_to, trusted_at
from review.errors import TryAgain

JSON = "application/vnd.github+json"
API_VERSION = "2022-11-28"
USER_AGENT = "RefactorIQ"
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
LINK = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?(\w+)"?')
SILENT_LIMIT = 60.0
"""Seconds to wait for a secondary limit that names no time (GitHub's docs: at least a minute)."""


class Lost(TryAgain):
    """No answer came. `sent` says whether the request may have been heard."""

    def __init__(self, because: str, sent: bool) -> None:
        super().__init__(because)
        self.sent = sent


def while_lost() -> AsyncRetrying:
    """Three attempts with growing pauses, for requests that do no harm when they are sent again. Raises the last Lost."""
    return AsyncRetrying(
        retry=retry_if_exception_type(Lost),
        stop=stop_after_attempt(3),
        wait=wait_exponential_jitter(multiplier=0.5, max=4),
        reraise=True,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    def json(self) -> Any:
        """The parsed body. Raises TryAgain when it is not JSON: half an answer, or a proxy's page."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            raise TryAgain(f"GitHub answered {self.status} with something that is not JSON.") from None

    @property
    def message(self) -> str:
        """GitHub's own words about a refusal: `message`, and what `errors` adds (strings or objects)."""
        try:
            body = orjson.loads(self.content)
        except orjson.JSONDecodeError:
            return ""
        if not isinstance(body, dict):
            return ""
        errors = body.get("errors") or []
        more = [_said(error) for error in (errors if isinstance(errors, list) else [errors])]
        return ": ".join(part for part in (str(body.get("message") or ""), "; ".join(filter(None, more))) if part)[:1_000]

    def page(self, relation: str) -> int | None:
        """The number of the page that the Link header calls `next` or `last`."""
        for url, found in LINK.findall(self.headers.get("link", "")):
            number = parse_qs(urlsplit(url).query).get("page", [""])[0]
            if found == relation and number.isdigit():
                return int(number)
        return None

    def limited_for(self) -> float | None:
        """Seconds to wait where a primary or secondary limit refused the request; None for any other answer."""
        if self.status not in (403, 429):
            return None
        after = self.headers.get("retry-after", "")
        if after.isdigit():
            return float(after)
        reset = self.headers.get("x-ratelimit-reset", "")
        if self.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
            return max(float(reset) - time.time(), 0.0) + 1.0
        if self.status == 429 or "rate limit" in self.message.lower() or "abuse" in self.message.lower():
            return SILENT_LIMIT
        return None


def _said(error: object) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or " ".join(str(error[key]) for key in ("resource", "field", "code") if key in error))
    return str(error)


def graphql_url(api_url: str) -> str:
    """Where GraphQL is answered: on github.com below the REST API, on GitHub Enterprise Server beside it."""
    server = api_url.rstrip("/").removesuffix("/v3")
    return f"{server}/graphql"


class Http:
    """A connection to one API. Use as `async with`: connections are kept open meanwhile."""

    def __init__(self, api_url: str, *, proxy: str = "", ca_file: str = "", seconds: float = 30.0) -> None:
        """`api_url` as in GITHUB_API_URL; `ca_file` holds the trusted certificates (SSL_CERT_FILE). Raises UserError."""
        self.graphql_url = graphql_url(api_url)
        self._github = GitHub(
            base_url=api_url,
            user_agent=USER_AGENT,
            timeout=httpx.Timeout(seconds, connect=10.0),
            ssl_verify=trusted_at(api_url, ca_file),
            proxy=proxy_to(api_url, proxy) or None,
            http_cache=False,
            auto_retry=False,
        )

    async def __aenter__(self) -> Self:
        await self._github.__aenter__()  # type: ignore[no-untyped-call]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._github.__aexit__(kind, error, trace)

    async def send(
        self,
        method: str,
        path: str,
        authorization: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, sent once. `path` starts with `/` and is quoted, or is a whole URL. Raises Lost when no answer comes."""
        given = {"Authorization": authorization, "Accept": JSON, "X-GitHub-Api-Version": API_VERSION, **(headers or {})}
        content = None
        if body is not None:
            content, given["Content-Type"] = orjson.dumps(body), "application/json"
        try:
            response = await self._github.arequest(method, path, params=params, content=content, headers=given)
        except RequestFailed as failed:
            return _answer(failed.response.raw_response)
        except RequestError as error:
            cause = error.exc
            if not isinstance(cause, httpx.RequestError):
                raise
            sent = not isinstance(cause, NEVER_SENT)
            raise Lost(f"GitHub gave no answer to {method} {path} ({type(cause).__name__}).", sent) from None
        return _answer(response.raw_response)


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.headers, response.content)
