"""Counts that all processes share: a worker adds to them in Redis, and the web process shows them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

KEY = "refactoriq:counts"

log = structlog.get_logger()


class Counts:
    """Numbers by name that only grow. A Redis that is away costs what was counted meanwhile, and nothing else."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    @asynccontextmanager
    async def open(cls, redis_url: str) -> AsyncIterator["Counts"]:
        """Counts with a connection of their own; Redis has two seconds to answer."""
        redis = Redis.from_url(redis_url, socket_timeout=2.0, socket_connect_timeout=2.0, decode_responses=True)
        try:
            yield cls(redis)
        finally:
            await redis.aclose()

    async def add(self, counted: Mapping[str, int]) -> None:
        """Add to each of these, all or none."""
        pipeline = self._redis.pipeline(transaction=True)
        for name, number in counted.items():
            pipeline.hincrby(KEY, name, number)
        try:
            await pipeline.execute()
        except RedisError as error:
            log.warning("not counted", names=sorted(counted), because=str(error))

    async def read(self) -> dict[str, int]:
        """All of them; empty while Redis is away."""
        try:
            kept = await self._redis.hgetall(KEY)
        except RedisError as error:
            log.warning("counts not read", because=str(error))
            return {}
        return {str(name): int(number) for name, number in kept.items()}
