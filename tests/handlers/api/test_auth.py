"""Accounts: registering, signing in and out, and refreshing."""

import pytest

from tests.builders_api import PASSWORD, Api

pytestmark = pytest.mark.api


async def test_whoever_registers_signs_in_and_sees_their_own_account(api: Api) -> None:
    mona = await api.person("mona")
    answer = await mona.get("/auth/me")
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert answer.json()["data"]["email"] == "mona@example.com"
    assert mona.tokens["token_type"] == "bearer"
    assert mona.tokens["expires_in"] == 1800


async def test_a_wrong_password_and_an_unknown_address_are_told_the_same(api: Api) -> None:
    await api.person("mona")
    answers = [
        await api.client.post("/api/v1/auth/login", json={"email": email, "password": password})
        for email, password in (("mona@example.com", "wrong"), ("nobody@example.com", PASSWORD))
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_session(api: Api) -> None:
    mona = await api.person("mona")
    first = {"refresh_token": mona.tokens["refresh_token"]}
    second = (await api.client.post("/api/v1/auth/refresh", json=first)).json()["data"]
    assert (await api.client.post("/api/v1/auth/refresh", json=first)).status_code == 401
    again = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert again.status_code == 401
    assert (await mona.get("/auth/me")).status_code == 401


async def test_logging_out_ends_the_access_token_at_once(api: Api) -> None:
    mona = await api.person("mona")
    assert (await mona.post("/auth/logout")).status_code == 200
    assert (await mona.get("/auth/me")).status_code == 401
