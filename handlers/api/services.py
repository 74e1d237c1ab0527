"""Services: all that the API's endpoints may use, one frozen value, made in `bot/open_services.py`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.api.accounts import Accounts
from handlers.uploads.receiving import Receiving
from storage.accounts.reading import Reading
from storage.analyses import Analyses
from storage.cache import Cache
from storage.counts import Counts
from storage.database import Database
from storage.deliveries import Deliveries
from storage.exports import Exports
from storage.idempotency import IdempotencyKeys
from storage.installations import Installations
from storage.limits import Limits
from storage.live import Live
from storage.objects import Objects
from storage.proposals import Proposals
from storage.queue import Queue
from storage.reports import Reports
from storage.repositories import KeptRepositories
from storage.shown_audit import ShownAudit
from storage.shown_deliveries import ShownDeliveries
from storage.uploads import Uploads

Check = Callable[[], Awaitable[Any]]
"""Asks one dependency for a sign of life; may give a few words about it. Raises TryAgain when there is none."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a web process has at hand. Nothing heavy: work is put on the queue."""

    database: Database
    checks: Mapping[str, Check]
    """Of all that this installation depends on, by name."""
    accounts: Accounts
    reading: Reading
    cache: Cache
    limits: Limits
    idempotency_keys: IdempotencyKeys
    deliveries: Deliveries
    installations: Installations
    queue: Queue
    counts: Counts
    analyses: Analyses
    proposals: Proposals
    reports: Reports
    objects: Objects
    uploads: Uploads
    exports: Exports
    receiving: Receiving
    live: Live
    repositories: KeptRepositories
    shown_deliveries: ShownDeliveries
    shown_audit: ShownAudit
