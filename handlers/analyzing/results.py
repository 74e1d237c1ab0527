"""What an analysis found, in the form that people and programs are given: in the API's answers and in live events alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from review.secrets.blank import blank_secrets
from storage.analyses import AnalysisRecord, NumberedFinding


class Form(BaseModel):
    """A part of the results."""

    model_config = ConfigDict(frozen=True)


class Place(Form):
    """Whole lines of a file, 1-based and inclusive."""

    file: str
    line: int
    end_line: int


class Issue(Form):
    """One finding. `id` is its name within the analysis, `type` its category; `side` is LEFT for code that the change deletes.

    `suggestion` is the text that mends it, tried and found to hold, in place of the lines in `suggestion_lines` (first and
    last): null where there is none. `cites` are places outside of the change that it depends on.
    """

    id: str
    type: str
    severity: str
    file: str
    line: int
    end_line: int
    side: str
    message: str
    suggestion: str | None
    suggestion_lines: tuple[int, int] | None
    rule: str
    source: str
    confidence: float
    quote: str
    fingerprint: str
    cites: list[Place]


class Metrics(Form):
    """Figures of the files that were read, as docs/score.md explains; null where there was no code to count."""

    lines_of_code: int | None
    complexity: float | None
    maintainability: float | None
    highest_complexity: int | None
    files: int | None
    files_with_code: int | None
    by_lines_only: dict[str, int]
    worst_files: list[dict[str, Any]]


class SkippedFile(Form):
    file: str
    because: str


class Coverage(Form):
    """What was looked at, and what was not and why. `partial`: something that should have looked did not."""

    read: list[str]
    skipped: list[SkippedFile]
    analyzers: list[str]
    models: list[str]
    notes: list[str]
    changed_lines: int
    partial: bool


class Cost(Form):
    """What the models of this analysis took. `cost` is in US dollars, without the calls to models whose price is not known."""

    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: float
    unpriced_models: list[str]


class Results(Form):
    """All that came of an analysis. `overall_score` is null where there was neither code nor a finding; `dropped` counts the
    findings that are not among the issues, by the reason."""

    overall_score: float | None
    issues: list[Issue]
    severities: dict[str, int]
    metrics: Metrics
    coverage: Coverage
    dropped: dict[str, int]
    usage: Cost


def results_of(record: AnalysisRecord, findings: Sequence[NumberedFinding], dropped: Mapping[str, int]) -> Results:
    """The results of a finished analysis."""
    kept = record.record
    return Results(
        overall_score=record.score,
        issues=[issue_of(numbered) for numbered in findings],
        severities=record.severities,
        metrics=_metrics(record.metrics),
        coverage=Coverage(
            read=kept.get("read", []),
            skipped=[SkippedFile(file=one["path"], because=one["because"]) for one in kept.get("skipped", [])],
            analyzers=kept.get("analyzers", []),
            models=kept.get("models", []),
            notes=kept.get("notes", []),
            changed_lines=record.changed_lines,
            partial=record.partial,
        ),
        dropped=dict(dropped),
        usage=_cost(kept.get("usage", [])),
    )


def issue_of(numbered: NumberedFinding) -> Issue:
    """A finding in the form that the API gives."""
    finding, suggestion = numbered.finding, numbered.finding.verified_suggestion
    return Issue(
        id=numbered.issue,
        type=finding.category,
        severity=finding.severity,
        file=finding.path,
        line=finding.location.first_line,
        end_line=finding.location.last_line,
        side=finding.location.side,
        message=blank_secrets(finding.message),
        suggestion=suggestion.replacement if suggestion else None,
        suggestion_lines=(suggestion.first_line, suggestion.last_line) if suggestion else None,
        rule=finding.rule,
        source=finding.source,
        confidence=finding.confidence,
        quote=blank_secrets(finding.quote),
        fingerprint=finding.fingerprint,
        cites=[Place(file=place.path, line=place.first_line, end_line=place.last_line) for place in finding.cites],
    )


def _metrics(kept: Mapping[str, Any]) -> Metrics:
    return Metrics(
        lines_of_code=kept.get("lines_of_code"),
        complexity=kept.get("complexity"),
        maintainability=kept.get("maintainability"),
        highest_complexity=kept.get("highest_complexity"),
        files=kept.get("files"),
        files_with_code=kept.get("files_with_code"),
        by_lines_only=kept.get("by_lines_only", {}),
        worst_files=kept.get("worst_files", []),
    )


def _cost(calls: Sequence[Mapping[str, Any]]) -> Cost:
    """The sums over these calls. Those of analyses that are older than the prices have none."""
    unpriced = {f"{call['provider']} {call['model']}" for call in calls if call.get("cost") is None}
    return Cost(
        calls=len(calls),
        input_tokens=sum(call["input_tokens"] for call in calls),
        cached_tokens=sum(call["cached_tokens"] for call in calls),
        output_tokens=sum(call["output_tokens"] for call in calls),
        cost=round(sum(call.get("cost") or 0.0 for call in calls), 6),
        unpriced_models=sorted(unpriced),
    )
