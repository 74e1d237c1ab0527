"""One job from the queue: done, put off, or given up for good, and the delivery's state always says which."""

import asyncio
import random
from collections.abc import Mapping
from time import monotonic
from typing import Any

import structlog

from handlers.context import Context
from handlers.give_up import give_up
from handlers.host import Gone, Rejected
from handlers.jobs import JOBS
from handlers.measures import JOB_SECONDS
from review.errors import Superseded, TryAgain, UserError

SECONDS = 600.0
"""How long a job may take. The queue's own limit (`storage.queue.JOB_SECONDS`) is a minute longer."""

MOST_ATTEMPTS = 15
"""With the delays below some two hours: longer than nearly all outages."""

FIRST_DELAY, LONGEST_DELAY = 5.0, 900.0

log = structlog.get_logger()


async def perform(context: Context, kind: str, arguments: Mapping[str, Any]) -> float | None:
    """Do the job of a delivery. Gives the seconds to wait before another try, None when it has come to an end.

    Raises Away when the end could not be written down, and whatever bug there is in the job.
    """
    delivery_id, deliveries = str(arguments["delivery_id"]), context.deliveries
    attempt = await deliveries.started(delivery_id)
    if attempt is None:
        log.info("job was done already", job=kind)
        return None
    started, became = monotonic(), "bug"
    try:
        became, seconds = await _attempted(context, kind, arguments, attempt)
    finally:
        known = kind if kind in JOBS else "other"
        context.counts.note(JOB_SECONDS.observed(monotonic() - started, known, became))
    return seconds


async def _attempted(context: Context, kind: str, arguments: Mapping[str, Any], attempt: int) -> tuple[str, float | None]:
    """What became of this try, in a word, and the seconds until the next one."""
    delivery_id, deliveries = str(arguments["delivery_id"]), context.deliveries
    try:
        outcome = await _within_time(context, kind, arguments)
    except Superseded as superseded:
        await deliveries.superseded(delivery_id, str(superseded))
        log.info("job superseded", job=kind, because=str(superseded))
        return "superseded", None
    except TryAgain as again:
        seconds = await put_off(context, kind, arguments, again, attempt)
        return ("given_up" if seconds is None else "put_off"), seconds
    except (UserError, Gone, Rejected) as error:
        await deliveries.failed(delivery_id, str(error))
        log.error("job failed", job=kind, because=str(error))
    else:
        await deliveries.finished(delivery_id, outcome)
        log.info("job done", job=kind, outcome=outcome)
        return "done", None
    return "failed", None


async def _within_time(context: Context, kind: str, arguments: Mapping[str, Any]) -> str:
    job = JOBS.get(kind)
    if job is None:
        raise UserError(f"No worker here does jobs of the kind `{kind}`: update the workers, then retry it.")
    try:
        async with asyncio.timeout(SECONDS):
            return await job(context, arguments)
    except TimeoutError:
        raise TryAgain(f"It took longer than {SECONDS / 60:.0f} minutes.") from None


async def put_off(context: Context, kind: str, arguments: Mapping[str, Any], because: TryAgain, attempt: int) -> float | None:
    """Note that it will be tried again, and give the seconds until then; None when it was tried often enough."""
    delivery_id = str(arguments["delivery_id"])
    if attempt >= MOST_ATTEMPTS:
        last = f"Given up after {attempt} attempts. The last one: {because}"
        await give_up(context.database, delivery_id, kind, arguments, last)
        log.error("job given up", attempts=attempt, because=str(because))
        return None
    await context.deliveries.retrying(delivery_id, str(because))
    seconds = delay(attempt, because.after)
    log.warning("job put off", attempt=attempt, seconds=round(seconds, 1), because=str(because))
    return seconds


def delay(attempt: int, after: float | None = None) -> float:
    """Seconds before the next try: twice as long each time, half more or less by chance, never less than was asked for."""
    grown = min(FIRST_DELAY * 2.0 ** (attempt - 1), LONGEST_DELAY) * random.uniform(0.5, 1.5)  # noqa: S311  (spreads load)
    return max(grown, after or 0.0)
