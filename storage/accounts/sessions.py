"""Sessions, in Redis: who is signed in where. Losing Redis means a new login, and nothing worse."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from review.errors import TryAgain

SESSION_SECONDS = 30 * 24 * 3600
"""How long a session lives after its last refresh."""


class SessionsAway(TryAgain):
    """The Redis that knows the sessions cannot be reached just now."""


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `refresh` is the id of the only refresh token that is still good; times are seconds since 1970."""

    id: str
    user_id: int
    refresh: str
    created: float
    used: float
    address: str = ""
    agent: str = ""


# One command, so that of two requests with the same token one wins; the other one is the token used twice.
ROTATE = """
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept then return 0 end
if cjson.decode(kept).refresh ~= ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[1])
    return -1
end
local session = cjson.decode(kept)
session.refresh, session.used = ARGV[3], tonumber(ARGV[4])
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(session))
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""


class Sessions:
    """All sessions of a user are one hash, `user:session:{user_id}`, by their ids. Every method may raise SessionsAway."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def start(self, user_id: int, address: str, agent: str) -> Session:
        """A new session; those of the user that were not used for SESSION_SECONDS are dropped meanwhile."""
        now = time.time()
        session = Session(secrets.token_hex(16), user_id, secrets.token_hex(16), now, now, address, agent[:200])
        for old in await self.of(user_id):
            if old.used < now - SESSION_SECONDS:
                await self.end(user_id, old.id)
        await self._do("hset", key(user_id), session.id, orjson.dumps(session))
        await self._do("expire", key(user_id), SESSION_SECONDS)
        return session

    async def of(self, user_id: int) -> list[Session]:
        """The user's sessions, the one used last first."""
        kept = await self._do("hgetall", key(user_id))
        sessions = [Session(**orjson.loads(value)) for value in kept.values()]
        return sorted(sessions, key=lambda session: -session.used)

    async def get(self, user_id: int, session_id: str) -> Session | None:
        """That session, while it lasts."""
        kept = await self._do("hget", key(user_id), session_id)
        session = Session(**orjson.loads(kept)) if kept else None
        return session if session and session.used > time.time() - SESSION_SECONDS else None

    async def rotate(self, user_id: int, session_id: str, refresh: str) -> str | None:
        """Trade the refresh token of that id for a new one, whose id it gives; None where the session is over.

        A token that was traded already ends the session: somebody else has it too.
        """
        new = secrets.token_hex(16)
        given = (key(user_id), session_id, refresh, new, str(time.time()), str(SESSION_SECONDS))
        traded = await self._do("eval", ROTATE, 1, *given)
        return new if traded == 1 else None

    async def end(self, user_id: int, session_id: str) -> None:
        """Sign out there."""
        await self._do("hdel", key(user_id), session_id)

    async def end_all(self, user_id: int, but: str = "") -> None:
        """Sign out everywhere, or everywhere `but` in that session."""
        for session in await self.of(user_id):
            if session.id != but:
                await self.end(user_id, session.id)

    async def _do(self, command: str, *arguments: Any) -> Any:
        try:
            return await getattr(self._redis, command)(*arguments)
        except RedisError as error:
            raise SessionsAway("Sign-ins cannot be checked just now.") from error


def key(user_id: int) -> str:
    """The hash in Redis that holds a user's sessions."""
    return f"user:session:{user_id}"


def hashed(secret: str) -> bytes:
    """What is kept of a secret that is long and random by itself (API keys, mailed links)."""
    return hashlib.sha256(secret.encode()).digest()
