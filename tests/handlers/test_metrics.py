"""Metrics: what is counted can be read, whichever process counted and whichever is asked, and no stranger can make it grow."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from handlers.measures import JOB_SECONDS, MODEL_COST
from handlers.measuring import count_analysis
from review.analysis import Analysis, Usage
from storage.counts import Counts
from tests.builders_delivery import a_pull_request_payload, headers_for
from tests.builders_review import a_finding
from tests.handlers.conftest import Door, OpenDoor

pytestmark = pytest.mark.api

OPENED = json.dumps(a_pull_request_payload()).encode()


async def samples(door: Door) -> dict[tuple[str, ...], float]:
    """By the name and the labels' values, a bucket's bound behind the others."""
    page = await door.client.get("/api/v1/health/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    return {
        (
            sample.name.removeprefix("refactoriq_"),
            *(sample.labels[label] for label in sorted(sample.labels, key=lambda label: label == "le")),
        ): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


async def test_deliveries_are_counted_by_event_and_outcome(door: Door) -> None:
    await door.post(OPENED)
    await door.post(OPENED)
    await door.post(OPENED, **{"x-hub-signature-256": "sha256=00"})
    counted = await samples(door)
    assert counted["deliveries_total", "pull_request", "queued"] == 1
    assert counted["deliveries_total", "pull_request", "repeated"] == 1
    assert counted["deliveries_total", "pull_request", "refused_401"] == 1
    assert counted["security_events_total", "refused_signatures"] == 1
    assert counted["delivery_seconds_count",] == 2
    assert counted["intake_batch_count",] == 2
    assert counted["queue_jobs", "high"] + counted["queue_jobs", "default"] + counted["queue_jobs", "low"] == 1
    assert counted["redis_up",] == 1


async def test_events_that_a_stranger_invents_share_one_label(door: Door) -> None:
    for number in range(5):
        await door.post(b"{}", headers_for(b"{}", f"invented_{number}", id=f"d-{number}"))
        await door.post(b"{}", {"x-github-event": f"stranger_{number}"})
    events = {labels[0] for name, *labels in await samples(door) if name == "deliveries_total"}
    assert events == {"other"}


async def test_the_sums_are_those_of_all_processes_whichever_is_asked(open_door: OpenDoor, redis_url: str) -> None:
    one, other = await open_door(), await open_door()
    for door, requests in ((one, 3), (other, 4)):
        for _ in range(requests):
            await door.client.get("/api/v1/auth/me")
    async with Counts.open(redis_url) as worker:
        worker.note(JOB_SECONDS.observed(2.0, "analyze", "done"))
        worker.note(JOB_SECONDS.observed(7.0, "analyze", "done"))
        usage = Usage("openai", "gpt-5.1", input_tokens=1_000, cached_tokens=400, output_tokens=50)
        count_analysis(worker, Analysis(head_sha="a" * 40, findings=(a_finding(), a_finding(line=2)), usage=(usage,)))
    await samples(one)  # each adds its own when it is asked, and every other second
    from_other, from_one = await samples(other), await samples(one)
    asked = ("GET", "/api/v1/auth/me", "401")
    for counted in (from_one, from_other):
        assert counted["request_seconds_count", *asked] == 7
        assert counted["request_seconds_bucket", *asked, "+Inf"] == 7
        assert counted["job_seconds_sum", "analyze", "done"] == 9.0
        bounds = ("1.0", "2.5", "5.0", "10.0", "+Inf")
        assert [counted["job_seconds_bucket", "analyze", "done", bound] for bound in bounds] == [0, 1, 1, 2, 2]
        assert counted["findings_total", "medium"] == 2
        assert counted["model_tokens_total", "input", "gpt-5.1", "openai"] == 1_000
        assert counted["model_cost_dollars_total", "gpt-5.1", "openai"] > 0


async def test_a_path_that_a_stranger_invents_is_not_counted(door: Door) -> None:
    await door.client.get("/api/v1/invented/by/a/stranger")
    await door.client.get("/api/v1/analyses/12345")
    paths = {labels[1] for name, *labels in await samples(door) if name == "request_seconds_count"}
    assert paths <= {"/api/v1/analyses/{id}", "/api/v1/health/metrics"}


async def test_what_is_counted_while_redis_is_away_is_added_later(redis_url: str, open_door: OpenDoor) -> None:
    away = await open_door(redis_url="unix:///nowhere/redis.sock")
    await away.client.get("/api/v1/health")
    assert (await samples(away))["redis_up",] == 0
    async with Counts.open("unix:///nowhere/redis.sock") as counts, Counts.open(redis_url) as back:
        await counts.add(MODEL_COST.counted("openai", "gpt-5.1", by=0.25))
        counts._redis, gone = back._redis, counts._redis
        await counts.flush()
        assert await back.read() == {"model_cost_dollars|openai|gpt-5.1": 0.25}
        counts._redis = gone
