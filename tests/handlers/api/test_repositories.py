"""Repositories over the API: whose are seen, what can be switched, and that it is the index that is asked for."""

from types import SimpleNamespace
from typing import Any

import pytest

from handlers.api import repositories
from review.pull_request import Repository
from storage.installations import Tenant
from tests.builders_api import Api, Person

pytestmark = pytest.mark.api


async def three(api: Api) -> list[Tenant]:
    names = ("octo/beta", "octo/alpha", "octo/gamma")
    return await api.organization(100, *(Repository(9000 + number, name) for number, name in enumerate(names)))


async def names(person: Person, **params: Any) -> list[str]:
    answer = await person.get("/repositories", params=params)
    assert answer.status_code == 200, answer.text
    return [one["full_name"] for one in answer.json()["data"]["items"]]


async def test_a_member_sees_what_github_lets_them_read_and_an_owner_by_github_everything(api: Api) -> None:
    tenants = await three(api)
    mona, boss = await api.person("mona"), await api.person("boss")
    api.join(mona, tenants[0].organization_id, "owner")  # set here: it opens no repository
    api.may_read(mona, tenants[0])
    api.join(boss, tenants[0].organization_id, github="owner")
    assert await names(mona) == ["octo/beta"]
    assert await names(boss) == ["octo/alpha", "octo/beta", "octo/gamma"]
    seen = [(await mona.get(f"/repositories/{tenant.repository_id}")).status_code for tenant in tenants]
    assert seen == [200, 404, 404]


async def test_a_reader_who_is_no_member_any_more_sees_nothing(api: Api) -> None:
    tenants = await three(api)
    mona = await api.person("mona")
    api.may_read(mona, tenants[0])
    assert await names(mona) == []
    assert (await mona.get(f"/repositories/{tenants[0].repository_id}")).status_code == 404


