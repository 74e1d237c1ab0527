"""GitHub's tokens beyond one job: in Redis, encrypted, gone when they expire."""

import base64
import hashlib
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptography.fernet import Fernet, InvalidToken
from redis.asyncio import Redis
from redis.exceptions import RedisError

PREFIX = "refactoriq:secret:"


class Tokens:
    """A cache of small secrets that all processes share. What cannot be reached or read counts as not there.

    Whoever reads Redis without SECRET_KEY learns nothing; a changed SECRET_KEY only costs a token call.
    """

    def __init__(self, redis: Redis, secret_key: str) -> None:
        """`secret_key` is SECRET_KEY; an empty one would encrypt nothing and is refused with ValueError."""
        if not secret_key:
            raise ValueError("tokens are not kept without SECRET_KEY")
        key = hashlib.blake2b(secret_key.encode(), digest_size=32, person=b"refactoriq:token").digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._redis = redis

    @classmethod
    @asynccontextmanager
    async def open(cls, redis_url: str, secret_key: str) -> AsyncIterator["Tokens"]:
        """A cache with a connection of its own. A Redis that does not answer within two seconds holds nothing."""
        redis = Redis.from_url(redis_url, socket_timeout=2.0, socket_connect_timeout=2.0)
        try:
            yield cls(redis, secret_key)
        finally:
            await redis.aclose()

    async def get(self, name: str) -> str | None:
        """What was put under that name, while it lasts."""
        try:
            kept = await self._redis.get(PREFIX + name)
            return self._fernet.decrypt(kept).decode() if kept else None
        except (RedisError, InvalidToken):
            return None

    async def put(self, name: str, value: str, seconds: float) -> None:
        """Keep it for so many seconds."""
        try:
            await self._redis.set(PREFIX + name, self._fernet.encrypt(value.encode()), ex=max(math.floor(seconds), 1))
        except RedisError:
            return
