"""Sessions and tries in Redis: what lasts, what is traded, and what many at once come to."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from storage.accounts import sessions as module
from storage.accounts.sessions import MOST, SESSION_SECONDS, Session, Sessions, SessionsAway, UsedTwice, key
from storage.accounts.tries import Tries
from storage.accounts.tries import key as tries_key
from storage.redis_client import AnyRedis, open_redis

pytestmark = pytest.mark.integration


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[AnyRedis]:
    client = open_redis(redis_url)
    yield client
    await client.aclose()


async def test_a_session_is_kept_with_where_it_is_from_and_an_end(redis: AnyRedis) -> None:
    sessions = Sessions(redis)
    session = await sessions.start(7, "192.0.2.1", "a phone \u2026 " + "x" * 300)
    assert await sessions.get(7, session.id) == session
    assert (session.address, len(session.agent)) == ("192.0.2.1", 200)
    assert SESSION_SECONDS - 5 < await redis.ttl(key(7)) <= SESSION_SECONDS
    assert await sessions.get(8, session.id) is None
    assert await sessions.get(7, "another") is None


async def test_a_traded_token_gives_a_new_one_and_all_else_stays(redis: AnyRedis) -> None:
    sessions = Sessions(redis)
    session = await sessions.start(7, "192.0.2.1", "a \u2018phone\u2019")
    traded = await sessions.rotate(7, session.id, session.refresh)
    assert traded is not None
    assert traded.refresh != session.refresh
    assert traded.used >= session.used
    assert (traded.id, traded.user_id, traded.address, traded.agent) == (session.id, 7, session.address, session.agent)
    assert traded.created == pytest.approx(session.created, abs=0.001)


async def test_a_token_that_comes_twice_ends_its_session_and_no_other(redis: AnyRedis) -> None:
    sessions = Sessions(redis)
    session, other = await sessions.start(7, "", ""), await sessions.start(7, "", "")
    await sessions.rotate(7, session.id, session.refresh)
    with pytest.raises(UsedTwice):
        await sessions.rotate(7, session.id, session.refresh)
    assert [kept.id for kept in await sessions.of(7)] == [other.id]
    assert await sessions.rotate(7, session.id, session.refresh) is None


async def test_of_many_who_trade_one_token_at_once_one_wins(redis: AnyRedis) -> None:
    sessions = Sessions(redis)
    session = await sessions.start(7, "", "")
    answers = await asyncio.gather(*[sessions.rotate(7, session.id, session.refresh) for _ in range(8)], return_exceptions=True)
    assert sum(isinstance(answer, UsedTwice) for answer in answers) == 1
    assert sum(isinstance(answer, Session) for answer in answers) == 1
    assert await sessions.of(7) == []


async def test_a_session_that_was_not_used_for_long_is_over_and_makes_way(
    redis: AnyRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = Sessions(redis)
    old = await sessions.start(7, "", "")
    now = time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + SESSION_SECONDS + 1)
    assert await sessions.get(7, old.id) is None
    assert await sessions.of(7) == []
    new = await sessions.start(7, "", "")
    assert [field.decode() for field in await redis.hkeys(key(7))] == [new.id]


async def test_nobody_has_more_sessions_than_one_may_have(redis: AnyRedis) -> None:
    sessions = Sessions(redis)
    started = [await sessions.start(7, "", "") for _ in range(MOST + 1)]
    kept = {session.id for session in await sessions.of(7)}
    assert kept == {session.id for session in started[1:]}


async def test_all_sessions_end_or_all_but_one(redis: AnyRedis) -> None:
    sessions = Sessions(redis)
    started = [await sessions.start(7, "", "") for _ in range(3)]
    other = await sessions.start(8, "", "")
    await sessions.end_all(7, but=started[0].id)
    assert [session.id for session in await sessions.of(7)] == [started[0].id]
    assert await sessions.end(7, started[0].id)
    assert not await sessions.end(7, started[0].id)
    await sessions.end_all(7)
    assert await sessions.of(8) == [other]


async def test_a_redis_that_is_away_is_told() -> None:
    redis = open_redis("redis://127.0.0.1:1")
    with pytest.raises(SessionsAway):
        await Sessions(redis).get(7, "x")
    with pytest.raises(SessionsAway):
        await Tries(redis).take("mona@example.com")
    await redis.aclose()


async def test_of_many_tries_at_once_no_more_come_through_than_may(redis: AnyRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = Tries(redis)
    answers = await asyncio.gather(*[tries.take("mona@example.com") for _ in range(30)])
    assert answers.count(0) == 10
    assert all(0 < seconds <= 300 for seconds in answers if seconds)
    assert await tries.take("MONA@example.com") > 0
    assert await tries.take("other@example.com") == 0


async def test_tries_are_forgotten_after_a_while_and_right_ones_at_once(redis: AnyRedis) -> None:
    tries = Tries(redis)
    for _ in range(20):
        assert await tries.take("mona@example.com") == 0
        await tries.give_back("mona@example.com")
    assert 0 < await redis.ttl(tries_key("mona@example.com")) <= 300
    await tries.give_back("nobody@example.com")
    assert await redis.exists(tries_key("nobody@example.com")) == 0
    assert b"mona" not in (await redis.keys("refactoriq:tries:*"))[0]
