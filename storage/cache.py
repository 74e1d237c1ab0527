"""Answers that are worth keeping for a while, in Redis. Whatever cannot be reached counts as not kept."""

from typing import cast

from storage.outage import Outage
from storage.redis_client import REDIS_ERRORS, AnyRedis

PREFIX = "cache:"


class Cache:
    """Bytes by key; the keys in Redis begin with `cache:`, as in `cache:analysis:17`."""

    def __init__(self, redis: AnyRedis) -> None:
        self._redis = redis
        self._outage = Outage("cache away")

    async def get(self, key: str) -> bytes | None:
        """What was put there, while it lasts."""
        if self._outage.now:
            return None
        try:
            return cast("bytes | None", await self._redis.get(PREFIX + key))
        except REDIS_ERRORS as error:
            self._outage.note(error)
            return None

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep it for so many seconds."""
        if self._outage.now:
            return
        try:
            await self._redis.set(PREFIX + key, value, px=max(round(seconds * 1000), 1))
        except REDIS_ERRORS as error:
            self._outage.note(error)

    async def drop(self, key: str) -> None:
        """Forget it, because it is not true any more. Where Redis is away it stays until its time: keep nothing for long."""
        try:
            await self._redis.delete(PREFIX + key)
        except REDIS_ERRORS as error:
            self._outage.note(error)
