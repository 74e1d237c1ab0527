"""The job of the API's analyses: claim one that somebody asked for, run it, and record how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from handlers.analyzing.job import failure_event, topic_of
from handlers.analyzing.run import Running
from handlers.context import Context
from handlers.host import Gone, Rejected
from review.errors import TryAgain, UserError
from storage.analyses import AnalysisRecord, ClaimedAnalysis

WAIT_FOR_OTHER = 5.0
"""Seconds until the next try when another job has this analysis, or had it when it died."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which analysis. Ids are ours."""

    delivery_id: str
    organization_id: int
    analysis_id: int


async def analyze(context: Context, arguments: Mapping[str, Any]) -> str:
    """Run it; gives the outcome as a sentence. Raises Superseded, TryAgain, UserError, Gone, Rejected."""
    request = msgspec.convert(arguments, Request)
    structlog.contextvars.bind_contextvars(delivery=request.delivery_id, analysis=request.analysis_id)
    claimed = await context.analyses.runs.claim(request.organization_id, request.analysis_id)
    if not isinstance(claimed, ClaimedAnalysis):
        return _not_ours(claimed)
    ended = False
    try:
        outcome = await Running(context, claimed).run()
        ended = True
    except (UserError, Gone, Rejected) as error:
        await context.analyses.runs.failed(claimed.organization_id, claimed.id, str(error))
        ended = True
        await context.live.tell(topic_of(claimed.id), failure_event(claimed.id, "failed", str(error)), last=True)
        raise
    finally:
        if not ended:  # put off, taken away, or a bug: whoever may go on with it need not wait until the claim is stale
            await context.analyses.runs.release(claimed)
    await context.live.tell(topic_of(claimed.id), {"type": "complete", "analysis_id": claimed.id}, last=True)
    return outcome


def _not_ours(record: AnalysisRecord | None) -> str:
    """The outcome where there is nothing to do. Raises TryAgain where another job is at it."""
    if record is None:
        return "Skipped: the analysis was removed."
    if record.status == "running":
        raise TryAgain("Another job runs this analysis.", after=WAIT_FOR_OTHER)
    return f"Skipped: the analysis is {record.status}."