async def test_pages_go_by_name_across_organizations_and_show_each_once(api: Api) -> None:
    mona = await api.person("mona")
    tenants = await three(api)
    others = await api.organization(200, *(Repository(8000 + number, f"cats/{name}") for number, name in enumerate("zyx")))
    api.join(mona, tenants[0].organization_id, github="owner")
    api.join(mona, others[0].organization_id, github="member")
    for tenant in others[:2]:
        api.may_read(mona, tenant)
    found, cursor = [], None
    while True:
        page = (await mona.get("/repositories", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()["data"]
        found += [one["full_name"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["cats/y", "cats/z", "octo/alpha", "octo/beta", "octo/gamma"]


async def test_they_are_filtered_by_organization_and_by_a_part_of_the_name(api: Api) -> None:
    mona = await api.person("mona")
    tenants, others = await three(api), await api.organization(200, Repository(8001, "cats/ALPHA_1"))
    for tenant in (tenants[0], others[0]):
        api.join(mona, tenant.organization_id, github="owner")
    assert await names(mona, organization_id=tenants[0].organization_id) == ["octo/alpha", "octo/beta", "octo/gamma"]
    assert await names(mona, q="alpha") == ["cats/ALPHA_1", "octo/alpha"]
    assert await names(mona, q="a_1") == ["cats/ALPHA_1"]
    assert await names(mona, q="%") == []
    assert await names(mona, organization_id=2**60) == []


async def test_one_that_was_taken_from_the_app_is_not_shown(api: Api) -> None:
    tenants = await three(api)
    boss = await api.person("boss")
    api.join(boss, tenants[0].organization_id, github="owner")
    api.sql("UPDATE repositories SET removed = true WHERE id = %s", (tenants[1].repository_id,))
    assert await names(boss) == ["octo/beta", "octo/gamma"]
    assert (await boss.get(f"/repositories/{tenants[1].repository_id}")).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJhIiwiYiJd"])
async def test_a_cursor_that_the_list_never_gave_is_refused(api: Api, cursor: str) -> None:
    mona = await api.person("mona")
    answer = await mona.get("/repositories", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_cursor")


async def test_how_its_index_stands_is_shown(api: Api) -> None:
    tenant = (await three(api))[0]
    boss = await api.person("boss")
    api.join(boss, tenant.organization_id, github="owner")
    path = f"/repositories/{tenant.repository_id}"
    assert (await boss.get(path)).json()["data"]["index"] is None
    api.sql(
        "INSERT INTO code_indexes (organization_id, repository_id, state, commit_sha, files, chunks, because)"
        " VALUES (%s, %s, 'failed', 'abc', 3, 7, 'It was too large.')",
        (tenant.organization_id, tenant.repository_id),
    )
    index = (await boss.get(path)).json()["data"]["index"]
    assert index == {
        "state": "failed", "commit": "abc", "files": 3, "chunks": 7, "indexed_at": None, "because": "It was too large.",
    }  # fmt: skip


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("maintainer", 403), ("admin", 200), ("owner", 200)])
async def test_admins_switch_settings_and_what_is_not_named_stays(api: Api, role: str, status: int) -> None:
    tenant = (await three(api))[0]
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, role)
    api.may_read(mona, tenant)
    path = f"/repositories/{tenant.repository_id}"
    answer = await mona.put(f"{path}/settings", {"models": False})
    assert answer.status_code == status
    expected = {"reviews": True, "models": status != 200, "index": True}
    assert (await mona.get(path)).json()["data"]["settings"] == expected


async def test_an_admin_switches_nothing_of_a_repository_that_they_may_not_read(api: Api) -> None:
    tenant = (await three(api))[0]
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, "owner")
    assert (await mona.put(f"/repositories/{tenant.repository_id}/settings", {"reviews": False})).status_code == 404
    assert (await mona.post(f"/repositories/{tenant.repository_id}/index")).status_code == 404


async def test_a_change_is_on_record_and_no_change_is_not(api: Api) -> None:
    tenant = (await three(api))[0]
    boss = await api.person("boss")
    api.join(boss, tenant.organization_id, github="owner")
    path = f"/repositories/{tenant.repository_id}/settings"
    for body in ({"reviews": False, "models": True}, {"reviews": False}, {}):
        assert (await boss.put(path, body)).status_code == 200
    rows = api.sql("SELECT action, subject, details FROM audit_logs WHERE organization_id = %s", (tenant.organization_id,))
    assert rows == [("repository.change", f"repository:{tenant.repository_id}", {"reviews": False})]


@pytest.mark.parametrize("body", [{"review": False}, {"reviews": "no"}, {"index": 2}, []])
async def test_a_misspelt_setting_is_refused(api: Api, body: Any) -> None:
    tenant = (await three(api))[0]
    boss = await api.person("boss")
    api.join(boss, tenant.organization_id, github="owner")
    answer = await boss.call("PUT", f"/repositories/{tenant.repository_id}/settings", json=body)
    assert answer.status_code == 422


def jobs(api: Api) -> list[tuple[Any, ...]]:
    """Those that index something."""
    return api.sql("SELECT id FROM deliveries WHERE action = 'index_repository' ORDER BY sequence")


async def test_switching_the_index_puts_the_job_that_makes_or_forgets_it(api: Api) -> None:
    tenant = (await three(api))[0]
    boss = await api.person("boss")
    api.join(boss, tenant.organization_id, github="owner")
    path = f"/repositories/{tenant.repository_id}/settings"
    await boss.put(path, {"reviews": False})
    assert jobs(api) == []
    await boss.put(path, {"index": False})
    await boss.put(path, {"index": True})
    assert len(jobs(api)) == 2


async def test_a_maintainer_has_it_indexed_once_in_a_minute(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repositories, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))
    tenant = (await three(api))[0]
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, "maintainer")
    api.may_read(mona, tenant)
    path = f"/repositories/{tenant.repository_id}/index"
    answers = [await mona.post(path) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    [job] = {answer.json()["data"]["job"] for answer in answers}
    assert jobs(api) == [(job,)]
    assert (await mona.get(f"/jobs/{job}")).status_code == 200
    rows = api.sql("SELECT action FROM audit_logs WHERE organization_id = %s", (tenant.organization_id,))
    assert rows == [("repository.index",)] * 2


async def test_a_member_may_not_have_it_indexed_nor_anybody_where_it_is_switched_off_or_the_app_is_gone(api: Api) -> None:
    tenant = (await three(api))[0]
    mona, boss = await api.person("mona"), await api.person("boss")
    api.join(mona, tenant.organization_id, "member")
    api.may_read(mona, tenant)
    api.join(boss, tenant.organization_id, github="owner")
    path = f"/repositories/{tenant.repository_id}"
    assert (await mona.post(f"{path}/index")).status_code == 403
    await boss.put(f"{path}/settings", {"index": False})
    assert (await boss.post(f"{path}/index")).status_code == 409
    await boss.put(f"{path}/settings", {"index": True})
    api.sql("UPDATE installations SET state = 'suspended'")
    assert (await boss.post(f"{path}/index")).status_code == 409
