"""Context: all that a job may use, one frozen value, made in `bot/wiring.py`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from handlers.host import CodeHost, Source
from review.reviewer import Reviewer
from storage.deliveries import Deliveries
from storage.installations import Installations
from storage.queue import Queue
from storage.reviews import Reviews


@dataclass(frozen=True, slots=True)
class Context:
    """`marker_key` signs the hidden marks in our reviews; it is derived from SECRET_KEY and never shown.

    `on_step` is told each step of a job and the seconds that it took, for logs and live progress.
    """

    deliveries: Deliveries
    installations: Installations
    reviews: Reviews
    queue: Queue
    host: CodeHost
    source: Source
    reviewer: Reviewer
    marker_key: bytes = field(repr=False)
    on_step: Callable[[str, float], None] = lambda _step, _seconds: None
