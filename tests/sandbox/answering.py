"""One request as the routes see it, the answer that they give, and GitHub's ways of refusing."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.sandbox.people import Person
from tests.sandbox.world import Installation, PullRequest, Repository, Token, User, World

DOCS = "https://docs.github.com/rest"
JSON = Any
"""What JSON can say; the routes check what they use of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body (JSON unless bytes) and headers beyond the usual ones."""

    status: int = 200
    body: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json; charset=utf-8"


class Refused(Exception):
    """The request is answered with an error. `errors` is what GitHub lists under that name."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[JSON] | None = None,
        headers: Mapping[str, str] | None = None,
        docs: str = DOCS,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.headers, self.docs = status, message, errors, headers or {}, docs

    def answer(self) -> Answer:
        body: dict[str, JSON] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = list(self.errors)
        return Answer(self.status, body | {"documentation_url": self.docs, "status": str(self.status)}, self.headers)


@dataclass(slots=True)
class Call:
    """A request, taken apart. `path` holds the route's parameters; `token` is None for the app itself and for strangers."""

    world: World
    method: str
    url: str
    path: dict[str, str]
    query: dict[str, str]
    headers: Mapping[str, str]
    body: JSON = None
    token: Token | None = None
    as_app: bool = False
    person: Person | None = None
    """Whose own token it came with."""
    core_limit: JSON = None
    """What `/rate_limit` says of this caller."""

    @property
    def accept(self) -> str:
        return self.headers.get("accept", "")

    @property
    def actor(self) -> User:
        return self.world.bot

    @property
    def installation(self) -> Installation:
        assert self.token is not None
        return self.token.installation

    @property
    def repository(self) -> Repository:
        """The repository of the path; 404 where it is not there or the caller may not know that it is."""
        found = self.world.repository(f"{self.path['owner']}/{self.path['repo']}")
        if found is None or (found.private and not (self.token and self.token.covers(found))):
            raise not_found()
        return found

    @property
    def pull(self) -> PullRequest:
        number = self.path.get("pull_number") or self.path["issue_number"]
        pull = self.repository.pulls.get(int(number)) if number.isdigit() else None
        if pull is None:
            raise not_found()
        return pull

    def given(self, name: str, kind: type | tuple[type, ...], default: JSON = None) -> JSON:
        """A field of the JSON body, of that type; 422 as GitHub's schema check says it otherwise."""
        return typed(self.body, name, kind, default)

    def page(self, rows: Sequence[JSON], shape: Callable[[JSON], JSON], *, wrap: str = "", default: int = 30) -> Answer:
        """One page of rows with its Link header; `wrap` is the key of lists that come inside an object."""
        size = min(max(_number(self.query.get("per_page"), default), 1), 100)
        page = max(_number(self.query.get("page"), 1), 1)
        body: JSON = [shape(row) for row in rows[(page - 1) * size : page * size]]
        if wrap:
            body = {"total_count": len(rows), wrap: body}
        last = max((len(rows) + size - 1) // size, 1)
        return Answer(200, body, self._links(page, last))

    def _links(self, page: int, last: int) -> dict[str, str]:
        wanted: dict[str, int] = {}
        if page > 1:
            wanted |= {"prev": min(page - 1, last), "first": 1}
        if page < last:
            wanted |= {"next": page + 1, "last": last}
        if not wanted:
            return {}
        links = (f'<{self.url}?{urlencode(self.query | {"page": str(n)})}>; rel="{rel}"' for rel, n in wanted.items())
        return {"link": ", ".join(links)}


def typed(body: JSON, name: str, kind: type | tuple[type, ...], default: JSON = None) -> JSON:
    """`body[name]` where it is of that type, `default` where it is absent or null; else 422."""
    value = (body or {}).get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in (kind if isinstance(kind, tuple) else (kind,))):
        word = {str: "a string", int: "an integer", list: "an array", dict: "an object", bool: "a boolean"}
        wanted = word[kind[0] if isinstance(kind, tuple) else kind]
        raise Refused(422, f"Invalid request.\n\nFor 'properties/{name}', {json.dumps(value)[:80]} is not {wanted}.")
    return value


def missing(*names: str) -> Refused:
    text = " ".join(f'"{name}" wasn\'t supplied.' for name in names)
    return Refused(422, f"Invalid request.\n\n{text}")


def not_found() -> Refused:
    return Refused(404, "Not Found")


def bad_credentials() -> Refused:
    return Refused(401, "Bad credentials")


def invalid(resource: str, name: str, code: str, message: str = "") -> Refused:
    """A 422 whose errors are objects, as most endpoints say it."""
    error = {"resource": resource, "code": code, "field": name}
    return Refused(422, "Validation Failed", [error | ({"message": message} if message else {})])


def _number(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else default


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `who` is app, installation, user or anyone; `needs` are permissions, any one of which is enough."""

    method: str
    template: str
    function: Callable[[Call], Answer]
    who: str = "installation"
    needs: tuple[tuple[str, str], ...] = ()
    described: bool = True
    """Whether GitHub's OpenAPI description knows it."""

    @property
    def pattern(self) -> re.Pattern[str]:
        greedy = {"path", "basehead", "ref"}
        names = re.sub(r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{'.+' if m[1] in greedy else '[^/]+'})", self.template)
        return re.compile(names, re.DOTALL)

    @property
    def creates_content(self) -> bool:
        """Whether it counts toward the 80 content-creating requests a minute."""
        return (
            self.method in ("POST", "PATCH", "PUT")
            and re.search(r"reviews|comments|check-runs|issues", self.template) is not None
        )
