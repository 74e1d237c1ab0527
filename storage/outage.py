"""A Redis that does not answer is not asked again by every request, and does not fill the log."""

import time

import structlog

AWAY_SECONDS = 2.0
"""How long it is left alone: each attempt may take seconds of somebody's request."""

TOLD_SECONDS = 60.0
"""How often the log says it."""

log = structlog.get_logger()


class Outage:
    """`now` is true for a while after each failure. `what` is the event in the log, as `rate limits away`."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._failed = self._told = float("-inf")

    @property
    def now(self) -> bool:
        """Whether it is not worth asking."""
        return time.monotonic() < self._failed + AWAY_SECONDS

    def note(self, error: Exception) -> None:
        """It failed."""
        self._failed = time.monotonic()
        if self._failed >= self._told + TOLD_SECONDS:
            self._told = self._failed
            log.warning(self._what, because=str(error))
