"""What long work is told from outside: whom to tell how far it is, and when to pause so that others get their turn."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from review.errors import RefactorIQError

OnProgress = Callable[[str, int, int], None]
"""Told a step, how much of it is done, and how much there is in all (0: nobody knows)."""


class Paused(RefactorIQError):
    """The work stopped half-way. What is done stays done: whoever takes it up again goes on from there."""


async def _never() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Work:
    """Whom to tell of progress, and whom to ask for a pause.

    `why_pause` is asked between two pieces of work: a sentence ends it for now, an empty one lets it go on.
    """

    on_progress: OnProgress = lambda _step, _done, _of: None
    why_pause: Callable[[], Awaitable[str]] = _never
