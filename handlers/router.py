"""Route a delivery to the event that hears it, and write down what shall be remembered and queued of it."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from handlers.delivery import Account, Delivery, Head, Installation, Payload, PullRequest, Repository
from handlers.events import EVENTS
from handlers.events.event import Decision, Ignored, Noted, PutJob
from storage.deliveries import NewDelivery
from storage.queue import QueuedJob

_job = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Routed:
    """What is remembered of a delivery, and the job that it puts, if any."""

    remembered: NewDelivery
    job: QueuedJob | None


def route(delivery: Delivery) -> Routed:
    """What one delivery means to us. Needs no network."""
    hears = EVENTS.get(delivery.event)
    if hears is None:
        return _remembered(delivery, Ignored(f"Ignored: nothing is done about the event `{delivery.event}`."))
    return _remembered(delivery, hears(delivery))


def _remembered(delivery: Delivery, decision: Decision) -> Routed:
    match decision:
        case PutJob(kind, arguments, queue):
            job = QueuedJob(id=delivery.id, kind=kind, arguments=arguments, queue=queue)
            # The sweep puts the job from this, should Redis not have it.
            stored = _job.encode({"kind": kind, "queue": queue, "arguments": arguments})
            return Routed(_row(delivery, "received", "", stored), job)
        case Noted(because):
            return Routed(_row(delivery, "done", because, None), None)
        case Ignored(because):
            return Routed(_row(delivery, "ignored", because, None), None)


def _row(delivery: Delivery, state: Literal["received", "ignored", "done"], outcome: str, job: bytes | None) -> NewDelivery:
    payload = delivery.payload
    pull = payload.pull_request or PullRequest()
    return NewDelivery(
        id=delivery.id,
        event=delivery.event,
        action=payload.action or "",
        account_id=_account(payload).id,
        installation_id=(payload.installation or Installation()).id,
        repository_id=(payload.repository or Repository()).id,
        pull_number=pull.number,
        head_sha=(pull.head or Head()).sha or payload.after,
        state=state,
        outcome=outcome,
        job=job,
    )


def _account(payload: Payload) -> Account:
    """Whose delivery it is: the owner of the repository, else the account of the installation or organization."""
    if payload.repository is not None and payload.repository.owner is not None:
        return payload.repository.owner
    if payload.installation is not None and payload.installation.account is not None:
        return payload.installation.account
    return payload.organization or Account()
