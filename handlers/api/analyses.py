"""Analyses: asked for, listed, looked at, changed, cancelled and removed."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from handlers.analyzing.job import failure_event, job_of, topic_of
from handlers.analyzing.results import Results, results_of
from handlers.api.analysis_forms import (
    AnalysisChange,
    AnalysisDetail,
    AnalysisQuery,
    AnalysisQueued,
    AnalysisSummary,
    AnalysisWanted,
    summary,
)
from handlers.api.cursor import cut, decode
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs, Pace
from handlers.api.forms import Nothing, Page
from handlers.api.problem import Code, Problem, not_found
from handlers.api.services import Services
from handlers.put_jobs import own_delivery, queue_own_jobs
from storage.accounts.sight import Sight
from storage.analyses import AnalysisFilter, AnalysisRecord, WantedAnalysis
from storage.analyses.pages import SORTS
from storage.installations import Installed
from storage.objects import StoreAway

DEFAULT_SECONDS = {"upload": 20.0, "pull_request": 40.0, "repository": 90.0}
"""What an analysis is estimated to take where none like it was done yet."""

CACHED_SECONDS = 3600.0
"""How long the results of a finished analysis are kept at hand. They never change; who may see them is asked each time."""


async def create(asked: Asked[AnalysisWanted, Nothing]) -> Answer:
    """An analysis is queued; a worker runs it."""
    wanted, installed = await _wanted(asked)
    asked.must_hold(wanted.organization_id)
    record = await asked.services.analyses.asked.ask(
        wanted,
        DEFAULT_SECONDS[wanted.subject],
        asked.act,
        lambda id: own_delivery(job_of(wanted.organization_id, id, installed)),
    )
    await queue_own_jobs(asked.services.queue, [job_of(record.organization_id, record.id, installed)])
    queued = AnalysisQueued(
        analysis_id=record.id,
        status=record.status,
        estimated_time=round(record.estimated_seconds or 0.0, 1),
        organization_id=record.organization_id,
        subject=record.subject,
        events=f"/ws/analysis/{record.id}",
    )
    return Answer(queued, "Queued.", headers={"Location": f"/api/v1/analyses/{record.id}"})


async def _wanted(asked: Asked[AnalysisWanted, Nothing]) -> tuple[WantedAnalysis, Installed | None]:
    """What is asked for, as far as the caller may see it, and how its repository is reached. Raises Problem."""
    body, services, sight = asked.body, asked.services, asked.caller.sight
    how: dict[str, Any] = {
        "subject": body.subject,
        "analysis_type": body.analysis_type,
        "options": body.options.given,
        "title": body.title,
        "tags": tuple(dict.fromkeys(body.tags)),
    }
    if body.upload_id is not None:
        upload = await services.uploads.get(sight, body.upload_id)
        if upload is None:
            raise not_found("upload")
        return WantedAnalysis(upload.organization_id, upload_id=upload.id, **how), None
    seen = await services.analyses.repository(sight, body.repository_id, body.repository)
    if seen is None:
        raise not_found("repository")
    installed = await services.installations.of_repository(seen.id)
    if installed is None:
        raise Problem(Code.CONFLICT, "The app does not reach this repository any more: install it there, or resume it.")
    number, ref = body.pull_request, body.ref or ""
    return WantedAnalysis(seen.organization_id, repository_id=seen.id, number=number, ref=ref, **how), installed


async def list_analyses(asked: Asked[Nothing, AnalysisQuery]) -> Answer:
    """A page of the analyses that the caller may see, those of pull requests that the app reviewed by itself included."""
    query = asked.query
    by = SORTS[query.sort][0]
    after = None if query.cursor is None else decode(query.cursor, (float if by == "score" else datetime, int))
    wanted = AnalysisFilter(**{name: getattr(query, name) for name in AnalysisFilter.__dataclass_fields__})
    found = await asked.services.analyses.page(asked.caller.sight, wanted, query.sort, query.limit + 1, after)
    items, more = cut(query, found, lambda record: [getattr(record, by), record.id])
    return Answer(Page[AnalysisSummary](items=[summary(record) for record in items], next_cursor=more))


async def read(asked: Asked[Nothing, Nothing]) -> Answer:
    """One analysis, with its results once it is completed."""
    record = await _record(asked)
    found = await results(asked.services, asked.caller.sight, record)
    return Answer(AnalysisDetail(**summary(record).model_dump(), results=found))


async def change(asked: Asked[AnalysisChange, Nothing]) -> Answer:
    """Another title, other tags; or nobody wants it any more."""
    record, body = await _record(asked), asked.body
    asked.must_hold(record.organization_id, made_by=record.requested_by)
    analyses = asked.services.analyses.asked
    if body.status == "cancelled" and not await analyses.cancel(record.organization_id, record.id, asked.act):
        raise Problem(
            Code.ILLEGAL_STEP,
            "The analysis has ended: only one that is queued or running can be cancelled.",
            {"status": record.status, "legal": []},
        )
    if body.status == "cancelled":
        await _tell_end(asked.services, record, "cancelled", "The analysis was cancelled.")
    changed = await analyses.change(record.organization_id, record.id, asked.act, title=body.title, tags=body.tags)
    if changed is None:
        raise not_found("analysis")
    return Answer(summary(changed), "Cancelled." if body.status else "Changed.")


async def delete(asked: Asked[Nothing, Nothing]) -> Answer:
    """The analysis is gone, with its findings, reports and proposals; one that runs is ended."""
    record, services = await _record(asked), asked.services
    asked.must_hold(record.organization_id, made_by=record.requested_by)
    if not await services.analyses.asked.delete(record.organization_id, record.id, asked.act):
        raise not_found("analysis")
    await services.cache.drop(f"analysis:{record.id}")
    if not record.ended:
        await _tell_end(services, record, "removed", "The analysis was removed.")
    with suppress(StoreAway):  # what belongs to nothing is cleaned up later
        await services.objects.delete_under(f"analyses/{record.id}")
    return Answer(Nothing(), "Deleted.")


async def results(services: Services, sight: Sight, record: AnalysisRecord) -> Results | None:
    """What a completed analysis found; None for any other. `record` was seen by that sight just now."""
    if record.status != "completed":
        return None
    key = f"analysis:{record.id}"
    cached = await services.cache.get(key)
    with suppress(ValidationError):  # one that an older version of us put there is none
        if cached is not None:
            return Results.model_validate_json(cached)
    whole = await services.analyses.whole(sight, record.id)
    if whole is None:
        raise not_found("analysis")
    found = results_of(whole.record, whole.findings, whole.dropped)
    await services.cache.put(key, found.model_dump_json().encode(), CACHED_SECONDS)
    return found


async def _record(asked: Asked[Any, Any]) -> AnalysisRecord:
    record = await asked.services.analyses.get(asked.caller.sight, asked.path["id"])
    if record is None:
        raise not_found("analysis")
    return record


async def _tell_end(services: Services, record: AnalysisRecord, code: str, message: str) -> None:
    await services.live.tell(topic_of(record.id), failure_event(record.id, code, message), last=True)


ENDPOINTS = (
    Endpoint(
        "GET", "/analyses", "analysis.list", "Analyses", list_analyses, Needs.ACCOUNT,
        query=AnalysisQuery, data=Page[AnalysisSummary],
    ),
    Endpoint(
        "POST", "/analyses", "analysis.create", "Analyze an upload, a pull request or a repository", create, Needs.MEMBER,
        body=AnalysisWanted, data=AnalysisQueued, status=202, pace=Pace.ANALYSIS,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Endpoint(
        "GET", "/analyses/{id}", "analysis.read", "An analysis with its results", read, Needs.ACCOUNT,
        data=AnalysisDetail,
    ),
    Endpoint(
        "PUT", "/analyses/{id}", "analysis.change", "Change or cancel an analysis", change, Needs.MAINTAINER,
        body=AnalysisChange, data=AnalysisSummary, codes=(Code.ILLEGAL_STEP,),
    ),
    Endpoint(
        "DELETE", "/analyses/{id}", "analysis.delete", "Remove an analysis", delete, Needs.MAINTAINER,
        data=Nothing,
    ),
)  # fmt: skip
