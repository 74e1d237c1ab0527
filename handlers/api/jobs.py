"""Jobs: what waits, runs, or came to an end, whoever put it; giving one another chance, and cancelling one that waits."""

from handlers.api.deliveries import DeliveriesQuery, DeliveryData, find, page, put_again, shown
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Nothing, Page
from handlers.api.problem import Code, Problem, not_found
from storage.shown_deliveries import CANCELLABLE, ShownDelivery


async def list_jobs(asked: Asked[Nothing, DeliveriesQuery]) -> Answer:
    """A page of them, newest first."""
    return Answer(await page(asked, jobs=True))


async def get_job(asked: Asked[Nothing, Nothing]) -> Answer:
    """One of them."""
    return Answer(shown(await _job(asked)))


async def retry_job(asked: Asked[Nothing, Nothing]) -> Answer:
    """Another chance for one that came to an end."""
    return Answer(await put_again(asked, await _job(asked)), "It is queued again.", status=202)


async def cancel_job(asked: Asked[Nothing, Nothing]) -> Answer:
    """One that waits is never done. One that runs already is not stopped half way."""
    job = await _job(asked)
    if job.kind not in CANCELLABLE:
        raise Problem(
            Code.ILLEGAL_STEP,
            "It is of an analysis, a report, an export, a proposal or a mail: cancel the analysis, or delete what it is for.",
            {"state": job.state, "legal": []},
        )
    if not await asked.services.shown_deliveries.cancel(job.id, job.organization_id, asked.act):
        raise Problem(
            Code.ILLEGAL_STEP,
            f"It is {job.state}: only a job that waits can be cancelled.",
            {"state": job.state, "legal": ["received", "retrying"]},
        )
    return Answer(shown(await asked.services.shown_deliveries.get_of_all(job.id) or job), "It is cancelled.")


async def _job(asked: Asked[Nothing, Nothing]) -> ShownDelivery:
    found = await find(asked, "job")
    if found.kind is None:
        raise not_found("job")
    return found


ENDPOINTS = (
    Endpoint(
        "GET", "/jobs", "job.list", "Jobs and how they stand", list_jobs, Needs.ACCOUNT,
        query=DeliveriesQuery, data=Page[DeliveryData],
    ),
    Endpoint(
        "GET", "/jobs/{delivery}", "job.read", "One job", get_job, Needs.VIEWER, data=DeliveryData
    ),
    Endpoint(
        "POST", "/jobs/{delivery}/retry", "job.retry", "Another chance for a job", retry_job, Needs.MAINTAINER,
        data=DeliveryData, status=202, codes=(Code.ILLEGAL_STEP,),
    ),
    Endpoint(
        "POST", "/jobs/{delivery}/cancel", "job.cancel", "Cancel a job that waits", cancel_job, Needs.MAINTAINER,
        data=DeliveryData, codes=(Code.ILLEGAL_STEP,),
    ),
)  # fmt: skip
