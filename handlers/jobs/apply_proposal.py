"""The job that applies an approved proposal, and records how it ended."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from handlers.context import Context
from handlers.proposing.apply import apply
from handlers.proposing.ending import on_record, tell_end
from handlers.proposing.job import Request
from review.proposal import State
from storage.audit import Act

APPLIED = Act("proposal.apply", "worker")


async def apply_proposal(context: Context, arguments: Mapping[str, Any]) -> str:
    """Apply it; gives the outcome. Raises TryAgain, UserError, Gone, Rejected."""
    request = msgspec.convert(arguments, Request)
    structlog.contextvars.bind_contextvars(delivery=request.delivery_id, proposal=request.proposal_id)
    proposal = await context.proposals.for_job(request.organization_id, request.proposal_id)
    if proposal is None:
        return "Skipped: the proposal was removed."
    if proposal.state is not State.APPLYING:
        return f"Skipped: the proposal is {proposal.state}."
    applied = await on_record(context, proposal, APPLIED, apply(context, proposal))
    done = await context.proposals.step(
        proposal, State.APPLIED, APPLIED, outcome=applied.outcome, commit_sha=applied.commit_sha or None
    )
    if done is not None:
        await tell_end(context, done)
    return applied.outcome
