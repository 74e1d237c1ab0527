"""How often somebody may come: counted in Redis, exact over a moving window, and without Redis only where it matters."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from storage import limits as module
from storage.limits import MOST_REMEMBERED, Limits, Rate, Rates, network_of
from storage.redis_client import AnyRedis, open_redis

pytestmark = pytest.mark.integration

THREE = Rate("requests", 3, 60)
RATES = Rates(THREE, THREE, THREE)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[AnyRedis]:
    opened = open_redis(redis_url)
    yield opened
    await opened.aclose()


@pytest.fixture
async def away() -> AsyncIterator[AnyRedis]:
    opened = open_redis("redis://127.0.0.1:1")
    yield opened
    await opened.aclose()


async def test_the_fourth_of_three_is_one_too_many_and_is_told_when_to_come_again(redis: AnyRedis) -> None:
    limits = Limits(redis, RATES)
    standings = [await limits.hit(THREE, "192.0.2.7") for _ in range(4)]
    assert [s and (s.allowed, s.remaining) for s in standings] == [(True, 2), (True, 1), (True, 0), (False, 0)]
    assert standings[-1] is not None and 55 <= standings[-1].reset <= 60


async def test_others_and_other_limits_are_counted_apart(redis: AnyRedis) -> None:
    limits = Limits(redis, RATES)
    for _ in range(4):
        await limits.hit(THREE, "192.0.2.7")
    for rate, who in ((THREE, "192.0.2.8"), (Rate("logins", 3, 60), "192.0.2.7")):
        standing = await limits.hit(rate, who)
        assert standing is not None and standing.remaining == 2


async def test_two_processes_count_together(redis: AnyRedis) -> None:
    one, two = Limits(redis, RATES), Limits(redis, RATES)
    standings = await asyncio.gather(*(each.hit(THREE, "192.0.2.7") for each in (one, two) * 5))
    assert sum(standing is not None and standing.allowed for standing in standings) == 3


async def test_the_window_moves_with_the_clock(redis: AnyRedis) -> None:
    limits, short = Limits(redis, RATES), Rate("requests", 1, 1)
    assert [(await limits.hit(short, "a")).allowed for _ in range(2)] == [True, False]  # type: ignore[union-attr]
    await asyncio.sleep(1.05)
    standing = await limits.hit(short, "a")
    assert standing is not None and standing.allowed


async def test_the_keys_are_the_documented_ones_and_are_gone_with_their_window(redis: AnyRedis) -> None:
    limits = Limits(redis, RATES)
    for _ in range(10):
        await limits.hit(THREE, "192.0.2.7")
    assert await redis.keys("*") == [b"rate_limit:192.0.2.7:requests"]
    assert 0 < await redis.ttl("rate_limit:192.0.2.7:requests") <= 60
    assert await redis.llen("rate_limit:192.0.2.7:requests") == 3, "what is refused takes no memory"


async def test_while_redis_is_away_all_pass_but_logins_and_the_log_says_so_once(away: AnyRedis) -> None:
    limits = Limits(away, RATES)
    with capture_logs() as logs:
        assert [await limits.hit(THREE, "192.0.2.7") for _ in range(10)] == [None] * 10
        logins = [await limits.hit(THREE, "192.0.2.7", even_alone=True) for _ in range(4)]
    assert [login and login.allowed for login in logins] == [True, True, True, False]
    assert [line["event"] for line in logs] == ["rate limits away"]


async def test_addresses_without_end_fill_no_memory_while_redis_is_away(
    away: AnyRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_IN_MEMORY", 5)
    limits = Limits(away, RATES)
    logins = [await limits.hit(THREE, f"192.0.2.{number}", even_alone=True) for number in range(8)]
    assert [login and login.allowed for login in logins] == [True] * 5 + [False] * 3
    known = await limits.hit(THREE, "192.0.2.0", even_alone=True)
    assert known is not None and known.allowed


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "unknown"),
        ("a" * 10_000, "unknown"),
        ("{x}:requests", "unknown"),
    ],
)
def test_an_address_stands_for_whoever_has_all_of_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_a_limit_of_many_is_counted_by_numbers_that_do_not_grow_with_it(redis: AnyRedis) -> None:
    many = Rate("requests", MOST_REMEMBERED + 500, 60)
    limits = Limits(redis, Rates(many, many, many))
    standings = [await limits.hit(many, "user-1") for _ in range(many.amount + 20)]
    assert sum(standing.allowed for standing in standings if standing) == many.amount
    kept = [await redis.memory_usage(key) for key in await redis.keys("rate_limit:*")]
    assert kept and all(size < 300 for size in kept)
