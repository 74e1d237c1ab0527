"""The audit, read: what was done in one organization, or to the instance, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.database import Database


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, from where. `actor_id` is None where no account did it; `at` is UTC."""

    id: int
    at: datetime
    organization_id: int | None
    actor_id: int | None
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None means any."""

    action: str | None = None
    actor_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


NEWEST: LiteralString = """
SELECT id, at, organization_id, actor_id, actor, action, subject, details, address, request_id FROM audit_logs
WHERE {where} AND id < %(before)s
  AND (%(action)s::text IS NULL OR action = %(action)s)
  AND (%(actor_id)s::bigint IS NULL OR actor_id = %(actor_id)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
ORDER BY id DESC LIMIT %(limit)s
"""


class ShownAudit:
    """The audit, for people. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database = database
        self._reading = reading

    async def of_organization(
        self, sight: Sight, organization_id: int, wanted: AuditFilter, limit: int, before: int
    ) -> list[AuditEntry]:
        """A page of one organization's entries, below the id `before`."""
        query = NEWEST.format(where="organization_id = %(organization_id)s")
        values = _values(wanted, limit, before) | {"organization_id": organization_id}
        return [AuditEntry(*row) for row in await self._reading.rows(sight, query, values)]

    async def of_instance(self, wanted: AuditFilter, limit: int, before: int) -> list[AuditEntry]:
        """A page of what concerns no organization: accounts, keys, sign-ins."""
        query = NEWEST.format(where="organization_id IS NULL")
        return [AuditEntry(*row) for row in await self._database.at_once(query, _values(wanted, limit, before))]


def _values(wanted: AuditFilter, limit: int, before: int) -> dict[str, Any]:
    return {
        "before": before, "limit": limit, "action": wanted.action, "actor_id": wanted.actor_id, "since": wanted.since,
        "until": wanted.until,
    }  # fmt: skip
