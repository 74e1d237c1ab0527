"""Organizations and their members: who is listed, who gives roles, and what GitHub leaves no choice about."""

import pytest

from tests.builders_api import Api, Person

pytestmark = pytest.mark.api


async def an_organization(api: Api, *, owner: str = "here") -> tuple[int, Person]:
    """octo-100 with an owner, by a role set here or by GitHub."""
    tenant = (await api.organization())[0]
    boss = await api.person("boss")
    if owner == "here":
        api.join(boss, tenant.organization_id, "owner")
    else:
        api.join(boss, tenant.organization_id, github="owner")
    return tenant.organization_id, boss


async def test_everybody_has_a_place_of_their_own_and_sees_the_organizations_that_they_belong_to(api: Api) -> None:
    octo, boss = await an_organization(api)
    await api.organization(200)
    items = (await boss.get("/organizations")).json()["data"]["items"]
    assert [(one["login"], one["kind"], one["role"], one["reads_everything"]) for one in items] == [
        ("octo-100", "Organization", "owner", False),
        ("boss", "Personal", "owner", True),
    ]
    assert (await boss.get(f"/organizations/{octo}")).json()["data"]["login"] == "octo-100"


async def test_organizations_come_in_pages(api: Api) -> None:
    mona = await api.person("mona")
    for account in (100, 200, 300):
        api.join(mona, (await api.organization(account))[0].organization_id, "viewer")
    first = (await mona.get("/organizations", params={"limit": 3})).json()["data"]
    second = (await mona.get("/organizations", params={"limit": 3, "cursor": first["next_cursor"]})).json()["data"]
    logins = [one["login"] for one in first["items"] + second["items"]]
    assert sorted(logins) == ["mona", "octo-100", "octo-200", "octo-300"]
    assert second["next_cursor"] is None


