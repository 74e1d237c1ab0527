"""Context: all that a job may use, one frozen value, made in `bot/wiring.py`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from handlers.host import CodeHost, Mailer, Source
from review.context.embedders.embedder import Embedder
from review.reviewer import Reviewer
from storage.accounts.links import Links
from storage.accounts.users import Users
from storage.analyses import Analyses
from storage.code.indexes import CodeIndexes
from storage.counts import Counts
from storage.database import Database
from storage.deliveries import Deliveries
from storage.expired import Expired
from storage.exports import Exports
from storage.installations import Installations
from storage.live import Live
from storage.objects import Objects
from storage.proposals import Proposals
from storage.queue import Queue
from storage.reports import Reports
from storage.repositories import KeptRepositories
from storage.reviews import Reviews
from storage.uploads import Uploads


class Embedders(Protocol):
    """The embedders that the settings allow for."""

    @property
    def current(self) -> Embedder:
        """The one whose vectors are made."""
        ...

    def named(self, name: str) -> Embedder | None:
        """The one of that name, with whose vectors an index may still be served; None where it cannot be had any more."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """`marker_key` signs the hidden marks in our reviews; it is derived from SECRET_KEY and never shown.
    `public_url` is where people reach this installation, without a slash at its end.

    `on_step` is told each step of a job and the seconds that it took, for logs and live progress.
    """

    database: Database
    deliveries: Deliveries
    installations: Installations
    repositories: KeptRepositories
    reviews: Reviews
    analyses: Analyses
    proposals: Proposals
    reports: Reports
    uploads: Uploads
    exports: Exports
    expired: Expired
    code_indexes: CodeIndexes
    queue: Queue
    objects: Objects
    live: Live
    counts: Counts
    host: CodeHost
    source: Source
    mailer: Mailer
    users: Users
    links: Links
    embedders: Embedders
    reviewer: Reviewer
    public_url: str
    marker_key: bytes = field(repr=False)
    on_step: Callable[[str, float], None] = lambda _step, _seconds: None
