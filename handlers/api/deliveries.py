"""Deliveries: the webhooks that GitHub sent, what became of each, and doing one again."""

from datetime import datetime

import structlog
from pydantic import Field

from handlers.api.cursor import below, cut
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Data, Id, Nothing, Page, PageQuery, Text
from handlers.api.problem import Code, Problem, not_found
from handlers.sweep import stored_job
from storage.queue import QueueAway
from storage.shown_deliveries import ShownDelivery, Wanted

log = structlog.get_logger()


class DeliveriesQuery(PageQuery):
    """`all` is for administrators of the instance: the deliveries of every organization."""

    organization_id: Id | None = None
    repository_id: Id | None = None
    event: Text | None = Field(default=None, max_length=100)
    state: Text | None = Field(default=None, max_length=20)
    all: bool = False


class DeliveryData(Data):
    """`outcome` is a sentence; `job` the kind of job that it put, null where it put none."""

    id: str
    event: str
    action: str
    organization_id: int | None
    repository: str | None
    pull_request: int | None
    head_sha: str | None
    state: str
    outcome: str
    attempts: int
    job: str | None
    received_at: datetime
    updated_at: datetime


async def list_deliveries(asked: Asked[Nothing, DeliveriesQuery]) -> Answer:
    """A page of them, newest first."""
    return Answer(await page(asked, jobs=False))


async def get_delivery(asked: Asked[Nothing, Nothing]) -> Answer:
    """One of them."""
    return Answer(shown(await find(asked, "delivery")))


async def redeliver(asked: Asked[Nothing, Nothing]) -> Answer:
    """Have its job done once more."""
    return Answer(await put_again(asked, await find(asked, "delivery")), "It is queued again.", status=202)


async def page(asked: Asked[Nothing, DeliveriesQuery], *, jobs: bool) -> Page[DeliveryData]:
    """A page of webhooks, or of `jobs`, as far as the caller may see them. Raises Problem."""
    query, services = asked.query, asked.services
    before = below(query)
    wanted = Wanted(jobs, query.event, query.state, query.repository_id)
    if query.all:
        if not asked.user.administrator:
            raise Problem(Code.FORBIDDEN, "Only an administrator of this installation sees those of all organizations.")
        found = await services.shown_deliveries.newest_of_all(wanted, query.limit + 1, before)
    else:
        organizations = None if query.organization_id is None else [query.organization_id]
        found = await services.shown_deliveries.newest(asked.caller.sight, wanted, query.limit + 1, before, organizations)
    items, more = cut(query, found, lambda delivery: [delivery.sequence])
    return Page[DeliveryData](items=[shown(delivery) for delivery in items], next_cursor=more)


async def find(asked: Asked[Nothing, Nothing], what: str) -> ShownDelivery:
    """The one that the path names, where the caller may see it and hold the endpoint's role. Raises Problem."""
    id, services = str(asked.path["delivery"]), asked.services
    found = await services.shown_deliveries.get(asked.caller.sight, id)
    if found is None and asked.user.administrator:
        found = await services.shown_deliveries.get_of_all(id)
    if found is None:
        raise not_found(what)
    if found.organization_id is not None and not asked.user.administrator:
        asked.must_hold(found.organization_id)
    return found


async def put_again(asked: Asked[Nothing, Nothing], found: ShownDelivery) -> DeliveryData:
    """Queue the job of a delivery that has come to an end. Raises Problem."""
    services = asked.services
    job = await services.shown_deliveries.again(found.id, found.organization_id, asked.act)
    if job is None:
        legal = ["failed", "done", "superseded"]
        raise Problem(
            Code.ILLEGAL_STEP,
            f"It is {found.state}{'' if found.kind else ' and put no job'}: only a job that came to an end is done again.",
            {"state": found.state, "legal": legal if found.kind else []},
        )
    try:
        await services.queue.put_many([stored_job(found.id, job)])
    except QueueAway as away:
        log.warning("remembered, not queued", deliveries=[found.id], because=str(away))  # the sweep queues it
    again = await services.shown_deliveries.get_of_all(found.id)
    return shown(again or found)


def shown(delivery: ShownDelivery) -> DeliveryData:
    """What people see of it."""
    return DeliveryData(
        id=delivery.id,
        event=delivery.event,
        action=delivery.action,
        organization_id=delivery.organization_id,
        repository=delivery.repository,
        pull_request=delivery.pull_number,
        head_sha=delivery.head_sha,
        state=delivery.state,
        outcome=delivery.outcome,
        attempts=delivery.attempts,
        job=delivery.kind,
        received_at=delivery.received_at,
        updated_at=delivery.updated_at,
    )


ENDPOINTS = (
    Endpoint(
        "GET", "/deliveries", "delivery.list", "Webhooks and what became of them", list_deliveries, Needs.ACCOUNT,
        query=DeliveriesQuery, data=Page[DeliveryData],
    ),
    Endpoint(
        "GET", "/deliveries/{delivery}", "delivery.read", "One webhook", get_delivery, Needs.VIEWER,
        data=DeliveryData,
    ),
    Endpoint(
        "POST", "/deliveries/{delivery}/redeliver", "delivery.redeliver", "Do a webhook's job once more", redeliver,
        Needs.MAINTAINER, data=DeliveryData, status=202, codes=(Code.ILLEGAL_STEP,),
    ),
)  # fmt: skip
