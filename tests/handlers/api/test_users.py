"""The users of an installation, as its administrators find, make, close and promote them."""

import asyncio

import pytest

from tests.builders_api import PASSWORD, Api
from tests.mailbox import mails_to, token_in

pytestmark = pytest.mark.api


async def test_only_administrators_see_the_users(api: Api) -> None:
    mona = await api.person("mona")
    answers = [
        await mona.get("/users"),
        await mona.get(f"/users/{mona.id}"),
        await mona.post("/users", {"email": "new@example.com"}),
        await mona.put(f"/users/{mona.id}", {"administrator": True}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert api.sql("SELECT administrator FROM users") == [(False,)]


async def test_users_come_in_pages_the_newest_first(api: Api) -> None:
    admin = await api.person("admin", administrator=True)
    others = [await api.person(name) for name in ("anna", "bert", "carl")]
    seen, cursor = [], ""
    for _ in range(2):
        page = (await admin.get(f"/users?limit=2{cursor}")).json()["data"]
        seen += [user["id"] for user in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [user.id for user in reversed([admin, *others])]
    assert page["next_cursor"] is None


async def test_users_are_found_by_the_beginning_of_their_address(api: Api) -> None:
    admin = await api.person("zadmin", administrator=True)
    for name in ("Mona", "monika", "mo%", "anna", "mö"):
        await api.person(name)
    seen, cursor = [], ""
    while cursor is not None:
        query = {"search": "MO", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get("/users", params=query)).json()["data"]
        seen += [user["email"] for user in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["mo%@example.com", "Mona@example.com", "monika@example.com"]
    assert (await admin.get("/users", params={"search": "mo%"})).json()["data"]["items"][0]["email"] == "mo%@example.com"
    assert (await admin.get("/users", params={"search": "mö"})).json()["data"]["items"][0]["email"] == "mö@example.com"
    assert (await admin.get("/users", params={"search": "mo", "cursor": "x"})).status_code == 400


async def test_closing_an_account_ends_its_sessions_at_once_and_opening_it_brings_none_back(api: Api) -> None:
    admin, mona = await api.person("admin", administrator=True), await api.person("mona")
    answer = await admin.put(f"/users/{mona.id}", {"disabled": True})
    assert answer.json()["data"]["disabled_at"] is not None
    assert (await mona.get("/auth/me")).status_code == 401
    answer = await admin.put(f"/users/{mona.id}", {"disabled": False})
    assert answer.json()["data"]["disabled_at"] is None
    assert (await mona.get("/auth/me")).status_code == 401
    again = await api.client.post("/api/v1/auth/login", json={"email": mona.email, "password": PASSWORD})
    assert again.status_code == 200
    rows = api.sql("SELECT subject, details FROM audit_logs WHERE action = 'user.change' ORDER BY id")
    assert rows == [(f"user:{mona.id}", {"disabled": True}), (f"user:{mona.id}", {"disabled": False})]


async def test_the_last_administrator_stays_one(api: Api) -> None:
    admin = await api.person("admin", administrator=True)
    for change in {"administrator": False}, {"disabled": True}:
        answer = await admin.put(f"/users/{admin.id}", change)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert api.sql("SELECT administrator, disabled_at FROM users") == [(True, None)]
    closed = await api.person("closed", administrator=True)
    api.sql("UPDATE users SET disabled_at = now() WHERE id = %s", (closed.id,))
    assert (await admin.put(f"/users/{admin.id}", {"administrator": False})).status_code == 409


async def test_of_two_administrators_who_remove_each_other_at_once_one_stays(api: Api) -> None:
    first, second = [await api.person(name, administrator=True) for name in ("first", "second")]
    for _ in range(3):
        answers = await asyncio.gather(
            first.put(f"/users/{second.id}", {"administrator": False}),
            second.put(f"/users/{first.id}", {"administrator": False}),
        )
        assert sorted(answer.status_code for answer in answers) in ([200, 403], [200, 409])
        assert api.sql("SELECT count(*) FROM users WHERE administrator") == [(1,)]
        api.sql("UPDATE users SET administrator = true")


async def test_an_administrator_makes_an_account_whose_owner_chooses_the_password_by_mail(api: Api) -> None:
    admin = await api.person("admin", administrator=True)
    made = await admin.post("/users", {"email": "new@example.com", "full_name": "Somebody New"})
    assert made.status_code == 201
    login = {"email": "new@example.com", "password": ""}
    assert (await api.client.post("/api/v1/auth/login", json=login)).status_code == 401
    await api.work()
    (mail,) = mails_to(api.settings.data_dir, "new@example.com")
    body = {"token": token_in(mail), "new_password": PASSWORD}
    assert (await api.client.post("/api/v1/auth/password/reset", json=body)).status_code == 200
    signed_in = await api.client.post("/api/v1/auth/login", json={"email": "new@example.com", "password": PASSWORD})
    assert signed_in.status_code == 200
    shown = (await admin.get(f"/users/{made.json()['data']['id']}")).json()["data"]
    assert (shown["full_name"], shown["email_confirmed"]) == ("Somebody New", True)
    assert shown["last_login_at"] is not None


async def test_an_account_with_a_password_may_sign_in_at_once(api: Api) -> None:
    admin = await api.person("admin", administrator=True)
    weak = await admin.post("/users", {"email": "new@example.com", "password": "new@example.com"})
    assert weak.status_code == 422
    made = await admin.post("/users", {"email": "new@example.com", "password": PASSWORD, "administrator": True})
    assert made.json()["data"]["administrator"] is True
    assert (await admin.post("/users", {"email": "NEW@example.com", "password": PASSWORD})).status_code == 409
    signed_in = await api.client.post("/api/v1/auth/login", json={"email": "new@example.com", "password": PASSWORD})
    assert signed_in.status_code == 200


async def test_a_user_who_is_not_there_is_not_found(api: Api) -> None:
    admin = await api.person("admin", administrator=True)
    assert (await admin.get("/users/999999")).status_code == 404
    assert (await admin.put("/users/999999", {"disabled": True})).status_code == 404
