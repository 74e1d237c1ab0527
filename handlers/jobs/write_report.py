"""Write an analysis' report in one format, and keep it in the object store."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from handlers.context import Context
from handlers.reporting.job import Request, made_of, topic_of
from handlers.reporting.reported import reported_of
from review.errors import Superseded, UserError
from review.reports import REPORTS
from storage.analyses import AnalysisRecord


async def write_report(context: Context, arguments: Mapping[str, Any]) -> str:
    """Make the report; gives the outcome as a sentence. Raises TryAgain, Superseded when its analysis is gone, UserError.

    Whoever makes it twice makes the same.
    """
    request = msgspec.convert(arguments, Request)
    structlog.contextvars.bind_contextvars(delivery=request.delivery_id, analysis=request.analysis_id, format=request.format)
    analysis = await context.analyses.for_job(request.organization_id, request.analysis_id)
    if analysis is None or analysis.status != "completed":
        raise Superseded("There is no such completed analysis any more.")
    try:
        size = await _made(context, request, analysis)
    except UserError as error:
        await context.reports.failed(analysis.organization_id, analysis.id, request.format, made_of(analysis), str(error))
        await _tell(context, request, "failed")
        raise
    await _tell(context, request, "ready")
    return f"The report was written: {size:,} bytes."


async def _made(context: Context, request: Request, analysis: AnalysisRecord) -> int:
    """Its size in bytes. Raises UserError where it cannot be made, Superseded."""
    report = next((report for report in REPORTS if report.name == request.format), None)
    if report is None:
        raise UserError(f"No worker here writes reports as `{request.format}`: update the workers, then retry it.")
    found = await context.analyses.findings_for_job(analysis.organization_id, analysis.id)
    dropped = await context.reports.dropped(analysis.organization_id, analysis.id)
    document = await asyncio.to_thread(report.write, reported_of(analysis, found, dropped))
    key = f"analyses/{analysis.id}/report.{report.ending}"
    size = await context.objects.put(key, document)
    if not await context.reports.ready(analysis.organization_id, analysis.id, report.name, made_of(analysis), key, size):
        await context.objects.delete(key)
        raise Superseded("The analysis was removed meanwhile.")
    return size


async def _tell(context: Context, request: Request, state: str) -> None:
    event = {"type": "complete", "analysis_id": request.analysis_id, "format": request.format, "state": state}
    await context.live.tell(topic_of(request.delivery_id), event, last=True)
