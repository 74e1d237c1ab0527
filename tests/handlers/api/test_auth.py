"""Sessions: registering, signing in and out, refreshing, and guessing at passwords."""

import asyncio
from pathlib import Path

import pytest
import redis
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from handlers.api.passwords import Passwords
from storage.accounts.tries import MOST
from tests.builders_api import PASSWORD, Api, Person, open_api

pytestmark = pytest.mark.api


async def login(api: Api, email: str, password: str = PASSWORD) -> tuple[int, dict]:
    answer = await api.client.post("/api/v1/auth/login", json={"email": email, "password": password})
    return answer.status_code, answer.json()


async def register(api: Api, email: str, password: str = PASSWORD) -> tuple[int, dict]:
    answer = await api.client.post("/api/v1/auth/register", json={"email": email, "password": password})
    return answer.status_code, answer.json()


async def refresh(api: Api, token: str) -> tuple[int, dict]:
    answer = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": token})
    return answer.status_code, answer.json()


def counted(api: Api) -> dict[str, int]:
    with redis.Redis.from_url(api.settings.redis_url.get_secret_value(), decode_responses=True) as kept:
        return {name: int(float(number)) for name, number in kept.hgetall("refactoriq:counts").items()}


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
    assert counted(api)["security_events|refused_logins"] == 2


async def test_what_was_typed_at_a_refused_login_is_not_in_the_log(api: Api) -> None:
    await api.person("mona")
    with capture_logs() as lines:
        await login(api, "my password by mistake", "wrong-secret")
    noted = [line for line in lines if line["event"] == "refused logins"]
    assert len(noted) == 1
    assert "mistake" not in str(lines)
    assert "wrong-secret" not in str(lines)


@pytest.mark.parametrize("again", ["MONA@Example.com", "mona@EXAMPLE.COM"])
async def test_an_address_is_the_same_in_any_case_of_its_letters(api: Api, again: str) -> None:
    assert (await register(api, "mona@example.com"))[0] == 201
    assert (await login(api, again))[0] == 200
    assert (await register(api, again))[0] == 409


async def test_accents_are_the_same_however_a_keyboard_sends_them(api: Api) -> None:
    assert (await register(api, "ren\u00e9@example.com", "un mot de passe \u00e9t\u00e9"))[0] == 201
    assert (await login(api, "rene\u0301@example.com", "un mot de passe e\u0301te\u0301"))[0] == 200


async def test_of_two_registrations_at_once_with_one_address_one_wins(api: Api) -> None:
    answers = await asyncio.gather(*[register(api, address) for address in ("mona@example.com", "Mona@example.com")])
    assert sorted(status for status, _ in answers) == [201, 409]
    assert api.sql("SELECT count(*) FROM users") == [(1,)]
    assert api.sql("SELECT count(*) FROM organizations") == [(1,)]


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("short", "at least 12"),
        ("mona@example.com", "must not be the e-mail address"),
        ("Password1234!", "tried first"),
        ("aaaaaaaaaaab", "few characters"),
    ],
)
async def test_a_password_that_is_guessed_first_is_refused_and_not_repeated(api: Api, password: str, because: str) -> None:
    status, answer = await register(api, "mona@example.com", password)
    assert status == 422
    assert because in answer["error"]["message"]
    assert answer["error"]["details"][0]["at"] == "password"
    assert password not in str(answer)
    assert api.sql("SELECT count(*) FROM users") == [(0,)]


