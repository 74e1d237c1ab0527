"""The router: what is remembered of a delivery, and what is queued for it."""

import json

import pytest

from handlers.router import route
from tests.builders_delivery import (
    HEAD_SHA,
    a_delivery,
    a_pull_request,
    a_pull_request_payload,
    an_account,
    an_installation_payload,
)

pytestmark = pytest.mark.unit


def test_a_review_is_remembered_with_its_place_and_its_job() -> None:
    routed = route(a_delivery("pull_request", a_pull_request_payload(), "d-9"))
    row, job = routed.remembered, routed.job
    assert (row.id, row.event, row.action, row.state, row.outcome) == ("d-9", "pull_request", "opened", "received", "")
    assert (row.account_id, row.installation_id, row.repository_id, row.pull_number) == (77, 5005, 1296269, 7)
    assert row.head_sha == HEAD_SHA
    assert job is not None
    assert row.job is not None
    assert (job.id, job.kind, job.queue) == ("d-9", "review_pull_request", "default")
    assert json.loads(row.job) == {"kind": job.kind, "queue": job.queue, "arguments": job.arguments}


def test_an_end_is_remembered_with_its_place_and_puts_no_job() -> None:
    routed = route(a_delivery("pull_request", a_pull_request_payload("closed", a_pull_request(state="closed"))))
    assert routed.job is None
    assert routed.remembered.job is None
    assert (routed.remembered.state, routed.remembered.pull_number) == ("done", 7)


def test_an_event_that_nobody_hears_is_remembered_as_ignored() -> None:
    routed = route(a_delivery("star", {"action": "created", "repository": {"id": 4, "owner": an_account(id=5)}}))
    row = routed.remembered
    assert (row.state, row.outcome) == ("ignored", "Ignored: nothing is done about the event `star`.")
    assert (row.account_id, row.repository_id) == (5, 4)


def test_a_delivery_belongs_to_the_account_that_it_names() -> None:
    assert route(a_delivery("installation", an_installation_payload())).remembered.account_id == 77
    assert route(a_delivery("ping", {"organization": an_account(id=8)})).remembered.account_id == 8
    assert route(a_delivery("ping", {"zen": "Speak like a human."})).remembered.account_id is None
