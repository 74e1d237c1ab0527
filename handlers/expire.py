"""Remove what has had its time: uploads, exports, links, keys; and files that belong to nothing, after whatever died.

The scheduler puts both jobs. Each removes a bounded number and may be done any number of times: what the object store refuses
today stays on record, and is removed the next time.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

import structlog

from handlers.put_jobs import OwnJob
from storage.expired import Expired, ExpiredRow, Owner, Table
from storage.objects import Objects, StoreAway, Stored

MOST = 1_000
"""Things of a kind that one job removes."""

BATCH = 200
"""Files whose owners are looked up together."""

GRACE = timedelta(days=1)
"""A file that belongs to nothing yet may be one whose row is about to be written."""

log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """What one job came to."""

    removed: int = 0
    refused: int = 0

    def __str__(self) -> str:
        left = f" {self.refused} could not be removed just now, and will be tried again." if self.refused else ""
        return f"Removed {self.removed}.{left}"


def expiry_jobs(now: datetime) -> list[OwnJob]:
    """The jobs of this hour and of this day. Put as often as one likes, each is done once."""
    return [
        OwnJob(f"expire-{now:%Y%m%d%H}", "expire", {}, "low"),
        OwnJob(f"remove-orphans-{now:%Y%m%d}", "remove_orphans", {}, "low"),
    ]


async def expire(expired: Expired, objects: Objects) -> Outcome:
    """Remove what has expired. Raises Away."""
    outcome = Outcome(removed=await expired.forget_links_and_keys())
    for table in get_args(Table):
        for row in await expired.rows(table, MOST):
            await _remove_row(expired, objects, table, row, outcome)
    return outcome


async def _remove_row(expired: Expired, objects: Objects, table: Table, row: ExpiredRow, outcome: Outcome) -> None:
    """The object first: as long as the row is there, the next job comes back to it."""
    try:
        await objects.delete(row.object_key)
    except StoreAway as away:
        log.warning("object not removed", key=row.object_key, because=str(away))
        outcome.refused += 1
        return
    await expired.remove(table, row)
    outcome.removed += 1


async def remove_orphans(expired: Expired, objects: Objects) -> Outcome:
    """Remove what lies under temp/ for a day, and files of uploads, exports, analyses and proposals that are gone.

    Raises Away, StoreAway where the files cannot even be listed.
    """
    before, outcome = datetime.now(UTC) - GRACE, Outcome()
    async for batch in _old(objects, "temp", before):
        await _remove_files(objects, batch, outcome)
    for owner in get_args(Owner):
        async for batch in _old(objects, owner, before):
            ids = {_owner_id(stored) for stored in batch}
            standing = await expired.standing(owner, ids - {0})
            await _remove_files(objects, [stored for stored in batch if _owner_id(stored) not in standing], outcome)
            if outcome.removed + outcome.refused >= MOST:
                return outcome
    return outcome


async def _old(objects: Objects, prefix: str, before: datetime) -> AsyncIterator[list[Stored]]:
    """What is under it since before then, in batches."""
    batch: list[Stored] = []
    async for stored in objects.under(prefix):
        if stored.modified_at < before:
            batch.append(stored)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _remove_files(objects: Objects, batch: Sequence[Stored], outcome: Outcome) -> None:
    for stored in batch:
        try:
            await objects.delete(stored.key)
            outcome.removed += 1
        except StoreAway as away:
            log.warning("object not removed", key=stored.key, because=str(away))
            outcome.refused += 1


def _owner_id(stored: Stored) -> int:
    """17 of `uploads/17.zip` and of `analyses/17/report.pdf`; 0 where it is no key of ours."""
    name = stored.key.split("/")[1].partition(".")[0]
    return int(name) if name.isascii() and name.isdecimal() and len(name) <= 18 else 0
