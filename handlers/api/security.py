"""What somebody may have tried who should not: each is a line in the log of security events, and counted."""

from typing import Any, Literal

import structlog

from storage.counts import Counts

Event = Literal["refused_logins", "refused_tokens", "reused_refresh_tokens", "forbidden"]
"""Their counts are `security_…` of the same names."""

log = structlog.get_logger("security")


async def noted(counts: Counts, event: Event, **said: Any) -> None:
    """Log it with what is `said` of it (no secret may be), and count it. A Redis that is away is no error."""
    log.warning(event.replace("_", " "), **said)
    await counts.add({f"security_{event}": 1})
