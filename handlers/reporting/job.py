"""The job that writes a report, as whoever asks for it puts it. Nothing heavy is imported here."""

import hashlib
from dataclasses import dataclass

from handlers.put_jobs import OwnJob
from storage.analyses import AnalysisRecord
from storage.reports import ReportRecord


@dataclass(frozen=True, slots=True)
class Request:
    """What the job is given. Ids are ours; `format` is the name of one of `REPORTS`."""

    delivery_id: str
    organization_id: int
    analysis_id: int
    format: str


def made_of(analysis: AnalysisRecord) -> str:
    """Stands for all that may change of an analysis that has ended: a report that was made of something else is made again."""
    return _digest(analysis.title, str(analysis.finished_at))


def report_job(analysis: AnalysisRecord, format: str, before: ReportRecord | None) -> OwnJob:
    """The job that makes it in place of the one that there was before. Asked for by many at once it is put once."""
    occasion = _digest(made_of(analysis), "" if before is None else str(before.updated_at))
    arguments = {"organization_id": analysis.organization_id, "analysis_id": analysis.id, "format": format}
    id = f"report-{analysis.id}-{format}-{occasion}"
    return OwnJob(id, "write_report", arguments, owner_id=analysis.organization_id, repository_id=analysis.repository_id)


def topic_of(job_id: str) -> str:
    """Under which a report's job tells live that it has ended. Each job has its own: an earlier one's end is none of this."""
    return f"report:{job_id}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
