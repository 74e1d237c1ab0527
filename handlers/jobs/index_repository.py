"""The background job: index the newest commit of a repository's default branch, whatever asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import msgspec
import structlog

from handlers.access import why_no_access
from handlers.context import Context
from handlers.indexing.index import NotIndexed, bring_up_to_date
from handlers.indexing.work import Paused, Work
from handlers.put_jobs import put_index_jobs
from review.errors import TryAgain
from review.pull_request import Installation, Repository
from storage.installations import Installed, Tenant
from storage.queue import QueueAway

SECONDS = 480.0
"""For one attempt; what is left is done by the next one. Well below what a job may take."""

TURN = 30.0
"""Seconds after which it lets jobs go first that people wait for."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the delivery said. All ids are GitHub's; the branch's newest commit is read when the job runs."""

    delivery_id: str
    installation: Installation
    repository: Repository


async def index_repository(context: Context, arguments: Mapping[str, Any]) -> str:
    """Index what is new; gives the outcome as a sentence. Raises TryAgain, Superseded."""
    request = msgspec.convert(arguments, Request)
    structlog.contextvars.bind_contextvars(delivery=request.delivery_id, repository=request.repository.full_name)
    tenant = await _tenant(context, request)
    if no_access := why_no_access(tenant):
        return no_access
    installed = Installed(request.installation, request.repository)
    try:
        indexed = await bring_up_to_date(context, installed, tenant, Work(why_pause=_Pauses(context, monotonic())))
    except NotIndexed as because:
        return str(because)
    except Paused as paused:
        return await _go_on_later(context, request, installed, str(paused))
    if indexed.vectors.paused:
        return await _go_on_later(context, request, installed, str(indexed))
    if indexed.vectors.because:
        raise TryAgain(str(indexed))
    return str(indexed)


async def _tenant(context: Context, request: Request) -> Tenant:
    account = request.installation
    return await context.installations.tenant_of(
        account.account_id, account.account, account.account_type, account.id, request.repository
    )


async def _go_on_later(context: Context, request: Request, installed: Installed, outcome: str) -> str:
    """The rest is another job, behind all that wait: this attempt has got on, so it must not count as one that failed."""
    await put_index_jobs(context.deliveries, context.queue, [installed], f"after {request.delivery_id}")
    return f"{outcome} Another job goes on with it."


@dataclass(frozen=True, slots=True)
class _Pauses:
    """Why the job pauses: its time is over, or others wait, and each worker does one job at a time."""

    context: Context
    started: float

    async def __call__(self) -> str:
        seconds = monotonic() - self.started
        if seconds > SECONDS:
            return "The time for one job was over."
        if seconds > TURN and await self._others_wait():
            return "Reviews went first."
        return ""

    async def _others_wait(self) -> bool:
        try:
            waiting = await self.context.queue.lengths()
        except QueueAway:
            return False
        return waiting["high"] + waiting["default"] > 0
