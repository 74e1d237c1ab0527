"""Metrics: what is counted can be read, and no stranger can make it grow."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.builders_delivery import a_pull_request_payload, headers_for
from tests.handlers.conftest import Door

pytestmark = pytest.mark.api

OPENED = json.dumps(a_pull_request_payload()).encode()


async def samples(door: Door) -> dict[tuple[str, str, str], float]:
    page = await door.client.get("/api/v1/health/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, sample.labels.get("event", ""), sample.labels.get("outcome", "")): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


async def test_deliveries_are_counted_by_event_and_outcome(door: Door) -> None:
    await door.post(OPENED)
    await door.post(OPENED)
    await door.post(OPENED, **{"x-hub-signature-256": "sha256=00"})
    counted = await samples(door)
    name = "refactoriq_deliveries_total"
    assert counted[name, "pull_request", "queued"] == 1
    assert counted[name, "pull_request", "repeated"] == 1
    assert counted[name, "pull_request", "refused_401"] == 1
    assert counted["refactoriq_delivery_seconds_count", "", ""] == 2
    assert counted["refactoriq_intake_batch_count", "", ""] == 2
    assert counted["process_resident_memory_bytes", "", ""] > 0


async def test_events_that_a_stranger_invents_share_one_label(door: Door) -> None:
    for number in range(5):
        await door.post(b"{}", headers_for(b"{}", f"invented_{number}", id=f"d-{number}"))
        await door.post(b"{}", {"x-github-event": f"stranger_{number}"})
    events = {event for name, event, _ in await samples(door) if name == "refactoriq_deliveries_total"}
    assert events == {"other"}
