"""How often somebody may come: counted in Redis for all processes, over a window that moves with the clock."""

import ipaddress
import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter

from storage.outage import Outage
from storage.redis_client import REDIS_ERRORS, AnyRedis

PREFIX = "rate_limit"

MOST_IN_MEMORY = 10_000
"""Addresses whose logins one process counts while Redis is away: beyond them nobody new may log in until it is back."""


MOST_REMEMBERED = 1_000
"""Up to so many times each one is remembered, and the limit is exact. Beyond, two numbers stand for them (the library's sliding
window): a list of a million times would be read through with every request."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many times within so many seconds. `name` is the last part of the keys: `rate_limit:{who}:{name}`."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands after one more time: whether it was `allowed`, how many `remaining` times are free, and after how
    many seconds (`reset`) another one will be."""

    rate: Rate
    allowed: bool
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Rates:
    """The limits of the settings: of all requests, of what tries passwords, of new analyses."""

    requests: Rate
    logins: Rate
    analyses: Rate


class Limits:
    """While Redis is away nothing is limited, except by what one process knows itself where `even_alone` is asked for."""

    def __init__(self, redis: AnyRedis, rates: Rates) -> None:
        self.rates = rates
        self._shared = MovingWindowRateLimiter(_InRedis(redis))
        self._shared_counter = SlidingWindowCounterRateLimiter(_InRedis(redis))
        self._memory = MemoryStorage()
        self._alone = MovingWindowRateLimiter(self._memory)
        self._outage = Outage("rate limits away")

    async def hit(self, rate: Rate, who: str, *, even_alone: bool = False) -> Standing | None:
        """Count one more time for them. None where nothing is known and all may pass."""
        if not self._outage.now:
            try:
                return await _hit(self._shared if rate.amount <= MOST_REMEMBERED else self._shared_counter, rate, who)
            except REDIS_ERRORS as error:
                self._outage.note(error)
        return await self._hit_alone(rate, who) if even_alone else None

    async def _hit_alone(self, rate: Rate, who: str) -> Standing:
        if len(self._memory.events) >= MOST_IN_MEMORY and f"{who}:{rate.name}" not in self._memory.events:
            return Standing(rate, False, 0, rate.seconds)
        return await _hit(self._alone, rate, who)


async def _hit(limiter: RateLimiter, rate: Rate, who: str) -> Standing:
    item = _Item(rate.amount, rate.seconds)
    allowed = await limiter.hit(item, who, rate.name)
    window = await limiter.get_window_stats(item, who, rate.name)
    return Standing(rate, allowed, max(window.remaining, 0), max(math.ceil(window.reset_time - time.time()), 1))


class _Item(RateLimitItemPerSecond):
    """The library's limit under our own keys, which are documented."""

    def key_for(self, *identifiers: object) -> str:
        return ":".join(map(str, identifiers))


class _InRedis(RedisStorage):
    """The library's storage on our own client, which knows clusters, time limits and TLS from one URL."""

    def __init__(self, redis: AnyRedis) -> None:
        self._redis = redis
        super().__init__("async+redis://", implementation="redispy", key_prefix=PREFIX)

    def configure_bridge(self) -> None:
        self.bridge.connection_getter = lambda _: self._redis  # type: ignore[attr-defined]


def network_of(address: str) -> str:
    """Whom an address stands for: itself, or its /64 where it is IPv6, since one household has all of those.

    What is no address at all (a unix socket) is one common somebody: nothing that is sent can make new keys without end.
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False).network_address)
