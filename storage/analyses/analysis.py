"""The values of remembered analyses: one row as it stands, its findings by their names, and what is asked for."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from review.finding import Category, Finding, Location, Severity, Side, Suggestion, Verdict

Subject = Literal["pull_request", "upload", "repository"]
AnalysisType = Literal["full", "security", "performance", "style", "refactoring"]
Status = Literal["queued", "running", "completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """An analysis as it stands. Ids are ours; `repository` is `owner/name`, `number` the pull request's, `ref` what was
    asked for where it is of a repository, `head_sha` the commit that was read.

    `record` holds what `Analysis` says besides findings (read, skipped, analyzers, models, usage, notes, timings …); in
    lists it is empty. `error` is a sentence. `score` is None until there is one.
    """

    id: int
    organization_id: int
    repository_id: int | None
    repository: str | None
    subject: Subject
    upload_id: int | None
    number: int | None
    ref: str
    head_sha: str
    analysis_type: AnalysisType
    options: dict[str, bool]
    title: str
    tags: tuple[str, ...]
    status: Status
    progress: int
    message: str
    error: str
    score: float | None
    metrics: dict[str, Any]
    severities: dict[str, int]
    changed_lines: int
    partial: bool
    requested_by: int | None
    estimated_seconds: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether nothing more is going to happen to it."""
        return self.status in ("completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class NumberedFinding:
    """A finding by its name within its analysis, as `security-001`."""

    issue: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class WholeAnalysis:
    """An analysis with what it found, worst first, and how many findings were dropped, by the reason."""

    record: AnalysisRecord
    findings: list[NumberedFinding]
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True)
class SeenRepository:
    """A repository that somebody names to have it analyzed. Ids are ours."""

    id: int
    organization_id: int
    full_name: str


@dataclass(frozen=True, slots=True)
class WantedAnalysis:
    """What somebody asks for. Ids are ours. Of `upload_id`, `number` and `ref` those are set that go with the subject."""

    organization_id: int
    subject: Subject
    repository_id: int | None = None
    upload_id: int | None = None
    number: int | None = None
    ref: str = ""
    analysis_type: AnalysisType = "full"
    options: dict[str, bool] = field(default_factory=dict)
    title: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimedAnalysis:
    """An analysis that is ours to run, as long as its `tries` are these."""

    record: AnalysisRecord
    tries: int

    @property
    def id(self) -> int:
        return self.record.id

    @property
    def organization_id(self) -> int:
        return self.record.organization_id


COLUMNS = """
a.id, a.organization_id, a.repository_id,
(SELECT full_name FROM repositories AS r WHERE r.id = a.repository_id) AS repository,
a.subject, a.upload_id, a.number, a.ref, a.head_sha, a.analysis_type, a.options, a.title, a.tags, a.status, a.progress,
a.message, a.error, a.score, a.metrics, a.severities, a.changed_lines, a.partial, a.requested_by, a.estimated_seconds,
a.created_at, a.started_at, a.finished_at
"""
"""Of `analyses AS a`, in the order of the record's fields, the last one aside."""

FINDING_COLUMNS = """
issue, path, first_line, last_line, side, suggestion, cites, rule, severity, category, message, source, confidence, quote,
fingerprint
"""


NAMES = tuple(field.name for field in fields(AnalysisRecord))


def read_record(row: tuple[Any, ...]) -> AnalysisRecord:
    """The record in a row of COLUMNS, with `a.record` behind them or without."""
    values = dict(zip(NAMES, row, strict=False))
    return AnalysisRecord(**values | {"tags": tuple(values["tags"])})


def read_finding(row: tuple[Any, ...]) -> NumberedFinding:
    """The finding in a row of FINDING_COLUMNS."""
    issue, path, first, last, side, suggestion, cites, rule, severity, category, message, source, confidence, quote, own = row
    finding = Finding(
        rule, Location(path, first, last, Side(side)), Severity(severity), Category(category), message, source, confidence,
        quote=quote,
        suggestion=None if suggestion is None else Suggestion(**{**suggestion, "verdict": Verdict(suggestion["verdict"])}),
        fingerprint=own,
        cites=tuple(Location(**{**cited, "side": Side(cited["side"])}) for cited in cites),
    )  # fmt: skip
    return NumberedFinding(issue, finding)
