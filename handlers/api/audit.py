"""The audit: who did what to what, from where."""

from typing import Any

from pydantic import AwareDatetime, Field

from handlers.api.cursor import below, cut
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Data, Id, Nothing, Page, PageQuery, Text
from handlers.api.problem import Code, Problem, not_found
from storage.shown_audit import AuditEntry, AuditFilter


class AuditQuery(PageQuery):
    """`organization_id` is one's own home when none is given. `instance` is for administrators of the instance: what concerns
    no organization. Times have an offset, as in 2026-01-31T00:00:00Z; `until` is not included."""

    organization_id: Id | None = None
    instance: bool = False
    action: Text | None = Field(default=None, max_length=100)
    actor_id: Id | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class AuditData(Data):
    """`subject` is `kind:id`; `actor` names who did it, `actor_id` is null where no account did."""

    id: int
    at: AwareDatetime
    organization_id: int | None
    actor_id: int | None
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    address: str
    request_id: str


async def list_audit(asked: Asked[Nothing, AuditQuery]) -> Answer:
    """A page of the audit, newest first."""
    query = asked.query
    wanted = AuditFilter(query.action, query.actor_id, query.since, query.until)
    found = await _found(asked, wanted, query.limit + 1, below(query))
    items, more = cut(query, found, lambda entry: [entry.id])
    return Answer(Page[AuditData](items=[AuditData.model_validate(_plain(entry)) for entry in items], next_cursor=more))


async def _found(asked: Asked[Nothing, AuditQuery], wanted: AuditFilter, limit: int, before: int) -> list[AuditEntry]:
    if asked.query.instance:
        if not asked.user.administrator:
            raise Problem(Code.FORBIDDEN, "Only an administrator of this installation sees what concerns the instance.")
        return await asked.services.shown_audit.of_instance(wanted, limit, before)
    organization_id = asked.query.organization_id or asked.user.home_id
    if asked.caller.sight.role_in(organization_id) is None:
        raise not_found("organization")
    asked.must_hold(organization_id)
    return await asked.services.shown_audit.of_organization(asked.caller.sight, organization_id, wanted, limit, before)


def _plain(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in AuditData.model_fields}


ENDPOINTS = (
    Endpoint(
        "GET", "/audit", "audit.list", "Who did what", list_audit, Needs.ADMIN,
        query=AuditQuery, data=Page[AuditData], codes=(Code.NOT_FOUND,),
    ),
)  # fmt: skip
