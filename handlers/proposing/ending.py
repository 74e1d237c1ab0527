"""How the work for a proposal ends: well, for now, or for good, and the proposal's state always says which."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from handlers.context import Context
from handlers.host import Gone, Rejected
from handlers.proposing.job import ending_event, topic_of
from review.errors import TryAgain, UserError
from review.proposal import State
from storage.audit import Act
from storage.proposals import ProposalRecord

LONGEST = timedelta(hours=1)
"""After which nobody waits any more for a step that could not be done so far; the queue tries for some two hours."""

T = TypeVar("T")


async def on_record(context: Context, proposal: ProposalRecord, act: Act, work: Awaitable[T]) -> T:
    """The result of the work. Where it fails for good, or has been put off for too long, the proposal has failed by then.

    Raises what the work raises.
    """
    try:
        return await work
    except TryAgain as again:
        if datetime.now(UTC) - proposal.updated_at > LONGEST:
            await _fail(context, proposal, f"Given up. The last attempt: {again}", act)
        raise
    except (UserError, Gone, Rejected) as error:
        await _fail(context, proposal, str(error), act)
        raise


async def _fail(context: Context, proposal: ProposalRecord, because: str, act: Act) -> None:
    failed = await context.proposals.step(proposal, State.FAILED, act, outcome=because)
    if failed is not None:
        await tell_end(context, failed)


async def tell_end(context: Context, proposal: ProposalRecord) -> None:
    """Tell whoever waits for it."""
    await context.live.tell(topic_of(proposal.id), ending_event(proposal), last=True)
