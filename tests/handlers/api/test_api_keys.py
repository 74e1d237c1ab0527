"""API keys: made by people who signed in, shown once, and good for what their scopes say until they end."""

from typing import Any

import pytest

from handlers.api.api_keys import scopes
from storage.accounts.api_keys import MOST, PREFIX
from tests.builders_api import PASSWORD, Api, Person

pytestmark = pytest.mark.api


async def made(person: Person, *given: str, **more: Any) -> dict[str, Any]:
    answer = await person.post("/auth/api-keys", {"name": "CI", "scopes": list(given), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def by(api: Api, key: str) -> Person:
    """Whoever has that key."""
    return Person(api, 0, 0, "", {"access_token": key})


async def test_a_key_is_shown_once_and_kept_as_a_hash(api: Api) -> None:
    mona = await api.person("mona")
    key = await made(mona, "account:read")
    assert key["key"].startswith(PREFIX)
    assert key["key"].startswith(key["start"])
    listed = (await mona.get("/auth/api-keys")).json()["data"]
    assert [one["id"] for one in listed["items"]] == [key["id"]]
    assert "key" not in listed["items"][0]
    kept = api.sql("SELECT api_keys::text FROM api_keys") + api.sql("SELECT details::text FROM audit_logs")
    assert key["key"] not in str(kept)


async def test_a_key_opens_what_its_scopes_say_and_nothing_else(api: Api) -> None:
    mona = await api.person("mona")
    service = by(api, (await made(mona, "account:read"))["key"])
    assert (await service.get("/auth/me")).json()["data"]["email"] == mona.email
    answer = await service.get("/auth/api-keys")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    assert answer.json()["error"]["details"] == {"needed": "api_key:read"}


async def test_no_key_makes_keys_changes_the_account_or_its_sessions_whatever_its_scopes(api: Api) -> None:
    mona = await api.person("mona")
    service = by(api, (await made(mona, *sorted(scopes())))["key"])
    answers = [
        await service.post("/auth/api-keys", {"name": "more", "scopes": ["account:read"]}),
        await service.delete("/auth/api-keys/1"),
        await service.put("/auth/me", {"full_name": "Other"}),
        await service.post("/auth/password", {"old_password": PASSWORD, "new_password": PASSWORD + "!"}),
        await service.post("/auth/email/confirm-request"),
        await service.get("/auth/sessions"),
        await service.delete("/auth/sessions/x"),
        await service.post("/auth/logout"),
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(403, "forbidden")] * 8
    assert not {"password:write", "api_key:write", "session:write", "account:write"} & scopes()


async def test_a_scope_that_no_endpoint_has_is_refused_and_those_there_are_are_named(api: Api) -> None:
    mona = await api.person("mona")
    answer = await mona.post("/auth/api-keys", {"name": "CI", "scopes": ["account:read", "moon:write"]})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["unknown"] == ["moon:write"]
    assert set(answer.json()["error"]["details"]["known"]) == scopes()


async def test_a_key_ends_by_itself_and_when_it_is_deleted(api: Api) -> None:
    mona, other = await api.person("mona"), await api.person("other")
    first, second = await made(mona, "account:read", expires_in_days=1), await made(mona, "account:read")
    assert (await other.delete(f"/auth/api-keys/{first['id']}")).status_code == 404
    assert (await mona.delete(f"/auth/api-keys/{first['id']}")).status_code == 200
    assert (await by(api, first["key"]).get("/auth/me")).status_code == 401
    assert (await by(api, second["key"]).get("/auth/me")).status_code == 200
    api.sql("UPDATE api_keys SET expires_at = now() - interval '1 second'")
    assert (await by(api, second["key"]).get("/auth/me")).status_code == 401


async def test_the_last_use_of_a_key_is_kept(api: Api) -> None:
    mona = await api.person("mona")
    key = await made(mona, "account:read")
    assert key["last_used_at"] is None
    await by(api, key["key"]).get("/auth/me")
    assert (await mona.get("/auth/api-keys")).json()["data"]["items"][0]["last_used_at"] is not None


async def test_keys_come_in_pages_the_newest_first(api: Api) -> None:
    mona = await api.person("mona")
    ids = [(await made(mona, "account:read"))["id"] for _ in range(3)]
    first = (await mona.get("/auth/api-keys?limit=2")).json()["data"]
    second = (await mona.get(f"/auth/api-keys?limit=2&cursor={first['next_cursor']}")).json()["data"]
    assert [key["id"] for key in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None


async def test_nobody_has_more_keys_than_one_may_have(api: Api) -> None:
    mona = await api.person("mona")
    api.sql(
        "INSERT INTO api_keys (user_id, name, start, hash, scopes)"
        f" SELECT {mona.id}, 'k', 'riq_', sha256(n::text::bytea), '{{}}' FROM generate_series(1, {MOST}) AS n"
    )
    answer = await mona.post("/auth/api-keys", {"name": "CI", "scopes": ["account:read"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


async def test_the_keys_of_a_closed_account_are_gone_for_good(api: Api) -> None:
    admin, mona = await api.person("admin", administrator=True), await api.person("mona")
    key = (await made(mona, "account:read"))["key"]
    for disabled in (True, False):
        assert (await admin.put(f"/users/{mona.id}", {"disabled": disabled})).status_code == 200
        assert (await by(api, key).get("/auth/me")).status_code == 401
