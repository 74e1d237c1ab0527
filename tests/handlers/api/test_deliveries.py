"""Deliveries and jobs, as people see and steer them."""

from dataclasses import replace

import pytest

from handlers.analyzing.job import job_of
from handlers.put_jobs import OwnJob, put_own_jobs
from review.pull_request import Repository
from storage.deliveries import Deliveries
from storage.installations import Installations, Tenant
from storage.queue import Queue
from tests.builders_api import Api, Person
from tests.builders_storage import a_new_delivery

pytestmark = pytest.mark.api

JOB = b'{"kind": "review_pull_request", "queue": "default", "arguments": {"delivery_id": "one"}}'


async def a_member(api: Api, role: str | None = None, github: str | None = "owner") -> tuple[Person, Tenant]:
    [tenant] = await api.organization()
    person = await api.person()
    api.join(person, tenant.organization_id, role, github=github)
    return person, tenant


async def remember(api: Api, *ids: str, **changes: object) -> None:
    await Deliveries(api.database).remember([a_new_delivery(id, **({"job": JOB} | changes)) for id in ids])


async def test_pages_run_from_the_newest_to_the_oldest_and_hold_each_delivery_once(api: Api) -> None:
    person, _ = await a_member(api)
    await remember(api, *(f"d-{number}" for number in range(7)))
    seen, cursor = [], None
    while True:
        page = (await person.get("/deliveries", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()["data"]
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [f"d-{number}" for number in reversed(range(7))]


async def test_who_may_not_read_a_repository_sees_none_of_its_deliveries(api: Api) -> None:
    reader, tenant = await a_member(api, github="viewer")
    await remember(api, "d-1")
    assert (await reader.get("/deliveries")).json()["data"]["items"] == []
    assert (await reader.get("/deliveries/d-1")).status_code == 404
    api.may_read(reader, tenant)
    assert [item["id"] for item in (await reader.get("/deliveries")).json()["data"]["items"]] == ["d-1"]
    assert (await reader.get("/deliveries/d-1")).json()["data"]["repository"] == "octo/hello"
    assert (await reader.post("/deliveries/d-1/redeliver")).status_code == 403


async def test_a_stranger_sees_nothing_and_an_administrator_of_the_instance_all(api: Api) -> None:
    await a_member(api)
    await remember(api, "d-1")
    stranger, administrator = await api.person(), await api.person(administrator=True)
    assert (await stranger.get("/deliveries/d-1")).status_code == 404
    assert (await stranger.get("/deliveries", params={"all": True})).status_code == 403
    assert [item["id"] for item in (await administrator.get("/deliveries?all=true")).json()["data"]["items"]] == ["d-1"]


async def test_filters_say_what_is_wanted(api: Api) -> None:
    person, tenant = await a_member(api)
    other = Repository(9002, "octo/other")
    await api.organization(100, other)
    await remember(api, "d-1")
    await remember(api, "d-2", event="push", repository_id=9002, state="ignored", job=None)
    for query, ids in (
        ("event=push", ["d-2"]),
        ("state=received", ["d-1"]),
        (f"repository_id={tenant.repository_id}", ["d-1"]),
        ("organization_id=999999", []),
        (f"organization_id={tenant.organization_id}", ["d-2", "d-1"]),
    ):
        found = (await person.get(f"/deliveries?{query}")).json()["data"]["items"]
        assert [item["id"] for item in found] == ids, query


async def test_a_failed_job_gets_another_chance_and_is_on_the_queue_again(api: Api, redis_url: str) -> None:
    person, tenant = await a_member(api, "maintainer", None)
    api.may_read(person, tenant)
    await remember(api, "one")
    refused = await person.post("/jobs/one/retry")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "illegal_step")
    assert refused.json()["error"]["details"]["legal"] == ["failed", "done", "superseded"]
    await Deliveries(api.database).failed("one", "It broke.")
    assert (await person.post("/jobs/one/retry")).json()["data"]["state"] == "received"
    async with Queue.open(redis_url) as queue:
        assert (await queue.lengths())["default"] == 1
    assert [row[0] for row in api.sql("SELECT subject FROM audit_logs WHERE action = 'job.retry'")] == ["delivery:one"]


async def test_a_job_that_waits_is_cancelled_once(api: Api) -> None:
    person, _ = await a_member(api)
    await remember(api, "one")
    cancelled = await person.post("/jobs/one/cancel")
    assert (cancelled.json()["data"]["state"], cancelled.status_code) == ("superseded", 200)
    assert person.email in cancelled.json()["data"]["outcome"]
    assert (await person.post("/jobs/one/cancel")).status_code == 409
    assert await Deliveries(api.database).started("one") is None


async def test_jobs_of_ones_own_organization_are_jobs_and_no_deliveries(api: Api, redis_url: str) -> None:
    person = await api.person()
    async with Queue.open(redis_url) as queue:
        await put_own_jobs(Deliveries(api.database), queue, [OwnJob("export-1", "export", {}, owner_id=person.home)])
    assert (await person.get("/deliveries")).json()["data"]["items"] == []
    [job] = (await person.get("/jobs")).json()["data"]["items"]
    assert (job["job"], job["organization_id"]) == ("export", person.home)
    assert (await person.post("/jobs/export-1/cancel")).json()["error"]["code"] == "illegal_step"


async def put_jobs_of(api: Api, tenant: Tenant, redis_url: str) -> list[str]:
    """A job on that repository through its installation, and one that knows it by our id; gives their ids, newest first."""
    installed = await Installations(api.database).of_repository(tenant.repository_id)
    known = job_of(tenant.organization_id, 1, installed)
    alone = replace(known, id="report-1", kind="write_report", installed=None, repository_id=tenant.repository_id)
    async with Queue.open(redis_url) as queue:
        await put_own_jobs(Deliveries(api.database), queue, [known, alone])
    return ["report-1", "analysis-1"]


async def test_a_job_on_a_repository_is_not_seen_by_members_who_may_not_read_it(api: Api, redis_url: str) -> None:
    member, tenant = await a_member(api, "maintainer", None)
    ids = await put_jobs_of(api, tenant, redis_url)
    await Deliveries(api.database).failed("analysis-1", "octo/hello has no pull request 7.")
    assert (await member.get("/jobs")).json()["data"]["items"] == []
    for id in ids:
        assert (await member.get(f"/jobs/{id}")).status_code == 404
        assert (await member.post(f"/jobs/{id}/retry")).status_code == 404
    api.may_read(member, tenant)
    assert [job["id"] for job in (await member.get("/jobs")).json()["data"]["items"]] == ids


async def test_a_job_that_account_and_owner_both_have_is_listed_once(api: Api, redis_url: str) -> None:
    person, tenant = await a_member(api)
    ids = await put_jobs_of(api, tenant, redis_url)
    jobs = (await person.get("/jobs")).json()["data"]["items"]
    assert [(job["id"], job["repository"]) for job in jobs] == [(id, "octo/hello") for id in ids]
