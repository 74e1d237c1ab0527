"""The main job: decide whether a pull request's head is to be reviewed, claim it, review it, record how it ended."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from handlers.access import why_no_access
from handlers.context import Context
from handlers.host import Gone, Rejected
from handlers.publish import REPLICA_LAG
from handlers.reviewing import Reviewing
from review.errors import Superseded, TryAgain, UserError
from review.pull_request import PullRequest, Repository
from storage.installations import Tenant
from storage.reviews import Head

WAIT_FOR_OTHER = 10.0
"""Seconds until the next try when another job is reviewing the same head."""

NO_REVIEWS = "Skipped: reviews are switched off in the repository's settings here."


@dataclass(frozen=True, slots=True)
class Request:
    """What the delivery said. All ids are GitHub's; the pull request itself is read anew, because deliveries may come late."""

    delivery_id: str
    installation_id: int
    account_id: int
    account: str
    account_type: str
    repository_id: int
    repository: str
    private: bool
    default_branch: str
    number: int
    head_sha: str
    action: str = ""
    sender: str = ""
    sender_is_bot: bool = False


async def review_pull_request(context: Context, arguments: Mapping[str, Any]) -> str:
    """Review the head and post; gives the outcome as a sentence. Raises Superseded, TryAgain, UserError, Gone, Rejected."""
    request = msgspec.convert(arguments, Request)
    structlog.contextvars.bind_contextvars(
        delivery=request.delivery_id, repository=request.repository, number=request.number, head=request.head_sha
    )
    tenant = await _tenant(context, request)
    if because := why_no_access(tenant):
        return because
    settings = await context.repositories.settings(tenant.organization_id, tenant.repository_id)
    if not settings.reviews:
        return NO_REVIEWS
    if newer := await _newer(context, request, request.head_sha):
        raise Superseded(newer)
    pull = await _pull_request(context, request)
    if because := await _why_unwanted(context, request, pull):
        return because
    return await _claim_and_review(context, request, tenant, pull)


async def _tenant(context: Context, request: Request) -> Tenant:
    return await context.installations.tenant_of(
        request.account_id,
        request.account,
        request.account_type,
        request.installation_id,
        Repository(request.repository_id, request.repository, request.private, request.default_branch),
    )


async def _newer(context: Context, request: Request, head_sha: str) -> str | None:
    return await context.deliveries.newer_head(request.repository_id, request.number, request.delivery_id, head_sha)


async def _pull_request(context: Context, request: Request) -> PullRequest:
    """The pull request as it stands. Where it is not at the head that GitHub told us of, it is read once more."""
    pull = await context.host.pull_request(request.installation_id, request.repository, request.number)
    if pull.head_sha != request.head_sha:
        await asyncio.sleep(REPLICA_LAG)
        pull = await context.host.pull_request(request.installation_id, request.repository, request.number)
    return pull


async def _why_unwanted(context: Context, request: Request, pull: PullRequest) -> str:
    if pull.repository.id != request.repository_id:  # its name may be somebody else's by now, and so may what is kept of it
        return f"Skipped: {request.repository} is another repository than the one that this delivery was about."
    if pull.state != "open":
        return f"Skipped: the pull request is {pull.state}."
    # Somebody has just said that it is ready: a draft flag from a replica that lags behind does not count.
    if pull.draft and request.action != "ready_for_review":
        return "Skipped: the pull request is a draft. It is reviewed when it is marked ready for review."
    if pull.author_is_bot:
        return f"Skipped: the pull request was opened by a bot ({pull.author})."
    if request.sender_is_bot and request.sender == await context.host.app_login():
        return "Skipped: this app did it itself."
    return ""


async def _claim_and_review(context: Context, request: Request, tenant: Tenant, pull: PullRequest) -> str:
    head = Head(tenant.organization_id, tenant.repository_id, pull.number, pull.head_sha, pull.base_ref)
    claimed = await context.reviews.claim(head, request.delivery_id)
    if isinstance(claimed, str):
        return claimed
    if claimed is None:
        raise TryAgain("Another job is reviewing this head.", after=WAIT_FOR_OTHER)

    async def newer() -> str | None:
        return await _newer(context, request, pull.head_sha)

    try:
        return await Reviewing(context, request.installation_id, pull, claimed, newer).run()
    except Superseded as error:
        await context.reviews.superseded(claimed, str(error))
        raise
    except TryAgain:
        await context.reviews.release(claimed)
        raise
    except (UserError, Gone, Rejected) as error:
        await context.reviews.failed(claimed, str(error))
        raise
