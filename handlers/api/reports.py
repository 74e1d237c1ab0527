"""Reports of analyses: made by a job when they are first asked for, kept, and given out as files."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from starlette.responses import Response

from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.files import file_answer
from handlers.api.forms import Data, Nothing, Query
from handlers.api.problem import Code, Problem, not_found
from handlers.put_jobs import put_own_jobs
from handlers.reporting.job import made_of, report_job, topic_of
from review.reports import REPORTS
from review.reports.report import Report
from storage.analyses import AnalysisRecord
from storage.objects import NotThere
from storage.reports import ReportRecord

PATIENCE = 20.0
"""Seconds that a request waits for the job that it put, before it is told to come again."""

FAILED_STANDS = timedelta(minutes=10)
"""How long a report that could not be made is not tried again."""

BY_NAME: dict[str, Report] = {report.name: report for report in REPORTS}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "private, no-cache",
}
"""A report is saved, not shown; where it is shown all the same, it is nothing but a page."""


class ReportQuery(Query):
    """HTML and PDF are for people, Markdown for tickets and mails, SARIF for editors and code scanning, JSON for scripts."""

    format: Literal["html", "pdf", "markdown", "sarif", "json"] = "html"


class ReportState(Data):
    """A report that is being made: ask again after the seconds in Retry-After."""

    analysis_id: int
    format: str
    state: Literal["queued"] = "queued"


async def report(asked: Asked[Nothing, ReportQuery]) -> Answer | Response:
    """The report as a file; or, where it takes long to make, that it is being made."""
    analysis = await asked.services.analyses.get(asked.caller.sight, asked.path["id"])
    if analysis is None:
        raise not_found("analysis")
    if analysis.status != "completed":
        raise Problem(
            Code.ILLEGAL_STEP,
            f"The analysis is {analysis.status}: there is a report once it is completed.",
            {"status": analysis.status, "legal": []},
        )
    format = asked.query.format
    before = await asked.services.reports.get(asked.caller.sight, analysis.id, format)
    if file := await _file(asked, analysis, before):
        return file
    return await _made(asked, analysis, before)


async def _made(asked: Asked[Nothing, ReportQuery], analysis: AnalysisRecord, before: ReportRecord | None) -> Answer | Response:
    """Have it made, and wait for it some time."""
    services, format = asked.services, asked.query.format
    job = report_job(analysis, format, before)
    await put_own_jobs(services.deliveries, services.queue, [job])
    await services.live.ending(topic_of(job.id), PATIENCE)
    now = await services.reports.for_job(analysis.organization_id, analysis.id, format)
    if now != before and (file := await _file(asked, analysis, now)):
        return file
    state = ReportState(analysis_id=analysis.id, format=format)
    return Answer(state, "The report is being made: ask again.", status=202, headers={"Retry-After": "2"})


async def _file(asked: Asked[Nothing, ReportQuery], analysis: AnalysisRecord, kept: ReportRecord | None) -> Response | None:
    """The report where it was made of the analysis as it is now, and is still there. Raises Problem where it cannot be made."""
    if kept is None or kept.made_of != made_of(analysis):
        return None
    if kept.state == "failed":
        if datetime.now(UTC) - kept.updated_at < FAILED_STANDS:
            raise Problem(Code.CONFLICT, kept.error)
        return None
    tag = f'"{kept.made_of}-{int(kept.updated_at.timestamp() * 1000)}"'
    if tag in asked.request.headers.get("if-none-match", ""):
        return Response(None, 304, {"ETag": tag})
    kind, name = BY_NAME[asked.query.format], f"refactoriq-analysis-{analysis.id}"
    try:
        pieces = asked.services.objects.stream(kept.object_key)
        return await file_answer(pieces, f"{name}.{kind.ending}", kind.media_type, kept.size, HEADERS | {"ETag": tag})
    except NotThere:
        return None


ENDPOINTS = (
    Endpoint(
        "GET", "/analyses/{id}/report", "analysis.report", "The report of an analysis", report, Needs.ACCOUNT,
        query=ReportQuery, data=ReportState, also=(202,), gives=tuple(one.media_type for one in REPORTS),
        codes=(Code.ILLEGAL_STEP, Code.CONFLICT),
    ),
)  # fmt: skip
