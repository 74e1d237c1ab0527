"""Live state: what long work is at just now, told to whoever follows it in any process, through Redis."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

PREFIX = "refactoriq:live:"
KEPT_SECONDS = 3600
"""How long the present state of a topic is kept after it was last told."""

LOOK_AGAIN = 15.0
"""Seconds of silence after which a follower reads the present state, should a message have been lost on its way."""

MOST_WAITING = 64
"""Events that may wait for one follower. Whoever falls behind further is dropped: nobody waits for them."""

RECONNECT = 0.5
"""Seconds between two attempts to reach Redis again."""

QUIET = 10.0
"""Seconds without a word from Redis after which it is asked for a sign of life, and has as long again to give it."""

# An event's number is the time in microseconds, and always more than that of the one before: so the order stands even where
# Redis has lost everything meanwhile. `%.0f`, for Lua's own way of writing numbers is too short for it.
TELL = """
local time, kept = redis.call('TIME'), redis.call('GET', KEYS[1])
local number = time[1] * 1000000 + time[2]
if kept then number = math.max(number, tonumber(string.match(kept, '^%d+')) + 1) end
local state = string.format('%.0f', number) .. ' ' .. ARGV[1]
redis.call('SET', KEYS[1], state, 'EX', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' ' .. state)
"""

Event = dict[str, Any]

log = structlog.get_logger()


class TooSlow(Exception):
    """This follower fell too far behind what is told, and was dropped."""


@dataclass(frozen=True, slots=True)
class State:
    """What was told of a topic last: `number` orders, `last` says that nothing more will come."""

    number: int
    last: bool
    event: Event

    @classmethod
    def parse(cls, state: bytes) -> "State":
        """What `tell` wrote."""
        number, last, event = state.split(b" ", 2)
        return cls(int(number), last == b"1", orjson.loads(event))


@dataclass(slots=True, eq=False)
class Follower:
    """One who waits for the events of a topic; `seen` is the number of the newest that was handed over."""

    waiting: asyncio.Queue[State] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    seen: int = 0
    too_slow: bool = False

    def hand(self, state: State) -> None:
        """Take what is newer than all that came before; the rest is known."""
        if state.number <= self.seen or self.too_slow:
            return
        self.seen = state.number
        try:
            self.waiting.put_nowait(state)
        except asyncio.QueueFull:
            self.too_slow = True


class Live:
    """All topics of an installation, each a short name as `analysis:17`. One subscription serves a process.

    Progress is worth no error: while Redis is away nothing is told and nothing comes, and followers wait for it.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        # Databases are kept apart by their numbers, but what is published is heard in all of them.
        self._channel = f"{PREFIX}{redis.connection_pool.connection_kwargs.get('db') or 0}"
        self._followers: dict[str, set[Follower]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._subscribed = False

    @classmethod
    @asynccontextmanager
    async def open(cls, redis_url: str) -> AsyncIterator["Live"]:
        """With connections of its own, made when first needed. All that follow must have ended when the block does."""
        retry: Retry = Retry(NoBackoff(), 0)  # a lost connection must be noticed: what was told meanwhile is to be read
        redis = Redis.from_url(redis_url, socket_timeout=2.0, socket_connect_timeout=2.0, retry=retry)
        live = cls(redis)
        try:
            yield live
        finally:
            await live._stop()
            await redis.aclose()

    async def tell(self, topic: str, event: Mapping[str, Any], *, last: bool = False) -> None:
        """This is the present state now; `event` is plain JSON. After the `last` one nobody waits for more.

        A later event opens the topic again, for work that is done anew. While Redis is away it is logged, and that is all.
        """
        state = (b"1 " if last else b"0 ") + orjson.dumps(dict(event))
        try:
            await self._redis.eval(TELL, 1, PREFIX + topic, state, KEPT_SECONDS, self._channel, topic)
        except RedisError as error:
            log.warning("not told", topic=topic, because=str(error))

    async def present(self, topic: str) -> Event | None:
        """The event that was told last; None where there is none, or Redis is away."""
        states = await self._kept([topic])
        return states[topic].event if topic in states else None

    async def follow(self, topic: str) -> AsyncGenerator[Event]:
        """The present state, if there is one, then what is told, each once and in order, up to the last event.

        What the present state has overtaken is left out: the newest one tells it all.
        Close it when you break off (`aclosing`). Raises TooSlow where the events are not taken fast enough.
        """
        follower = Follower()
        self._followers[topic].add(follower)
        try:
            if self._listening is None:
                self._listening = asyncio.create_task(self._listen())
            if self._subscribed:  # or it is handed over once that is so
                await self._hand_kept([topic])
            while True:
                state = await self._next(topic, follower)
                yield state.event
                if state.last:
                    return
        finally:
            self._followers[topic].discard(follower)
            if not self._followers[topic]:
                del self._followers[topic]

    async def ending(self, topic: str, seconds: float) -> Event | None:
        """The last event, waited for so long; None where it has not come by then."""
        latest = None
        try:
            async with asyncio.timeout(seconds), aclosing(self.follow(topic)) as events:
                async for event in events:
                    latest = event
        except TimeoutError:
            return None
        return latest

    @property
    def followers(self) -> int:
        """How many follow something in this process."""
        return sum(map(len, self._followers.values()))

    async def _next(self, topic: str, follower: Follower) -> State:
        while True:
            if follower.too_slow:
                raise TooSlow(f"More than {MOST_WAITING} events were waiting.")
            try:
                async with asyncio.timeout(LOOK_AGAIN):
                    return await follower.waiting.get()
            except TimeoutError:
                await self._hand_kept([topic])

    async def _listen(self) -> None:
        """Hand over what is told, for as long as this process runs; a connection that is lost is made again."""
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(self._channel)
                    await self._hand_on(subscription)
            except RedisError as error:
                log.warning("live updates interrupted", because=str(error))
            finally:
                self._subscribed = False
            await asyncio.sleep(RECONNECT)

    async def _hand_on(self, subscription: PubSub) -> None:
        """Until the connection is lost. Raises RedisError."""
        asked = False
        while True:
            message = await subscription.get_message(timeout=QUIET)
            if message is None and asked:
                raise RedisError("Redis gave no sign of life")
            asked = message is None
            if message is None:
                await subscription.ping()
            elif message["type"] == "subscribe":
                # Subscribed first, read then: what is told between the two comes twice, and `Follower.hand` knows.
                self._subscribed = True
                await self._hand_kept(list(self._followers))
            elif message["type"] == "message":
                topic, state = message["data"].split(b" ", 1)
                self._hand(topic.decode(), state)

    def _hand(self, topic: str, state: bytes) -> None:
        followers = self._followers.get(topic)
        if followers:
            parsed = State.parse(state)
            for follower in followers:
                follower.hand(parsed)

    async def _hand_kept(self, topics: Iterable[str]) -> None:
        for topic, state in (await self._kept(topics)).items():
            for follower in self._followers.get(topic, ()):
                follower.hand(state)

    async def _kept(self, topics: Iterable[str]) -> dict[str, State]:
        """The present state of each of these that has one; nothing while Redis is away."""
        asked = list(topics)
        try:
            kept: list[Any] = await self._redis.mget([PREFIX + topic for topic in asked]) if asked else []
        except RedisError as error:
            log.warning("present state not read", because=str(error))
            return {}
        return {topic: State.parse(state) for topic, state in zip(asked, kept, strict=True) if state is not None}

    async def _stop(self) -> None:
        if self._listening is not None:
            await end([self._listening])


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel these until they are done: redis-py swallows a cancellation that comes while it connects."""
    waiting = {task for task in tasks if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=0.1)
