"""Write down what came of an analysis: what was looked at, found and dropped, how good it is, and what it cost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb

from review.analysis import Analysis, Usage
from review.finding import Finding
from review.models.prices import cost
from storage.database import Connection, plain, plain_json

FINISHED = """
INSERT INTO analyses (organization_id, repository_id, number, head_sha, changed_lines, partial, record, score, metrics,
                      severities, finished_at)
VALUES (%(organization_id)s, %(repository_id)s, %(number)s, %(head_sha)s, %(changed_lines)s, %(partial)s, %(record)s, %(score)s,
        %(metrics)s, %(severities)s, now())
RETURNING id
"""

FINDING = """
INSERT INTO findings (organization_id, analysis_id, issue, fingerprint, path, side, first_line, last_line, severity, category,
                      source, rule, message, quote, confidence, suggestion, cites, dropped_because)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

# In the order of their keys, always: two analyses that end at once would otherwise wait for each other's rows forever.
USED = """
INSERT INTO usage_days (organization_id, scope, day, provider, model, calls, input_tokens, cached_tokens, output_tokens, cost)
VALUES (%s, %s, (now() AT TIME ZONE 'UTC')::date, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (organization_id, scope, day, provider, model) DO UPDATE
SET calls = usage_days.calls + excluded.calls, input_tokens = usage_days.input_tokens + excluded.input_tokens,
    cached_tokens = usage_days.cached_tokens + excluded.cached_tokens,
    output_tokens = usage_days.output_tokens + excluded.output_tokens, cost = usage_days.cost + excluded.cost
"""

IN_THE_RECORD = ("read", "skipped", "analyzers", "models", "notes", "context", "no_context", "timings")


@dataclass(frozen=True, slots=True)
class Measured:
    """How good the files are that were looked at: the overall score (None where there was nothing to score), and the
    metrics as plain JSON (`review.score.as_record`)."""

    score: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)


NOT_MEASURED = Measured()


def outcome(analysis: Analysis, measured: Measured) -> dict[str, Any]:
    """What is written of it into its row, by column."""
    whole = asdict(analysis)
    record = {name: whole[name] for name in IN_THE_RECORD} | {"usage": [_with_cost(usage) for usage in analysis.usage]}
    return {
        "head_sha": analysis.head_sha,
        "changed_lines": analysis.changed_lines,
        "partial": analysis.partial,
        "record": Jsonb(plain_json(record)),
        "score": measured.score,
        "metrics": Jsonb(plain_json(measured.metrics)),
        "severities": Jsonb(Counter(finding.severity.value for finding in analysis.findings)),
    }


async def keep_analysis(
    connection: Connection,
    organization_id: int,
    repository_id: int,
    number: int | None,
    analysis: Analysis,
    measured: Measured = NOT_MEASURED,
) -> int:
    """Write a finished analysis of a pull request with its findings, posted or dropped, and what it cost, within the
    caller's transaction; gives its id."""
    whose = {"organization_id": organization_id, "repository_id": repository_id, "number": number}
    cursor = await connection.execute(FINISHED, whose | outcome(analysis, measured))
    inserted = await cursor.fetchone()
    assert inserted is not None  # noqa: S101  (an insert returns its row)
    await keep_findings(connection, organization_id, int(inserted[0]), analysis)
    await keep_usage(connection, organization_id, repository_id, analysis.usage)
    return int(inserted[0])


async def keep_findings(connection: Connection, organization_id: int, analysis_id: int, analysis: Analysis) -> None:
    """Write the findings: those that stand by their names within the analysis, the dropped ones with their reasons."""
    rows = [_values(organization_id, analysis_id, issue, finding, None) for issue, finding in named(analysis.findings)]
    rows += [_values(organization_id, analysis_id, "", dropped.finding, dropped.because) for dropped in analysis.dropped]
    async with connection.cursor() as many:
        await many.executemany(FINDING, rows)


def named(findings: Iterable[Finding]) -> list[tuple[str, Finding]]:
    """Each with its name: the category and its number there, in the order given: `security-001`."""
    numbers: dict[str, int] = defaultdict(int)
    result = []
    for finding in findings:
        numbers[finding.category.value] += 1
        result.append((f"{finding.category.value}-{numbers[finding.category.value]:03}", finding))
    return result


async def keep_usage(connection: Connection, organization_id: int, repository_id: int | None, usages: Sequence[Usage]) -> None:
    """Add these calls to what the models cost today. A model whose price nobody knows adds its tokens and no money."""
    by_model: dict[tuple[str, str], list[Usage]] = defaultdict(list)
    for usage in usages:
        by_model[plain(usage.provider), plain(usage.model)].append(usage)
    rows = [
        (
            organization_id, repository_id or 0, *model, len(calls), sum(call.input_tokens for call in calls),
            sum(call.cached_tokens for call in calls), sum(call.output_tokens for call in calls),
            sum((cost(call) or Decimal(0) for call in calls), Decimal(0)),
        )
        for model, calls in sorted(by_model.items())
    ]  # fmt: skip
    async with connection.cursor() as many:
        await many.executemany(USED, rows)


def _with_cost(usage: Usage) -> dict[str, Any]:
    """The call as it is recorded: `cost` in US dollars, null where nobody knows the model's price."""
    spent = cost(usage)
    return asdict(usage) | {"cost": None if spent is None else float(spent)}


def _values(organization_id: int, analysis_id: int, issue: str, finding: Finding, because: str | None) -> tuple[Any, ...]:
    place = finding.location
    cites = Jsonb(plain_json([asdict(cited) for cited in finding.cites]))
    suggestion = None if finding.suggestion is None else Jsonb(plain_json(asdict(finding.suggestion)))
    return (
        organization_id, analysis_id, issue, finding.fingerprint, plain(place.path), place.side.value,
        place.first_line, place.last_line,
        finding.severity.value, finding.category.value, plain(finding.source), plain(finding.rule), plain(finding.message),
        plain(finding.quote), finding.confidence, suggestion, cites, None if because is None else plain(because),
    )  # fmt: skip
