"""An endpoint: one method of one path, with all that is to be known of it in one value, and what its function is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from handlers.api.caller import Caller
from handlers.api.forms import Nothing
from handlers.api.problem import Code, Problem
from handlers.api.services import Services
from storage.accounts.role import Role
from storage.accounts.users import User
from storage.audit import Act

B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)


class Needs(StrEnum):
    """Who may call an endpoint. A role is the least one in the organization that the thing belongs to."""

    NOBODY = "nobody"
    """Everybody may, signed in or not."""

    ACCOUNT = "account"
    """Whoever is signed in or has an API key: it is about the caller's own things, or a list of what they may see."""

    VIEWER = "viewer"
    MEMBER = "member"
    MAINTAINER = "maintainer"
    ADMIN = "admin"
    OWNER = "owner"

    ADMINISTRATOR = "administrator"
    """An administrator of this instance: that is no role in any organization."""

    @property
    def role(self) -> Role | None:
        """The role in the organization, where it is one."""
        return Role(self) if self.value in list(Role) else None


class Pace(StrEnum):
    """Which limit a request counts against, besides the one for all requests."""

    ORDINARY = "ordinary"
    LOGIN = "login"
    ANALYSIS = "analysis"
    NONE = "none"
    """None at all: health checks and metrics."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function gives: `data` goes into the envelope, `message` beside it; `status` None is the endpoint's."""

    data: BaseModel
    message: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked(Generic[B, Q]):
    """One request, with everything in it checked. `path` holds the path's parameters; ids in it are numbers."""

    endpoint: "Endpoint"
    services: Services
    caller: Caller
    request: Request
    path: Mapping[str, Any]
    query: Q
    body: B

    @property
    def user(self) -> User:
        """The user behind the request: endpoints that need an account always have one."""
        if self.caller.user is None:
            raise Problem(Code.UNAUTHENTICATED, "Sign in, or send an API key, as `Authorization: Bearer …`.")
        return self.caller.user

    @property
    def act(self) -> Act:
        """For the audit: who does what this endpoint does."""
        return self.caller.act(self.endpoint.action)

    def must_hold(self, organization_id: int, *, made_by: int | None = None) -> None:
        """Make sure of the endpoint's role in that organization, of which the caller sees something. Raises Problem.

        For a thing that was `made_by` the caller, being a member is enough.
        """
        needed, held = self.endpoint.needs.role, self.caller.sight.role_in(organization_id)
        if made_by is not None and made_by == self.user.id and needed is not None:
            needed = min(needed, Role.MEMBER, key=list(Role).index)
        if needed is not None and (held is None or not held.at_least(needed)):
            raise Problem(
                Code.FORBIDDEN,
                f"This takes the role {needed} in the organization; yours is {held or 'none'}. Ask one of its owners.",
                {"needed": needed, "held": held},
            )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` is below /api/v1, its parameters in braces: `{id}` and all that end with `_id` are numbers, others text.

    `action` names what is done, for audit and documentation (`analysis.create`); the part before the dot with `read` or
    `write` behind it is the scope that an API key needs. `data` is the form of the answer's data, None where it is no JSON of
    ours: then `gives` names the media types. `takes` are the content types of the body where it is no JSON. `codes` are
    the errors besides those that any such endpoint may give.
    """

    method: str
    path: str
    action: str
    summary: str
    function: Callable[[Asked[Any, Any]], Awaitable[Answer | Response]]
    needs: Needs
    body: type[BaseModel] = Nothing
    query: type[BaseModel] = Nothing
    data: Any = None
    status: int = 200
    also: tuple[int, ...] = ()
    """Other statuses of success."""
    gives: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    pace: Pace = Pace.ORDINARY
    seconds: float = 30.0
    """How long it may take before the caller is told that it took too long."""
    session_only: bool = False
    """Whether a person must have signed in: no API key may, whatever its scopes."""
    knows_callers: bool = False
    """Of one that needs nobody: whether it makes a difference who asks. Else credentials are not looked at."""

    @property
    def scope(self) -> str:
        """What an API key must hold."""
        return f"{self.action.partition('.')[0]}:{'read' if self.method == 'GET' else 'write'}"

    @property
    def repeatable(self) -> bool:
        """Whether it knows the header Idempotency-Key: not where answers hold secrets, which are kept nowhere."""
        return self.method == "POST" and self.needs is not Needs.NOBODY and self.tag != "auth"

    @property
    def tag(self) -> str:
        """The group that it is documented in."""
        return self.path.split("/")[1]
