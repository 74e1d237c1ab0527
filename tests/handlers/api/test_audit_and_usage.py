"""The audit and the usage, as people read them."""

import pytest

from tests.builders_api import Api

pytestmark = pytest.mark.api


async def test_the_audit_of_the_instance_is_for_its_administrators_alone(api: Api) -> None:
    person, administrator = await api.person("mona"), await api.person(administrator=True)
    assert (await person.get("/audit?instance=true")).status_code == 403
    entries = (await administrator.get("/audit?instance=true&action=account.register")).json()["data"]["items"]
    assert f"user:{person.id}" in [entry["subject"] for entry in entries]


async def test_the_audit_of_an_organization_takes_an_admin_there(api: Api) -> None:
    [tenant] = await api.organization()
    admin, member, stranger = await api.person(), await api.person(), await api.person()
    api.join(admin, tenant.organization_id, "admin")
    api.join(member, tenant.organization_id, "member")
    api.sql(
        "INSERT INTO audit_logs (organization_id, actor, action, subject) SELECT %s, 'mona', 'x.y', 'thing:' || n"
        " FROM generate_series(1, 5) AS n",
        (tenant.organization_id,),
    )
    path = f"/audit?organization_id={tenant.organization_id}&limit=3"
    first = (await admin.get(path)).json()["data"]
    rest = (await admin.get(f"{path}&cursor={first['next_cursor']}")).json()["data"]
    assert [entry["subject"] for entry in first["items"] + rest["items"]] == [f"thing:{n}" for n in (5, 4, 3, 2, 1)]
    assert rest["next_cursor"] is None
    assert [(await who.get(path)).status_code for who in (member, stranger)] == [403, 404]


async def test_usage_is_summed_as_asked_and_only_of_what_one_may_read(api: Api) -> None:
    [tenant] = await api.organization()
    owner, viewer = await api.person(), await api.person()
    api.join(owner, tenant.organization_id, github="owner")
    api.join(viewer, tenant.organization_id, github="viewer")
    for scope, day, model, cost in (
        (tenant.repository_id, "2026-01-01", "m1", 1.5),
        (tenant.repository_id, "2026-01-02", "m2", 0.25),
        (0, "2026-01-02", "m1", 1.0),
    ):
        api.sql(
            "INSERT INTO usage_days VALUES (%s, %s, %s, 'openai', %s, 2, 100, 10, 20, %s)",
            (tenant.organization_id, scope, day, model, cost),
        )
    path = f"/usage?organization_id={tenant.organization_id}&since=2026-01-01&until=2026-01-31"
    by_day = (await owner.get(path)).json()["data"]
    assert [(item["day"], item["cost"], item["calls"]) for item in by_day["items"]] == [
        ("2026-01-01", 1.5, 2),
        ("2026-01-02", 1.25, 4),
    ]
    assert by_day["total_cost"] == 2.75
    by_model = (await owner.get(f"{path}&group_by=model")).json()["data"]["items"]
    assert [(item["model"], item["cost"]) for item in by_model] == [("m1", 2.5), ("m2", 0.25)]
    by_repository = (await owner.get(f"{path}&group_by=repository")).json()["data"]["items"]
    assert [(item["repository"], item["cost"]) for item in by_repository] == [(None, 1.0), ("octo/hello", 1.75)]
    assert (await viewer.get(path)).json()["data"]["total_cost"] == 1.0
    assert (await (await api.person()).get(path)).status_code == 404
    assert (await owner.get(f"{path[:-10]}2025-01-01")).status_code == 422
