"""An analysis as it was kept, put together again for its report."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from review.analysis import Analysis, ContextPlace, Dropped, Skipped, Usage
from review.reports.report import Reported
from storage.analyses import AnalysisRecord, NumberedFinding

T = TypeVar("T")


def reported_of(record: AnalysisRecord, found: Sequence[NumberedFinding], dropped: Sequence[Dropped]) -> Reported:
    """The analysis for its report. The diff was not kept."""
    return Reported(
        _analysis(record, found, dropped),
        title=record.title,
        subject=subject_of(record),
        finished_at=record.finished_at,
        issues=tuple(numbered.issue for numbered in found),
        score=record.score,
        metrics=record.metrics,
    )


def subject_of(record: AnalysisRecord) -> str:
    """What was looked at, as people say: `octo/hello#7`, `octo/hello at main`, `upload 3`."""
    name = record.repository or "a repository that is gone"
    match record.subject:
        case "pull_request":
            return f"{name}#{record.number}"
        case "repository":
            return f"{name} at {record.ref}" if record.ref else name
    return f"upload {record.upload_id}"


def _analysis(record: AnalysisRecord, found: Sequence[NumberedFinding], dropped: Sequence[Dropped]) -> Analysis:
    kept = record.record
    return Analysis(
        head_sha=record.head_sha,
        findings=tuple(numbered.finding for numbered in found),
        dropped=tuple(dropped),
        read=tuple(kept.get("read", ())),
        skipped=_values(Skipped, kept.get("skipped", ())),
        analyzers=tuple(kept.get("analyzers", ())),
        models=tuple(kept.get("models", ())),
        usage=_values(Usage, kept.get("usage", ())),
        notes=tuple(kept.get("notes", ())),
        timings=kept.get("timings", {}),
        context=_values(ContextPlace, kept.get("context", ())),
        no_context=kept.get("no_context", ""),
        changed_lines=record.changed_lines,
        partial=record.partial,
    )


def _values(kind: type[T], rows: Sequence[dict[str, Any]]) -> tuple[T, ...]:
    """Each row as such a value; what else was kept of it is for others."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return tuple(kind(**{name: value for name, value in row.items() if name in names}) for row in rows)
