"""From endpoints to Starlette's routes: every request is authenticated, held against its forms, answered in the envelope."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers.api.answers import failure, success
from handlers.api.authenticate import CHALLENGE, authenticate
from handlers.api.caller import Caller
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.problem import Code, Problem
from handlers.api.reading import read_body, read_path, read_query
from handlers.api.services import Services
from handlers.host import Gone, Rejected
from review.errors import TryAgain, UserError

PREFIX = "/api/v1"

security = structlog.get_logger("security")


class Door:
    """All endpoints of one path. `services` gives what they use, once the server has started."""

    def __init__(self, endpoints: Sequence[Endpoint], services: Callable[[], Services]) -> None:
        self._by_method = {endpoint.method: endpoint for endpoint in endpoints}
        self._services = services

    async def __call__(self, request: Request) -> Response:
        """The answer, whatever it is; only bugs are raised."""
        try:
            return await self._answer(request)
        except Problem as problem:
            return failure(problem)
        except TryAgain as away:
            return failure(Problem(Code.UNAVAILABLE, f"{away} Try again shortly.", headers={"Retry-After": "5"}))
        except Rejected as refused:
            return failure(Problem(Code.REFUSED_BY_GITHUB, str(refused)))
        except Gone as gone:
            return failure(Problem(Code.NOT_FOUND, str(gone)))
        except UserError as error:
            return failure(Problem(Code.CONFLICT, str(error)))

    async def _answer(self, request: Request) -> Response:
        endpoint = self._by_method.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            raise Problem(
                Code.METHOD_NOT_ALLOWED, f"{request.method} is not for this path.", headers={"Allow": ", ".join(self.methods)}
            )
        try:
            async with asyncio.timeout(endpoint.seconds):
                return await self._within_time(endpoint, request)
        except TimeoutError:
            raise Problem(Code.TIMEOUT, f"This took longer than {endpoint.seconds:.0f} seconds.") from None

    async def _within_time(self, endpoint: Endpoint, request: Request) -> Response:
        services = self._services()
        caller = await authenticate(services, request, request.scope.get("request_id", ""))
        admit(endpoint, caller)
        what = endpoint.action.partition(".")[0].replace("_", " ")
        asked = Asked(
            endpoint,
            services,
            caller,
            request,
            read_path(request.path_params, what),
            read_query(endpoint.query, request.query_params),
            await read_body(endpoint.body, request),
        )
        answer = await endpoint.function(asked)
        if isinstance(answer, Answer):
            status = endpoint.status if answer.status is None else answer.status
            return success(request, answer.data, answer.message, status, answer.headers)
        return answer

    @property
    def methods(self) -> list[str]:
        """What this path knows."""
        return sorted({*self._by_method, *(["HEAD"] if "GET" in self._by_method else [])})


def admit(endpoint: Endpoint, caller: Caller) -> None:
    """Let in whoever may call this endpoint at all; roles are looked at once it is known whose the thing is. Raises Problem."""
    if endpoint.needs is Needs.NOBODY:
        return
    if caller.user is None:
        raise Problem(Code.UNAUTHENTICATED, "Sign in, or send an API key, as `Authorization: Bearer …`.", headers=CHALLENGE)
    if caller.scopes is not None and endpoint.scope not in caller.scopes:
        security.warning("forbidden", user=caller.user.id, action=endpoint.action, because="scope")
        raise Problem(Code.INSUFFICIENT_SCOPE, f"This API key lacks the scope {endpoint.scope}.", {"needed": endpoint.scope})
    if endpoint.needs is Needs.ADMINISTRATOR and not caller.user.administrator:
        security.warning("forbidden", user=caller.user.id, action=endpoint.action, because="no administrator")
        raise Problem(Code.FORBIDDEN, "Only an administrator of this installation may do this.")


def routes(endpoints: Sequence[Endpoint], services: Callable[[], Services]) -> list[Route]:
    """One route for each path, in the order of the paths' first mention, so that a fixed path may stand before `{id}`."""
    order = {path: number for number, path in reversed(list(enumerate(endpoint.path for endpoint in endpoints)))}
    by_path = groupby(sorted(endpoints, key=lambda endpoint: order[endpoint.path]), key=lambda endpoint: endpoint.path)
    return [_route(path, list(group), services) for path, group in by_path]


def _route(path: str, endpoints: list[Endpoint], services: Callable[[], Services]) -> Route:
    door = Door(endpoints, services)

    async def answer(request: Request) -> Response:
        return await door(request)

    # Every method, so that one which is not known is told of those that are.
    return Route(PREFIX + path, answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
