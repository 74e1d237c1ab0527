"""The job that prepares a proposal, tells whoever waits for it, and goes on to apply it where that was asked for."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from handlers.context import Context
from handlers.proposing.ending import on_record, tell_end
from handlers.proposing.job import Request, apply_job
from handlers.proposing.prepare import PREPARED, prepare, still_wanted
from handlers.put_jobs import put_own_jobs
from review.proposal import State
from storage.audit import Act
from storage.proposals import ProposalRecord


async def prepare_proposal(context: Context, arguments: Mapping[str, Any]) -> str:
    """Prepare it; gives the outcome. Raises TryAgain, UserError, Gone, Rejected."""
    request = msgspec.convert(arguments, Request)
    structlog.contextvars.bind_contextvars(delivery=request.delivery_id, proposal=request.proposal_id)
    proposal = await context.proposals.for_job(request.organization_id, request.proposal_id)
    if proposal is None:
        return "Skipped: the proposal was removed."
    if not still_wanted(proposal):
        return f"Skipped: the proposal is {proposal.state}."
    if proposal.state is State.PREPARING:
        made = await on_record(context, proposal, PREPARED, prepare(context, proposal))
        proposal = made or await _as_it_stands(context, proposal)
        await tell_end(context, proposal)
    if proposal.auto_apply:
        await _go_on(context, proposal)
    return proposal.outcome


async def _as_it_stands(context: Context, proposal: ProposalRecord) -> ProposalRecord:
    """Somebody was faster. What was kept for one that was rejected meanwhile is taken away again."""
    now = await context.proposals.for_job(proposal.organization_id, proposal.id) or proposal
    if now.state is State.REJECTED:
        await context.objects.delete_under(f"proposals/{proposal.id}/")
    return now


async def _go_on(context: Context, proposal: ProposalRecord) -> None:
    """The steps that whoever asked for it has agreed to beforehand, as far as they are not taken yet."""
    act = Act("proposal.auto_apply", "worker", proposal.user_id)
    for state in (State.APPROVED, State.APPLYING):
        proposal = await context.proposals.step(proposal, state, act) or proposal
    if proposal.state is State.APPLYING:
        await put_own_jobs(context.deliveries, context.queue, [apply_job(proposal)])
