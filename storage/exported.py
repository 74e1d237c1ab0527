"""The rows of exports, read through a cursor of the server's: as many as there are, a page of them in memory."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, LiteralString

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight

Kind = Literal["analyses", "findings", "usage", "audit"]
PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Table:
    """What is read for one kind: the names of the columns, and the query that gives them. `filters` are those it knows."""

    columns: tuple[str, ...]
    query: LiteralString
    filters: frozenset[str]


ANALYSES = Table(
    ("id", "created_at", "started_at", "finished_at", "status", "subject", "repository", "pull_request", "ref", "head_sha",
     "upload_id", "analysis_type", "title", "tags", "score", "severities", "metrics", "changed_lines", "partial", "error",
     "requested_by"),
    """
SELECT a.id, a.created_at, a.started_at, a.finished_at, a.status, a.subject, r.full_name, a.number, a.ref, a.head_sha,
       a.upload_id, a.analysis_type, a.title, a.tags, a.score, a.severities, a.metrics, a.changed_lines, a.partial, a.error,
       a.requested_by
FROM analyses AS a LEFT JOIN repositories AS r ON r.id = a.repository_id
WHERE a.organization_id = %(organization)s
  AND (%(since)s::timestamptz IS NULL OR a.created_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR a.created_at < %(until)s)
  AND (%(repository_id)s::bigint IS NULL OR a.repository_id = %(repository_id)s)
  AND (%(status)s::text IS NULL OR a.status = %(status)s)
ORDER BY a.id DESC
""",
    frozenset({"repository_id", "status"}),
)  # fmt: skip

FINDINGS = Table(
    ("analysis_id", "created_at", "repository", "pull_request", "issue", "severity", "category", "file", "first_line",
     "last_line", "rule", "source", "message", "confidence", "fingerprint"),
    """
SELECT a.id, a.created_at, r.full_name, a.number, f.issue, f.severity, f.category, f.path, f.first_line, f.last_line, f.rule,
       f.source, f.message, f.confidence, f.fingerprint
FROM analyses AS a JOIN findings AS f ON f.analysis_id = a.id LEFT JOIN repositories AS r ON r.id = a.repository_id
WHERE a.organization_id = %(organization)s AND f.dropped_because IS NULL
  AND (%(since)s::timestamptz IS NULL OR a.created_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR a.created_at < %(until)s)
  AND (%(repository_id)s::bigint IS NULL OR a.repository_id = %(repository_id)s)
  AND (%(severity)s::text IS NULL OR f.severity = %(severity)s)
  AND (%(category)s::text IS NULL OR f.category = %(category)s)
ORDER BY a.id DESC, f.id
""",
    frozenset({"repository_id", "severity", "category"}),
)  # fmt: skip

USAGE = Table(
    ("day", "repository", "provider", "model", "calls", "input_tokens", "cached_tokens", "output_tokens", "cost"),
    """
SELECT u.day, r.full_name, u.provider, u.model, u.calls, u.input_tokens, u.cached_tokens, u.output_tokens, u.cost
FROM usage_days AS u LEFT JOIN repositories AS r ON r.id = u.scope
WHERE u.organization_id = %(organization)s
  AND (%(since)s::timestamptz IS NULL OR u.day >= (%(since)s::timestamptz AT TIME ZONE 'UTC')::date)
  AND (%(until)s::timestamptz IS NULL OR u.day < %(until)s::timestamptz AT TIME ZONE 'UTC')
  AND (%(repository_id)s::bigint IS NULL OR u.scope = %(repository_id)s)
ORDER BY u.day DESC, r.full_name, u.provider, u.model
""",
    frozenset({"repository_id"}),
)

AUDIT = Table(
    ("id", "at", "actor", "actor_id", "action", "subject", "details", "address", "request_id"),
    """
SELECT id, at, actor, actor_id, action, subject, details, address, request_id FROM audit_logs
WHERE organization_id = %(organization)s
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
  AND (%(action)s::text IS NULL OR action = %(action)s)
ORDER BY id DESC
""",
    frozenset({"action"}),
)

TABLES: dict[Kind, Table] = {"analyses": ANALYSES, "findings": FINDINGS, "usage": USAGE, "audit": AUDIT}
FILTERS = ("since", "until", *sorted(frozenset().union(*(table.filters for table in TABLES.values()))))
"""All filters: times, which every kind knows, then the others."""


async def rows(
    reading: Reading, sight: Sight, organization_id: int, kind: Kind, filters: Mapping[str, Any]
) -> AsyncGenerator[list[tuple[Any, ...]]]:
    """Pages of what that sight shows of the organization. Close it when you break off (`aclosing`). Raises Away."""
    values = {name: filters.get(name) for name in FILTERS} | {"organization": organization_id}
    async with reading.of(sight.within([organization_id])) as connection, connection.cursor("export") as cursor:
        await cursor.execute(TABLES[kind].query, values)
        while page := await cursor.fetchmany(PAGE):
            yield page
