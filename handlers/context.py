"""Context: all that a job may use, one frozen value, made in `bot/wiring.py`."""

from dataclasses import dataclass, field

from storage.queue import Queue

from handlers.host import CodeHost, Source
from review.reviewer import Reviewer
from storage.deliveries import Deliveries
from storage.installations import Installations
from storage.reviews import Reviews


@dataclass(frozen=True, slots=True)
class Context:
    """`marker_key` signs the hidden marks in our reviews; it is derived from SECRET_KEY and never shown."""

    deliveries: Deliveries
    installations: Installations
    reviews: Reviews
    queue: Queue
    host: CodeHost
    source: Source
    reviewer: Reviewer
    marker_key: bytes = field(repr=False)
