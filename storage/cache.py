"""Answers that are worth keeping for a while, in Redis. Whatever cannot be reached counts as not kept."""

import time
from typing import cast

import structlog

from storage.redis_client import REDIS_ERRORS, AnyRedis

PREFIX = "cache:"

TOLD_SECONDS = 60.0
"""How often the log says that the cache is away: every request would say it."""

AWAY_SECONDS = 1.0
"""How long a Redis that did not answer is not asked again: each attempt may take seconds of a request's time."""

log = structlog.get_logger()


class Cache:
    """Bytes by key; the keys in Redis begin with `cache:`, as in `cache:analysis:17`."""

    def __init__(self, redis: AnyRedis) -> None:
        self._redis = redis
        self._told = self._failed = float("-inf")

    async def get(self, key: str) -> bytes | None:
        """What was put there, while it lasts."""
        if self._away():
            return None
        try:
            return cast("bytes | None", await self._redis.get(PREFIX + key))
        except REDIS_ERRORS as error:
            self._missed(error)
            return None

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep it for so many seconds."""
        if self._away():
            return
        try:
            await self._redis.set(PREFIX + key, value, px=max(round(seconds * 1000), 1))
        except REDIS_ERRORS as error:
            self._missed(error)

    async def drop(self, key: str) -> None:
        """Forget it, because it is not true any more. Where Redis is away it stays until its time: keep nothing for long."""
        try:
            await self._redis.delete(PREFIX + key)
        except REDIS_ERRORS as error:
            self._missed(error)

    def _away(self) -> bool:
        return time.monotonic() < self._failed + AWAY_SECONDS

    def _missed(self, error: Exception) -> None:
        now = self._failed = time.monotonic()
        if now >= self._told + TOLD_SECONDS:
            self._told = now
            log.warning("cache away", because=str(error))
