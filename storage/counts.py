"""Counts that all processes share: each gathers its own, adds them up in Redis now and then, and any can show the sums."""

import os
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

KEY = "refactoriq:counts"

PROCESSES = "refactoriq:processes"
"""A hash: what each process says of itself, by its name."""

GONE_AFTER = 30.0
"""Seconds after its last word when a process counts as ended."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProcessState:
    """How one process is: bytes of memory, seconds of processor time, connections of its pool and who waits for one, open
    WebSockets. `at` is when it said so, in seconds since 1970."""

    name: str
    role: str
    memory: int
    cpu: float
    pool_size: int = 0
    pool_waiting: int = 0
    websockets: int = 0
    at: float = 0.0


def process_name() -> str:
    """What tells this process from all others: its machine, and its number there."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Counts:
    """Numbers by name that only grow. What is counted while Redis is away is added once it is back."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._noted: Counter[str] = Counter()

    @classmethod
    @asynccontextmanager
    async def open(cls, redis_url: str) -> AsyncIterator["Counts"]:
        """Counts with a connection of their own; Redis has two seconds to answer. What was noted is added at the end."""
        redis = Redis.from_url(redis_url, socket_timeout=2.0, socket_connect_timeout=2.0, decode_responses=True)
        counts = cls(redis)
        try:
            yield counts
        finally:
            await counts.flush()
            await redis.aclose()

    def note(self, counted: Mapping[str, float]) -> None:
        """Count these, to be added with the next `flush`: takes a microsecond, and cannot fail."""
        for name, number in counted.items():
            self._noted[name] += number  # type: ignore[assignment]  # Counter's stubs know of whole numbers only

    async def add(self, counted: Mapping[str, float]) -> None:
        """Count these, and add them at once."""
        self.note(counted)
        await self.flush()

    async def flush(self) -> None:
        """Add all that was noted: all or nothing. While Redis is away it stays noted."""
        noted, self._noted = self._noted, Counter()
        if not noted:
            return
        pipeline = self._redis.pipeline(transaction=True)
        for name, number in noted.items():
            if isinstance(number, int):
                pipeline.hincrby(KEY, name, number)
            else:
                pipeline.hincrbyfloat(KEY, name, number)
        try:
            await pipeline.execute()
        except RedisError as error:
            self._noted.update(noted)
            log.warning("not counted yet", names=len(noted), because=str(error))

    async def read(self) -> dict[str, float]:
        """All of them; empty while Redis is away."""
        try:
            kept = await self._redis.hgetall(KEY)
        except RedisError as error:
            log.warning("counts not read", because=str(error))
            return {}
        return {str(name): float(number) for name, number in kept.items()}

    async def say(self, state: ProcessState) -> None:
        """This is how this process is now."""
        try:
            await self._redis.hset(PROCESSES, state.name, said(state))
        except RedisError as error:
            log.warning("not said", because=str(error))

    async def processes(self) -> list[ProcessState]:
        """All that said something lately, by name; none while Redis is away. Those that ended are forgotten."""
        try:
            states = [ProcessState(**orjson.loads(kept)) for kept in (await self._redis.hgetall(PROCESSES)).values()]
            gone = [state.name for state in states if state.at < time.time() - GONE_AFTER]
            if gone:
                await self._redis.hdel(PROCESSES, *gone)
        except RedisError as error:
            log.warning("processes not read", because=str(error))
            return []
        return sorted((state for state in states if state.name not in gone), key=lambda state: state.name)


def said(state: ProcessState) -> bytes:
    """What PROCESSES holds of it, as of now."""
    return orjson.dumps(asdict(state) | {"at": time.time()})