async def test_an_organization_of_others_does_not_exist(api: Api) -> None:
    octo, boss = await an_organization(api)
    stranger = await api.person("stranger")
    answers = [
        await stranger.get(f"/organizations/{octo}"),
        await stranger.get(f"/organizations/{octo}/members"),
        await stranger.post(f"/organizations/{octo}/members", {"user_id": stranger.id, "role": "owner"}),
        await stranger.put(f"/organizations/{octo}/members/{boss.id}", {"role": "viewer"}),
        await stranger.delete(f"/organizations/{octo}/members/{boss.id}"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert {answer.json()["error"]["message"] for answer in answers} == {"There is no such organization."}


async def test_members_are_listed_in_pages_with_the_roles_that_count(api: Api) -> None:
    octo, boss = await an_organization(api, owner="github")
    mona = await api.person("mona")
    api.join(mona, octo, "admin", github="member")
    api.sql("UPDATE users SET github_login = 'mona' WHERE id = %s", (mona.id,))
    first = (await mona.get(f"/organizations/{octo}/members", params={"limit": 1})).json()["data"]
    cursor = first["next_cursor"]
    second = (await mona.get(f"/organizations/{octo}/members", params={"limit": 1, "cursor": cursor})).json()["data"]
    shown = [
        (one["user_id"], one["github_login"], one["email"], one["role"], one["role_set_here"], one["role_on_github"])
        for one in first["items"] + second["items"]
    ]
    assert shown == [
        (boss.id, "", "boss@example.com", "owner", None, "owner"),
        (mona.id, "mona", None, "admin", "admin", "member"),
    ]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("role", ["viewer", "member", "maintainer", "admin"])
async def test_only_owners_give_roles_and_nobody_raises_themselves(api: Api, role: str) -> None:
    octo, boss = await an_organization(api)
    mona = await api.person("mona")
    api.join(mona, octo, role)
    answers = [
        await mona.put(f"/organizations/{octo}/members/{mona.id}", {"role": "owner"}),
        await mona.post(f"/organizations/{octo}/members", {"user_id": mona.id, "role": "owner"}),
        await mona.delete(f"/organizations/{octo}/members/{boss.id}"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert (await mona.get(f"/organizations/{octo}/members")).status_code == (200 if role == "admin" else 403)


async def test_a_member_is_added_by_id_by_login_and_by_an_address_that_they_proved(api: Api) -> None:
    octo, boss = await an_organization(api)
    people = [await api.person(name) for name in ("ann", "ben", "cid")]
    for person in (boss, people[0]):
        api.join(person, (await api.organization(200))[0].organization_id, "admin")
    api.sql("UPDATE users SET github_login = 'BenOnGitHub' WHERE id = %s", (people[1].id,))
    api.sql("UPDATE users SET confirmed_at = now() WHERE id = %s", (people[2].id,))
    ways = [{"user_id": people[0].id}, {"github_login": "benongithub"}, {"email": "CID@example.com"}]
    answers = [await boss.post(f"/organizations/{octo}/members", {**way, "role": "member"}) for way in ways]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert [answer.json()["data"]["user_id"] for answer in answers] == [person.id for person in people]
    assert (await people[0].get(f"/organizations/{octo}")).json()["data"]["role"] == "member"


async def test_whoever_counts_through_ids_learns_nothing_of_strangers(api: Api) -> None:
    octo, boss = await an_organization(api)
    ann = await api.person("ann")
    elsewhere = (await api.organization(200))[0].organization_id
    api.join(boss, elsewhere, "maintainer")
    api.join(ann, elsewhere, "owner")
    answer = await boss.post(f"/organizations/{octo}/members", {"user_id": ann.id, "role": "viewer"})
    unknown = await boss.post(f"/organizations/{octo}/members", {"user_id": 999_999, "role": "viewer"})
    assert (answer.status_code, unknown.status_code) == (404, 404)
    assert answer.json()["error"] == unknown.json()["error"]


async def test_nobody_gets_a_role_by_registering_with_somebody_elses_address(api: Api) -> None:
    octo, boss = await an_organization(api)
    await api.person("ceo")
    answer = await boss.post(f"/organizations/{octo}/members", {"email": "ceo@example.com", "role": "owner"})
    unknown = await boss.post(f"/organizations/{octo}/members", {"email": "nobody@example.com", "role": "owner"})
    assert (answer.status_code, unknown.status_code) == (404, 404)
    assert answer.json()["error"] == unknown.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"role": "member"},
        {"user_id": 1, "email": "x@example.com", "role": "member"},
        {"user_id": 1, "role": "king"},
        {"user_id": 1, "role": None},
        {"github_login": "", "role": "member", "more": 1},
    ],
)
async def test_who_and_which_role_must_be_said_clearly(api: Api, body: dict[str, object]) -> None:
    octo, boss = await an_organization(api)
    assert (await boss.post(f"/organizations/{octo}/members", body)).status_code == 422


async def test_an_empty_login_is_nobody(api: Api) -> None:
    octo, boss = await an_organization(api)
    await api.person("ann")
    answer = await boss.post(f"/organizations/{octo}/members", {"github_login": "", "role": "member"})
    assert answer.status_code == 404


async def test_a_member_is_not_added_twice_and_nobody_to_a_persons_own_place(api: Api) -> None:
    octo, boss = await an_organization(api)
    ann = await api.person("ann")
    again = await boss.post(f"/organizations/{octo}/members", {"user_id": boss.id, "role": "viewer"})
    home = await boss.post(f"/organizations/{boss.home}/members", {"user_id": ann.id, "role": "viewer"})
    assert (again.status_code, home.status_code) == (409, 409)


async def test_a_role_that_was_set_here_stands_before_githubs_and_null_leaves_it_to_github(api: Api) -> None:
    octo, boss = await an_organization(api)
    mona = await api.person("mona")
    api.join(mona, octo, github="member")
    path = f"/organizations/{octo}/members/{mona.id}"
    given = [(await boss.put(path, {"role": role})).json()["data"]["role"] for role in ("maintainer", "viewer", None)]
    assert given == ["maintainer", "viewer", "member"]


async def test_whom_github_makes_an_owner_is_one_and_cannot_be_changed_here(api: Api) -> None:
    octo, boss = await an_organization(api)
    mona = await api.person("mona")
    api.join(mona, octo, "viewer", github="owner")
    assert (await mona.get(f"/organizations/{octo}")).json()["data"]["role"] == "owner"
    answers = [
        await boss.put(f"/organizations/{octo}/members/{mona.id}", {"role": "member"}),
        await boss.delete(f"/organizations/{octo}/members/{mona.id}"),
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(409, "conflict")] * 2


async def test_the_last_owner_stays_until_there_is_another(api: Api) -> None:
    octo, boss = await an_organization(api)
    ann = await api.person("ann")
    api.join(ann, octo, "admin")
    path = f"/organizations/{octo}/members/{boss.id}"
    assert (await boss.put(path, {"role": "admin"})).status_code == 409
    assert (await boss.delete(path)).status_code == 409
    assert (await boss.put(path, {"role": "owner"})).status_code == 200
    assert (await boss.put(f"/organizations/{octo}/members/{ann.id}", {"role": "owner"})).status_code == 200
    assert (await boss.delete(path)).status_code == 200
    assert (await boss.get(f"/organizations/{octo}")).status_code == 404


async def test_a_persons_own_place_keeps_its_owner(api: Api) -> None:
    boss = await api.person("boss")
    assert (await boss.delete(f"/organizations/{boss.home}/members/{boss.id}")).status_code == 409


async def test_whoever_is_removed_sees_nothing_of_it_any_more_at_once(api: Api) -> None:
    octo, boss = await an_organization(api)
    mona = await api.person("mona")
    api.join(mona, octo, "member")
    assert (await boss.delete(f"/organizations/{octo}/members/{mona.id}")).status_code == 200
    assert (await mona.get(f"/organizations/{octo}")).status_code == 404
    assert (await boss.delete(f"/organizations/{octo}/members/{mona.id}")).status_code == 404


async def test_whom_github_calls_a_member_is_not_removed_here(api: Api) -> None:
    octo, boss = await an_organization(api)
    mona = await api.person("mona")
    api.join(mona, octo, github="member")
    answer = await boss.delete(f"/organizations/{octo}/members/{mona.id}")
    assert (answer.status_code, "GitHub" in answer.json()["error"]["message"]) == (409, True)


async def test_each_change_is_on_record_in_the_organization(api: Api) -> None:
    octo, boss = await an_organization(api)
    mona = await api.person("mona")
    api.sql("UPDATE users SET confirmed_at = now() WHERE id = %s", (mona.id,))
    await boss.post(f"/organizations/{octo}/members", {"email": mona.email, "role": "member"})
    await boss.put(f"/organizations/{octo}/members/{mona.id}", {"role": "admin"})
    await boss.delete(f"/organizations/{octo}/members/{mona.id}")
    rows = api.sql("SELECT action, actor_id, subject, details FROM audit_logs WHERE organization_id = %s ORDER BY id", (octo,))
    assert rows == [
        ("member.add", boss.id, f"user:{mona.id}", {"role": "member"}),
        ("member.set_role", boss.id, f"user:{mona.id}", {"role": "admin", "before": "member"}),
        ("member.remove", boss.id, f"user:{mona.id}", {"role": None, "before": "admin"}),
    ]