async def test_where_registration_is_off_nobody_registers(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with open_api(database_url, redis_url, tmp_path, registration=False) as api:
        status, answer = await register(api, "mona@example.com")
        assert (status, answer["error"]["code"]) == (403, "forbidden")
        assert "administrator" in answer["error"]["message"]
        assert api.sql("SELECT count(*) FROM users") == [(0,)]


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_session(api: Api) -> None:
    mona = await api.person("mona")
    first = mona.tokens["refresh_token"]
    _, second = await refresh(api, first)
    assert (await refresh(api, first))[0] == 401
    assert (await refresh(api, second["data"]["refresh_token"]))[0] == 401
    assert (await mona.get("/auth/me")).status_code == 401
    assert counted(api)["security_events|reused_refresh_tokens"] == 1
    assert ("session.refresh", "mona@example.com") in api.sql("SELECT action, actor FROM audit_logs")


async def test_refreshed_tokens_go_on_and_the_other_sessions_are_not_touched(api: Api) -> None:
    mona = await api.person("mona")
    _, elsewhere = await login(api, mona.email)
    token = mona.tokens["refresh_token"]
    for _ in range(3):
        status, answer = await refresh(api, token)
        assert status == 200
        token = answer["data"]["refresh_token"]
    mona.tokens = answer["data"]
    assert (await mona.get("/auth/me")).status_code == 200
    await refresh(api, mona.tokens["refresh_token"])
    await refresh(api, mona.tokens["refresh_token"])
    mona.tokens = elsewhere["data"]
    assert (await mona.get("/auth/me")).status_code == 200


async def test_of_two_refreshes_at_once_with_one_token_no_two_sessions_come(api: Api) -> None:
    mona = await api.person("mona")
    answers = await asyncio.gather(*[refresh(api, mona.tokens["refresh_token"]) for _ in range(2)])
    assert sorted(status for status, _ in answers) == [200, 401]
    assert (await mona.get("/auth/me")).status_code == 401


async def test_a_token_that_is_over_keeps_nobody_from_getting_a_new_one(api: Api) -> None:
    mona = await api.person()
    old = {"authorization": "Bearer over.and.gone"}
    answer = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": mona.tokens["refresh_token"]}, headers=old)
    assert answer.status_code == 200, answer.text
    signed_in = await api.client.post("/api/v1/auth/login", json={"email": mona.email, "password": PASSWORD}, headers=old)
    assert signed_in.status_code == 200, signed_in.text
    assert (await api.client.get("/api/v1/health", headers=old)).status_code == 200


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(api: Api) -> None:
    mona = await api.person("mona")
    assert (await refresh(api, mona.tokens["access_token"]))[0] == 401
    mona.tokens["access_token"] = mona.tokens["refresh_token"]
    assert (await mona.get("/auth/me")).status_code == 401
    assert counted(api)["security_events|refused_tokens"] == 2


async def test_a_user_who_was_closed_neither_asks_nor_refreshes_nor_signs_in(api: Api) -> None:
    mona = await api.person("mona")
    api.sql("UPDATE users SET disabled_at = now()")
    assert (await mona.get("/auth/me")).status_code == 401
    assert (await refresh(api, mona.tokens["refresh_token"]))[0] == 401
    status, answer = await login(api, mona.email)
    assert (status, answer["error"]["code"]) == (401, "invalid_credentials")


async def test_a_redis_that_lost_everything_means_a_new_login_and_nothing_worse(api: Api) -> None:
    mona = await api.person("mona")
    with redis.Redis.from_url(api.settings.redis_url.get_secret_value()) as kept:
        kept.flushdb()
    assert (await mona.get("/auth/me")).status_code == 401
    assert (await refresh(api, mona.tokens["refresh_token"]))[0] == 401
    _, answer = await login(api, mona.email)
    mona.tokens = answer["data"]
    assert (await mona.get("/auth/me")).status_code == 200


async def test_while_redis_is_away_signing_in_says_so(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with open_api(database_url, redis_url, tmp_path) as api:
        mona = await api.person("mona")
    async with open_api(database_url, redis_url, tmp_path, redis_cache_url="redis://127.0.0.1:1") as away:
        mona.api = away
        answers = [await away.client.post("/api/v1/auth/login", json={"email": mona.email, "password": PASSWORD})]
        answers.append(await mona.get("/auth/me"))
        assert [answer.status_code for answer in answers] == [503, 503]
        assert {answer.json()["error"]["code"] for answer in answers} == {"unavailable"}
        assert away.bugs == []


async def test_logging_out_ends_the_access_token_at_once(api: Api) -> None:
    mona = await api.person("mona")
    assert (await mona.post("/auth/logout")).status_code == 200
    assert (await mona.get("/auth/me")).status_code == 401
    assert (await refresh(api, mona.tokens["refresh_token"]))[0] == 401


async def test_logging_out_everywhere_ends_every_session(api: Api) -> None:
    mona = await api.person("mona")
    _, elsewhere = await login(api, mona.email)
    assert (await mona.post("/auth/logout?all=true")).status_code == 200
    assert (await mona.get("/auth/me")).status_code == 401
    mona.tokens = elsewhere["data"]
    assert (await mona.get("/auth/me")).status_code == 401


async def test_one_sees_where_one_is_signed_in_and_signs_out_there(api: Api) -> None:
    mona, other = await api.person("mona"), await api.person("other")
    agent = {"User-Agent": "a phone"}
    phone = await api.client.post("/api/v1/auth/login", json={"email": mona.email, "password": PASSWORD}, headers=agent)
    sessions = (await mona.get("/auth/sessions")).json()["data"]["items"]
    assert sessions[0]["user_agent"] == "a phone"
    assert [session["current"] for session in sessions] == [False, True]
    assert (await other.delete(f"/auth/sessions/{sessions[0]['id']}")).status_code == 404
    assert (await mona.delete(f"/auth/sessions/{sessions[0]['id']}")).status_code == 200
    assert (await mona.delete(f"/auth/sessions/{sessions[0]['id']}")).status_code == 404
    assert (await mona.get("/auth/me")).status_code == 200
    assert (await Person(api, 0, 0, "", phone.json()["data"]).get("/auth/me")).status_code == 401


async def test_guessing_at_one_account_is_stopped_and_its_owner_still_gets_in_from_where_they_are(api: Api) -> None:
    mona = await api.person("mona")
    statuses = [(await login(api, mona.email, f"guess number {number}"))[0] for number in range(MOST)]
    assert set(statuses) == {401}
    assert (await login(api, mona.email))[0] == 200  # signed in from this address before
    assert (await mona.post("/auth/logout?all=true")).status_code == 200
    status, answer = await login(api, mona.email)
    assert (status, answer["error"]["code"]) == (429, "rate_limited")
    assert "mail" in answer["error"]["message"]


async def test_guesses_that_are_not_looked_at_do_not_lengthen_the_wait(api: Api) -> None:
    for _ in range(MOST):
        await login(api, "nobody@example.com", "wrong")
    with redis.Redis.from_url(api.settings.redis_url.get_secret_value()) as kept:
        (name,) = kept.keys("refactoriq:tries:*")
        kept.expire(name, 100)
        for _ in range(3):
            answer = await api.client.post("/api/v1/auth/login", json={"email": "Nobody@example.com", "password": "wrong"})
            assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) <= 100
        assert kept.ttl(name) <= 100


async def test_right_passwords_are_never_too_many(api: Api) -> None:
    mona = await api.person("mona")
    await mona.post("/auth/logout?all=true")
    for _ in range(MOST + 2):
        status, answer = await login(api, mona.email)
        assert status == 200
        await Person(api, 0, 0, "", answer["data"]).post("/auth/logout")


async def test_a_password_hashed_by_older_parameters_is_hashed_anew_at_login(api: Api) -> None:
    mona = await api.person("mona")
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    api.sql("UPDATE users SET password_hash = %s", (old,))
    assert (await login(api, mona.email, "wrong password!"))[0] == 401
    assert api.sql("SELECT password_hash FROM users") == [(old,)]
    assert (await login(api, mona.email))[0] == 200
    (new,) = api.sql("SELECT password_hash FROM users")[0]
    assert new != old
    assert not Passwords().outdated(new)
    assert (await login(api, mona.email))[0] == 200


async def test_signing_in_and_out_is_on_record_with_the_address(api: Api) -> None:
    mona = await api.person("mona")
    await mona.post("/auth/logout")
    rows = api.sql("SELECT action, actor, actor_id, address FROM audit_logs WHERE action LIKE 'session.%' ORDER BY id")
    assert rows == [
        ("session.start", "mona@example.com", mona.id, "127.0.0.1"),
        ("session.end", "mona@example.com", mona.id, "127.0.0.1"),
    ]
