"""The main job: review a pull request's head and post one review on it."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from handlers.context import Context
from handlers.host import Gone, Rejected
from review.comments import write_review
from review.errors import Superseded, TryAgain, UserError
from review.pull_request import PullRequest, Repository
from storage.installations import Tenant
from storage.reviews import ClaimedReview

log = structlog.get_logger(__name__)

WATCH_EVERY = 3.0
"""Seconds between looks at whether the work still has a point; each is also the heartbeat of the claim."""

WAIT_FOR_OTHER = 10.0
"""Seconds until the next try when another job is reviewing the same head."""


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

    @property
    def asked_by_state(self) -> bool:
        """Whether the author just said that the pull request is ready, so that a stale draft flag does not count."""
        return self.action == "ready_for_review"


async def review_pull_request(context: Context, arguments: Mapping[str, Any]) -> str:
    """Review the head and post; gives the outcome as a sentence. Raises Superseded, TryAgain, UserError, Gone, Rejected."""
    request = msgspec.convert(arguments, Request)
    tenant = await context.installations.tenant_of(
        request.account_id,
        request.account,
        request.account_type,
        request.installation_id,
        Repository(request.repository_id, request.repository, request.private, request.default_branch),
    )
    if because := _why_no_access(tenant):
        return because
    await _raise_if_moved_on(context, request, request.head_sha)
    pull = await context.host.pull_request(request.installation_id, request.repository, request.number)
    if because := await _why_unwanted(context, request, pull):
        return because
    return await _claim_and_review(context, request, tenant, pull)


def _why_no_access(tenant: Tenant) -> str:
    if tenant.removed:
        return "Skipped: the app was removed from this account."
    if tenant.suspended:
        return "Skipped: the app is suspended on this account."
    return ""


async def _why_unwanted(context: Context, request: Request, pull: PullRequest) -> str:
    if pull.state != "open":
        return f"Skipped: the pull request is {pull.state}."
    if pull.draft:
        return "Skipped: the pull request is a draft. It is reviewed when it is marked ready for review."
    if pull.author_is_bot:
        return f"Skipped: the pull request was opened by a bot ({pull.author})."
    if request.sender_is_bot and request.sender == await context.host.app_login():
        return "Skipped: this app did it itself."
    return ""


async def _raise_if_moved_on(context: Context, request: Request, head_sha: str) -> None:
    because = await context.deliveries.newer_head(request.repository_id, request.number, request.delivery_id, head_sha)
    if because:
        raise Superseded(because)


async def _claim_and_review(context: Context, request: Request, tenant: Tenant, pull: PullRequest) -> str:
    claimed = await context.reviews.claim(
        tenant.organization_id, tenant.repository_id, pull.number, pull.head_sha, request.delivery_id
    )
    if isinstance(claimed, str):
        return claimed
    if claimed is None:
        raise TryAgain("Another job is reviewing this head.", after=WAIT_FOR_OTHER)
    job = ReviewJob(context, request, tenant, pull, claimed)
    try:
        return await job.while_it_has_a_point(job.run())
    except Superseded as error:
        await context.reviews.superseded(tenant.organization_id, claimed.id, str(error))
        raise
    except (UserError, Gone, Rejected) as error:
        await context.reviews.failed(tenant.organization_id, claimed.id, str(error))
        raise


@dataclass(frozen=True, slots=True)
class ReviewJob:
    """One claimed review on its way from the fetch to the post."""

    context: Context
    request: Request
    tenant: Tenant
    pull: PullRequest
    claimed: ClaimedReview

    async def run(self) -> str:
        """Fetch, analyse, keep, post. A review that an earlier try had ready is posted without thinking twice."""
        if self.claimed.planned is not None:
            return await self._post(self.claimed.planned)
        change = await self._timed("fetch", self.context.source.change(self.request.installation_id, self.pull))
        analysis = await self._timed("analyse", self._analyse(change))
        told = await self.context.reviews.told(self._organization, self.tenant.repository_id, self.pull.number)
        rules_cap = (await self._rules()).rules.max_comments
        review = write_review(analysis, change.diff, self._marker, told=told, max_comments=rules_cap)
        if review is not None:
            await self.context.reviews.keep(self._organization, self.claimed.id, analysis, review)
            return await self._timed("post", self._post(review))
        standing = sum(finding.fingerprint in told for finding in analysis.findings)
        return await self._timed("post", self._say_nothing_new(analysis, standing))

    async def while_it_has_a_point(self, work: Coroutine[Any, Any, str]) -> str:
        """The result of `work`, which is cancelled with Superseded once a newer head came, or the pull request was closed."""
        tasks = {asyncio.create_task(work), asyncio.create_task(self._watch())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
