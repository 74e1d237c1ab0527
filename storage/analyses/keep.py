"""Analyses remembered: what was looked at, what was found, what was dropped and why, what it cost."""

from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb

from review.analysis import Analysis
from review.finding import Finding
from storage.database import Connection, plain, plain_json

FINDING = """
INSERT INTO findings (organization_id, analysis_id, fingerprint, path, side, first_line, last_line, severity, category, source,
                      rule, message, quote, confidence, suggestion, cites, dropped_because)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

IN_THE_RECORD = ("read", "skipped", "analyzers", "models", "usage", "notes", "context", "no_context", "timings")


async def keep_analysis(
    connection: Connection, organization_id: int, repository_id: int, number: int | None, analysis: Analysis
) -> int:
    """Write the analysis and its findings, posted or dropped, within the caller's transaction; gives its id."""
    whole = asdict(analysis)
    record = Jsonb(plain_json({name: whole[name] for name in IN_THE_RECORD}))
    cursor = await connection.execute(
        "INSERT INTO analyses (organization_id, repository_id, number, head_sha, changed_lines, partial, record)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (organization_id, repository_id, number, analysis.head_sha, analysis.changed_lines, analysis.partial, record),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  (an insert returns its row)
    analysis_id = int(row[0])
    rows = [_values(organization_id, analysis_id, finding, None) for finding in analysis.findings]
    rows += [_values(organization_id, analysis_id, dropped.finding, dropped.because) for dropped in analysis.dropped]
    async with connection.cursor() as many:
        await many.executemany(FINDING, rows)
    return analysis_id


CITED = """
SELECT count(*) FILTER (WHERE (place ->> 'posted')::boolean), count(*)
FROM analyses, jsonb_array_elements(record -> 'context') AS place
WHERE created_at > now() - make_interval(days => %s)
"""


async def cited_places(connection: Connection, days: int) -> tuple[int, int]:
    """Of the places that models were shown beyond the change in these days: how many a posted finding cites, and how many
    there were. The tenant's of the transaction; their share is what retrieval is worth."""
    cursor = await connection.execute(CITED, (days,))
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  (an aggregate is one row)
    return int(row[0]), int(row[1])


def _values(organization_id: int, analysis_id: int, finding: Finding, because: str | None) -> tuple[Any, ...]:
    place = finding.location
    cites = Jsonb(plain_json([asdict(cited) for cited in finding.cites]))
    suggestion = None if finding.suggestion is None else Jsonb(plain_json(asdict(finding.suggestion)))
    return (
        organization_id, analysis_id, finding.fingerprint, plain(place.path), place.side.value,
        place.first_line, place.last_line,
        finding.severity.value, finding.category.value, plain(finding.source), plain(finding.rule), plain(finding.message),
        plain(finding.quote), finding.confidence, suggestion, cites, None if because is None else plain(because),
    )  # fmt: skip
