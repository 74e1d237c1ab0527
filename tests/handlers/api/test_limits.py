"""Rate limits over the API: whom they count, before what, and what an answer says of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.accounts.api_keys import ApiKeys
from storage.audit import Act
from tests.builders_api import Api, open_api

pytestmark = pytest.mark.api

LOGIN = {"email": "mona@example.com", "password": "a wrong password"}


@pytest.fixture
async def strict(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API with small limits."""
    async with open_api(database_url, redis_url, tmp_path, requests_per_minute=6, logins_per_minute=3) as opened:
        yield opened
        assert opened.bugs == []


async def a_key_of(api: Api, user_id: int) -> str:
    """An API key, which is a caller of its own."""
    made = await ApiKeys(api.database).add(user_id, "ci", ["account:read"], None, Act("test", "test"))
    assert made is not None
    return made[1]


async def test_every_answer_tells_how_the_caller_stands(strict: Api) -> None:
    mona = await strict.person()
    answer = await mona.get("/auth/me")
    told = {name: answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "policy")}
    assert told == {"limit": "6", "remaining": "5", "policy": "6;w=60"}
    assert 0 < int(answer.headers["ratelimit-reset"]) <= 60
    nowhere = await mona.get("/analyses/0")
    assert (nowhere.status_code, nowhere.headers["ratelimit-remaining"]) == (404, "4")


async def test_who_asks_too_often_is_told_when_to_come_again(strict: Api) -> None:
    mona = await strict.person()
    answers = [await mona.get("/auth/me") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert answers[-1].json()["error"]["code"] == "rate_limited"
    assert answers[-1].headers["retry-after"] == answers[-1].headers["ratelimit-reset"]
    assert answers[-1].headers["ratelimit-remaining"] == "0"


async def test_people_are_counted_by_themselves_and_not_by_the_address_that_they_share(strict: Api) -> None:
    mona = await strict.person("mona")
    for _ in range(7):
        await mona.get("/auth/me")
    key = await a_key_of(strict, mona.id)
    answer = await strict.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.headers["ratelimit-remaining"]) == (200, "5")


async def test_passwords_are_tried_by_address_whosever_account_it_is_and_before_any_is_hashed(
    strict: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    passwords = strict.app._services.accounts.passwords  # type: ignore[union-attr]

    async def match(_: object, password: str) -> bool:
        hashed.append(password)
        return False

    monkeypatch.setattr(type(passwords), "match", lambda self, *given: match(*given))
    answers = [
        await strict.client.post("/api/v1/auth/login", json=LOGIN | {"email": f"{number}@example.com"}) for number in range(5)
    ]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    assert answers[0].headers["ratelimit-policy"] == "3;w=60, 6;w=60"
    assert len(hashed) == 3


async def test_a_body_that_is_none_counts_as_much_as_a_good_one(strict: Api) -> None:
    answers = [await strict.client.post("/api/v1/auth/login", content=b"x" * 2_000_000) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [415] * 3 + [429]


async def test_tokens_that_are_not_valid_count_by_address_and_hold_up_nobody_who_has_one(strict: Api) -> None:
    mona = await strict.person()
    guesses = [
        await strict.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer riq_{number}"}) for number in range(6)
    ]
    assert [guess.status_code for guess in guesses] == [401] * 4 + [429] * 2, "two of six were the person's own signing in"
    assert (await mona.get("/auth/me")).status_code == 200


async def test_health_is_never_limited(strict: Api) -> None:
    answers = [await strict.client.get("/api/v1/health") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers


async def test_without_redis_requests_pass_and_logins_stay_limited(database_url: str, tmp_path: Path) -> None:
    nowhere = "redis://127.0.0.1:1"
    async with open_api(database_url, nowhere, tmp_path, requests_per_minute=2, logins_per_minute=3) as away:
        logins = [await away.client.post("/api/v1/auth/login", json=LOGIN) for _ in range(5)]
        assert [answer.status_code for answer in logins[3:]] == [429, 429]
        assert 429 not in [answer.status_code for answer in logins[:3]]
        others = [await away.client.get("/api/v1/auth/me") for _ in range(5)]
        assert {answer.status_code for answer in others} == {401}
