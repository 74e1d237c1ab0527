"""Calls of one installation, REST and GraphQL: its token, pages, ETags, limits waited out, reads repeated, writes sent once."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.github.http import JSON, SILENT_LIMIT, Answer, Http, Lost, while_lost
from bot.github.identity import Identity
from handlers.host import Gone, Rejected, Unclear
from review.errors import TryAgain

SHORT = 20.0
"""Seconds that are slept through; for longer waits the job goes back into the queue."""

PAGE = 100
REMEMBERED = 32
LARGEST_REMEMBERED = 1_000_000


class Refused(Rejected):
    """Rejected, with the status: 406 and 422 have meanings of their own to some callers."""

    def __init__(self, because: str, status: int) -> None:
        super().__init__(because)
        self.status = status


class Declined(Rejected):
    """Rejected by the GraphQL API; `kind` is its word for the reason (`STALE_DATA`, `FORBIDDEN` …)."""

    def __init__(self, because: str, kind: str) -> None:
        super().__init__(because)
        self.kind = kind


class Client:
    """Asks and writes in the name of installations."""

    def __init__(self, http: Http, identity: Identity) -> None:
        self._http = http
        self.identity = identity
        self._known: OrderedDict[tuple[str, ...], tuple[str, Answer]] = OrderedDict()

    async def get(
        self, installation_id: int, path: str, params: Mapping[str, str | int] | None = None, accept: str = JSON
    ) -> Answer:
        """A successful answer. Raises TryAgain, Gone, Refused. Lost and broken answers are asked for again."""
        async for attempt in while_lost():
            with attempt:
                answer = await self._answered(installation_id, "GET", path, params=params, accept=accept)
                if answer.status >= 500:
                    raise Lost(f"GitHub answered {answer.status} to GET {path}.", sent=True)
        return checked(answer)

    async def pages(self, installation_id: int, path: str, most: int) -> AsyncIterator[list[dict[str, Any]]]:
        """The pages of a list, at most so many, by the Link header."""
        number: int | None = 1
        for _ in range(most):
            if number is None:
                return
            answer = await self.get(installation_id, path, {"per_page": PAGE, "page": number})
            yield rows(answer)
            number = answer.page("next")

    async def write(self, installation_id: int, method: str, path: str, body: object = None) -> Answer:
        """A write, done at most once. Raises Refused, Gone, TryAgain when it was not done, Unclear when nobody can know."""
        try:
            answer = await self._answered(installation_id, method, path, body=body)
        except Lost as lost:
            if lost.sent:
                raise Unclear(f"{lost} It may have been done.") from None
            raise
        if answer.status >= 500:
            raise Unclear(f"GitHub answered {answer.status} to {method} {path}. It may have been done.")
        return checked(answer)

    async def mutate(self, installation_id: int, mutation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """A mutation of the GraphQL API, done at most once; gives its data. Raises Declined, and what `write` does.

        GraphQL says its refusals in answers of 200.
        """
        answer = await self.write(installation_id, "POST", self._http.graphql_url, {"query": mutation, "variables": variables})
        try:
            body = fields(answer)
        except TryAgain as broken:
            raise Unclear(f"{broken} It may have been done.") from None
        if error := next(iter(body.get("errors") or []), None):
            raise _declined(error)
        return dict(body.get("data") or {})

    async def _answered(
        self,
        installation_id: int,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        accept: str = JSON,
    ) -> Answer:
        """GitHub's answer, asked again only where it said that nothing was done: a dead token, a limit."""
        token = await self.identity.token(installation_id)
        renewed, slept = False, 0.0
        while True:
            answer = await self._sent(token, method, path, params=params, body=body, accept=accept)
            wait = answer.limited_for()
            if wait is not None:
                if slept + wait > SHORT:
                    raise TryAgain(f"GitHub's rate limit is used up: {answer.message}", after=wait)
                await asyncio.sleep(wait)
                slept += max(wait, 1.0)
            elif answer.status == 401 and not renewed:
                token, renewed = await self.identity.renewed(installation_id, token), True
            elif answer.status == 401:
                raise TryAgain("GitHub refuses a token that it has just given.")
            else:
                return answer

    async def _sent(
        self, token: str, method: str, path: str, *, params: Mapping[str, str | int] | None, body: object, accept: str
    ) -> Answer:
        """One request; a read that was answered before goes out with its ETag (which is good for the same token only)."""
        key = (hashlib.sha256(token.encode()).hexdigest(), path, str(sorted((params or {}).items())), accept)
        etag, known = self._known.get(key, ("", None)) if method == "GET" else ("", None)
        headers = {"Accept": accept} | ({"If-None-Match": etag} if etag else {})
        answer = await self._http.send(method, path, f"Bearer {token}", params=params, body=body, headers=headers)
        if answer.status == 304 and known is not None:
            return known
        etag = answer.headers.get("etag", "")
        if method == "GET" and answer.status == 200 and etag and len(answer.content) <= LARGEST_REMEMBERED:
            self._known[key] = (etag, answer)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return answer


def checked(answer: Answer) -> Answer:
    """The answer when it is a success. Raises Gone or Refused, with GitHub's words."""
    if answer.status < 300:
        return answer
    words = answer.message or f"status {answer.status}"
    if answer.status in (404, 410, 451) or "suspended" in words:
        raise Gone(f"GitHub does not show this to the app (any more): {words}.")
    if "not accessible by integration" in words:
        needed = answer.headers.get("x-accepted-github-permissions", "")
        more = f" It takes one of these permissions: {needed}." if needed else ""
        raise Refused(f"GitHub says: {words}.{more} Grant it in the app's settings, and accept it for the installation.", 403)
    raise Refused(f"GitHub says: {words}", answer.status)


def _declined(error: Mapping[str, Any]) -> Declined | TryAgain | Unclear:
    """What an error of the GraphQL API means. Without a type it is a fault of GitHub's, in the middle of the work perhaps."""
    kind, words = str(error.get("type") or ""), str(error.get("message") or "no reason")[:1_000]
    if kind == "RATE_LIMITED":
        return TryAgain(f"GitHub's rate limit is used up: {words}", after=SILENT_LIMIT)
    return Declined(words, kind) if kind else Unclear(f"GitHub says: {words} It may have been done.")


def rows(answer: Answer) -> list[dict[str, Any]]:
    """The objects of a list. Raises TryAgain when the answer is no list."""
    body = answer.json()
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise TryAgain("GitHub's answer is not the list that was asked for.")
    return body


def fields(answer: Answer) -> dict[str, Any]:
    """The object of an answer. Raises TryAgain when it is none."""
    body = answer.json()
    if not isinstance(body, dict):
        raise TryAgain("GitHub's answer is not the object that was asked for.")
    return body
