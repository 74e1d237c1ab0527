"""What somebody may have tried who should not: each is a line in the log of security events, and counted."""

from typing import Any, Literal

import structlog

from handlers.measures import SECURITY
from storage.counts import Counts

Event = Literal["refused_logins", "refused_tokens", "reused_refresh_tokens", "forbidden"]

log = structlog.get_logger("security")


async def noted(counts: Counts, event: Event, **said: Any) -> None:
    """Log it with what is `said` of it (no secret may be), and count it. A Redis that is away is no error."""
    log.warning(event.replace("_", " "), **said)
    await counts.add(SECURITY.counted(event))
