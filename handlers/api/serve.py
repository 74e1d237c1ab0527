"""From endpoints to Starlette's routes: every request is authenticated, held against its forms, answered in the envelope."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from time import perf_counter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers.api.answers import JSON, check_acceptable, failure, success
from handlers.api.authenticate import CHALLENGE, authenticate
from handlers.api.caller import Caller
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.idempotency import once
from handlers.api.limits import Counted
from handlers.api.problem import Code, Problem
from handlers.api.reading import check_kind, read_body, read_path, read_query, read_raw
from handlers.api.security import noted
from handlers.api.services import Services
from handlers.host import Gone, Rejected
from handlers.measures import REQUEST_SECONDS
from review.errors import TryAgain, UserError
from storage.database import Away

PREFIX = "/api/v1"


class Door:
    """All endpoints of one path. `services` gives what they use, once the server has started."""

    def __init__(self, endpoints: Sequence[Endpoint], services: Callable[[], Services]) -> None:
        self._by_method = {endpoint.method: endpoint for endpoint in endpoints}
        self._services = services

    async def __call__(self, request: Request) -> Response:
        """The answer, whatever it is; only bugs are raised."""
        services = self._services()
        counted = Counted(services.limits)
        try:
            response = await self._answer(services, counted, request)
        except Problem as problem:
            response = failure(problem)
        except TryAgain as away:
            response = failure(Problem(Code.UNAVAILABLE, f"{away} Try again shortly.", headers={"Retry-After": "5"}))
        except Rejected as refused:
            response = failure(Problem(Code.REFUSED_BY_GITHUB, str(refused)))
        except Gone as gone:
            response = failure(Problem(Code.NOT_FOUND, str(gone)))
        except UserError as error:
            response = failure(Problem(Code.CONFLICT, str(error)))
        return counted.tell(response)

    async def _answer(self, services: Services, counted: Counted, request: Request) -> Response:
        allow = {"Allow": ", ".join(self.methods)}
        if request.method == "OPTIONS":
            return Response(None, 204, allow)
        endpoint = self._by_method.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            raise Problem(Code.METHOD_NOT_ALLOWED, f"{request.method} is not for this path.", headers=allow)
        try:
            async with asyncio.timeout(endpoint.seconds):
                caller = await _counted(endpoint, services, counted, request)
                return await _let_in(endpoint, services, caller, request)
        except TimeoutError:
            raise Problem(Code.TIMEOUT, f"This took longer than {endpoint.seconds:.0f} seconds.") from None

    @property
    def methods(self) -> list[str]:
        """What this path knows."""
        return sorted({*self._by_method, "OPTIONS", *(["HEAD"] if "GET" in self._by_method else [])})


async def _counted(endpoint: Endpoint, services: Services, counted: Counted, request: Request) -> Caller:
    """Who asks, if they may ask again so soon. Nothing of the body is read before. Raises Problem."""
    address, request_id = request.client.host if request.client else "", request.scope.get("request_id", "")
    await counted.before(endpoint, address)
    try:
        if endpoint.needs is Needs.NOBODY and not endpoint.knows_callers:
            caller = Caller(address, request_id)  # so that a token which is over keeps nobody from getting a new one
        else:
            caller = await authenticate(services, request, request_id)
    except Problem:
        await counted.refused(address)
        raise
    await counted.after(endpoint, caller)
    return caller


async def _let_in(endpoint: Endpoint, services: Services, caller: Caller, request: Request) -> Response:
    """What the endpoint gives, where the caller may have it; who may not is noted. Raises Problem."""
    try:
        admit(endpoint, caller)
        check_acceptable(request, (*([JSON] if endpoint.data is not None else []), *endpoint.gives))
        return await _performed(endpoint, services, caller, request)
    except Problem as problem:
        if problem.code in (Code.FORBIDDEN, Code.INSUFFICIENT_SCOPE) and caller.user is not None:
            said = {"user": caller.user.id, "action": endpoint.action, "address": caller.address}
            await noted(services.counts, "forbidden", **said, request=caller.request_id, because=problem.message)
        raise


async def _performed(endpoint: Endpoint, services: Services, caller: Caller, request: Request) -> Response:
    """What the endpoint gives: once, where the request may be a repeated one. Raises Problem."""
    check_kind(endpoint.body, request)
    what = endpoint.action.partition(".")[0].replace("_", " ")
    path, query = read_path(request.path_params, what), read_query(endpoint.query, request.query_params)
    raw = b"" if endpoint.takes else await read_raw(request)
    body = read_body(endpoint.body, raw)
    caller = await _with_freshness(endpoint, services, caller)
    asked = Asked(endpoint, services, caller, request, path, query, body)
    response = await once(asked, raw, lambda: _read_again(asked))
    if endpoint.method != "GET" and caller.user is not None and response.status_code < 400:
        await services.reading.wrote(caller.user.id)
    return response


async def _with_freshness(endpoint: Endpoint, services: Services, caller: Caller) -> Caller:
    """The caller, who reads from the primary what they change, and what they may have changed just now."""
    fresh = endpoint.method != "GET" or (caller.user is not None and await services.reading.wrote_lately(caller.user.id))
    return replace(caller, sight=replace(caller.sight, fresh=True)) if fresh else caller


async def _read_again(asked: Asked[Any, Any]) -> Response:
    """What the function gives; what a replica does not have yet, or broke off over, is read from the primary."""
    if asked.caller.sight.fresh or not asked.services.reading.may_be_behind:
        return await _function(asked)
    try:
        return await _function(asked)
    except (Problem, Away) as failed:
        if isinstance(failed, Problem) and failed.code is not Code.NOT_FOUND:
            raise
        caller = replace(asked.caller, sight=replace(asked.caller.sight, fresh=True))
        return await _function(replace(asked, caller=caller))


async def _function(asked: Asked[Any, Any]) -> Response:
    answer = await asked.endpoint.function(asked)
    if isinstance(answer, Answer):
        status = asked.endpoint.status if answer.status is None else answer.status
        return success(asked.request, answer.data, answer.message, status, answer.headers)
    return answer


def admit(endpoint: Endpoint, caller: Caller) -> None:
    """Let in whoever may call this endpoint at all; roles are looked at once it is known whose the thing is. Raises Problem."""
    if endpoint.needs is Needs.NOBODY:
        return
    if caller.user is None:
        raise Problem(Code.UNAUTHENTICATED, "Sign in, or send an API key, as `Authorization: Bearer …`.", headers=CHALLENGE)
    if caller.scopes is not None and endpoint.session_only:
        raise Problem(Code.FORBIDDEN, "No API key may do this: sign in.")
    if caller.scopes is not None and endpoint.scope not in caller.scopes:
        raise Problem(Code.INSUFFICIENT_SCOPE, f"This API key lacks the scope {endpoint.scope}.", {"needed": endpoint.scope})
    if endpoint.needs is Needs.ADMINISTRATOR and not caller.user.administrator:
        raise Problem(Code.FORBIDDEN, "Only an administrator of this installation may do this.")


def routes(endpoints: Sequence[Endpoint], services: Callable[[], Services]) -> list[Route]:
    """One route for each path, in the order of the paths' first mention, so that a fixed path may stand before `{id}`."""
    order = {path: number for number, path in reversed(list(enumerate(endpoint.path for endpoint in endpoints)))}
    by_path = groupby(sorted(endpoints, key=lambda endpoint: order[endpoint.path]), key=lambda endpoint: endpoint.path)
    return [_route(path, list(group), services) for path, group in by_path]


def _route(path: str, endpoints: list[Endpoint], services: Callable[[], Services]) -> Route:
    door = Door(endpoints, services)

    async def answer(request: Request) -> Response:
        started, status = perf_counter(), 500
        try:
            response = await door(request)
            status = response.status_code
        finally:
            taken = perf_counter() - started
            services().counts.note(REQUEST_SECONDS.observed(taken, request.method, PREFIX + path, str(status)))
        return response

    # Every method, so that one which is not known is told of those that are.
    return Route(PREFIX + path, answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
