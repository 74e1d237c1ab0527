"""Exports: tables as files, made by a job and kept for some days."""

from contextlib import suppress
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field, model_validator
from starlette.responses import Response

from handlers.api.cursor import below, cut
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.files import file_answer
from handlers.api.forms import Body, Data, Id, Nothing, Page, PageQuery, Text
from handlers.api.problem import Code, Problem, not_found
from handlers.put_jobs import OwnJob, own_delivery, queue_own_jobs
from review.finding import Category, Severity
from storage.accounts.role import Role
from storage.exported import TABLES, Kind
from storage.exports import Export, Format, State, WantedExport
from storage.objects import NotThere, StoreAway

TYPES: dict[Format, str] = {"csv": "text/csv", "json": "application/json", "zip": "application/zip"}


class ExportFilters(Body):
    """Which rows; all when none is given. `repository_id`: analyses, findings, usage; `status`: analyses; `severity` and
    `category`: findings; `action`: audit."""

    repository_id: Id | None = None
    status: Literal["queued", "running", "completed", "failed", "cancelled"] | None = None
    severity: Severity | None = None
    category: Category | None = None
    action: Text | None = Field(default=None, max_length=100)

    @property
    def given(self) -> dict[str, Any]:
        """Those that are set, as plain JSON."""
        return self.model_dump(mode="json", exclude_none=True)


class ExportWanted(Body):
    """The organization is one's own home when none is given. Times have an offset; `until` is not included. A `zip` holds
    both other formats and a manifest."""

    kind: Kind
    format: Format
    organization_id: Id | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    filters: ExportFilters = ExportFilters()

    @model_validator(mode="after")
    def _fit(self) -> Self:
        unfit = sorted(self.filters.given.keys() - TABLES[self.kind].filters)
        if unfit:
            raise ValueError(f"an export of {self.kind} has no filter `{unfit[0]}`")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since must be before until")
        return self


class ExportData(Data):
    """Once the `status` is ready, `rows` rows in `size` bytes can be had. `error` is a sentence, where it failed."""

    export_id: int
    organization_id: int
    kind: Kind
    format: Format
    filters: dict[str, Any]
    status: State
    size: int
    rows: int
    error: str
    created_at: datetime
    expires_at: datetime


async def create(asked: Asked[ExportWanted, Nothing]) -> Answer:
    """An export is queued; a worker makes it."""
    body, sight = asked.body, asked.caller.sight
    organization_id = body.organization_id or asked.user.home_id
    role = sight.role_in(organization_id)
    if role is None:
        raise not_found("organization")
    asked.must_hold(organization_id)
    if body.kind == "audit" and not role.at_least(Role.ADMIN):
        raise Problem(Code.FORBIDDEN, "Only admins of the organization see its audit.", {"needed": Role.ADMIN, "held": role})
    times = body.model_dump(mode="json", include={"since", "until"}, exclude_none=True)
    wanted = WantedExport(organization_id, body.kind, body.format, body.filters.given | times)
    made = await asked.services.exports.ask(
        wanted, asked.user.id, asked.act, lambda id: own_delivery(_job(organization_id, id))
    )
    await queue_own_jobs(asked.services.queue, [_job(organization_id, made.id)])
    return Answer(_data(made), "Queued.", headers={"Location": f"/api/v1/exports/{made.id}"})


def _job(organization_id: int, id: int) -> OwnJob:
    arguments = {"organization_id": organization_id, "export_id": id}
    return OwnJob(f"export-{id}", "export", arguments, "low", owner_id=organization_id)


async def list_exports(asked: Asked[Nothing, PageQuery]) -> Answer:
    """A page of one's own exports, newest first."""
    query = asked.query
    found = await asked.services.exports.page(asked.caller.sight, asked.user.id, query.limit + 1, below(query))
    items, more = cut(query, found, lambda export: [export.id])
    return Answer(Page[ExportData](items=[_data(export) for export in items], next_cursor=more))


async def read(asked: Asked[Nothing, Nothing]) -> Answer:
    """One export, and whether it is ready."""
    return Answer(_data(await _export(asked)))


async def read_file(asked: Asked[Nothing, Nothing]) -> Response:
    """The file of an export."""
    export = await _export(asked)
    if export.state == "queued":
        raise Problem(Code.CONFLICT, "It is still being made: ask again shortly.", headers={"Retry-After": "2"})
    if export.state == "failed":
        raise Problem(Code.CONFLICT, f"It was not made: {export.error}")
    name = f"{export.kind}-{export.id}.{export.format}"
    try:
        pieces = asked.services.objects.stream(export.object_key)
        return await file_answer(pieces, name, TYPES[export.format], export.size)
    except NotThere:  # it expired just now
        raise not_found("export") from None


async def delete(asked: Asked[Nothing, Nothing]) -> Answer:
    """The export and its file are gone: it was its maker's alone."""
    export = await _export(asked)
    if not await asked.services.exports.delete(export, asked.act):
        raise not_found("export")
    with suppress(StoreAway):  # expiry removes the object that belongs to nothing
        await asked.services.objects.delete(f"exports/{export.id}.{export.format}")
    return Answer(Nothing(), "Deleted.")


async def _export(asked: Asked[Nothing, Nothing]) -> Export:
    export = await asked.services.exports.get(asked.caller.sight, asked.user.id, asked.path["id"])
    if export is None:
        raise not_found("export")
    return export


def _data(of: Export) -> ExportData:
    return ExportData(
        export_id=of.id, organization_id=of.organization_id, kind=of.kind, format=of.format, filters=of.filters,
        status=of.state, size=of.size, rows=of.rows, error=of.error, created_at=of.created_at, expires_at=of.expires_at,
    )  # fmt: skip


ENDPOINTS = (
    Endpoint(
        "POST", "/exports", "export.create", "Export a table", create, Needs.MEMBER,
        body=ExportWanted, data=ExportData, status=202, codes=(Code.NOT_FOUND,),
    ),
    Endpoint(
        "GET", "/exports", "export.list", "One's own exports", list_exports, Needs.ACCOUNT,
        query=PageQuery, data=Page[ExportData],
    ),
    Endpoint(
        "GET", "/exports/{id}", "export.read", "An export", read, Needs.ACCOUNT, data=ExportData,
    ),
    Endpoint(
        "GET", "/exports/{id}/file", "export.read", "The file of an export", read_file, Needs.ACCOUNT,
        gives=tuple(TYPES.values()), codes=(Code.CONFLICT,),
    ),
    Endpoint(
        "DELETE", "/exports/{id}", "export.delete", "Delete an export", delete, Needs.ACCOUNT,
        data=Nothing,
    ),
)  # fmt: skip
