"""Sessions, in Redis: who is signed in where. Losing Redis means a new login, and nothing worse."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

import orjson

from review.errors import RefactorIQError, TryAgain
from storage.redis_client import REDIS_ERRORS, AnyRedis

SESSION_SECONDS = 30 * 24 * 3600
"""How long a session lives after its last refresh."""


MOST = 50
"""Sessions of one user: the one used longest ago makes way for a new one."""


class SessionsAway(TryAgain):
    """The Redis that knows the sessions cannot be reached just now."""


class UsedTwice(RefactorIQError):
    """A refresh token came a second time: somebody else has it too, and its session is over."""


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


# One command on one key, as a cluster wants it: no session is ever left without an end.
START = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""

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
local encoded = cjson.encode(session)
redis.call('HSET', KEYS[1], ARGV[1], encoded)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return encoded
"""


class Sessions:
    """All sessions of a user are one hash, `user:session:{user_id}`, by their ids. Every method may raise SessionsAway."""

    def __init__(self, redis: AnyRedis) -> None:
        self._redis = redis

    async def start(self, user_id: int, address: str, agent: str) -> Session:
        """A new session; those that are over, or more than MOST, make way."""
        now = time.time()
        session = Session(secrets.token_hex(16), user_id, secrets.token_hex(16), now, now, address, agent[:200])
        for number, old in enumerate(await self._all(user_id), start=1):
            if number >= MOST or not _lasts(old):
                await self.end(user_id, old.id)
        await self._do("eval", START, 1, key(user_id), session.id, orjson.dumps(session), str(SESSION_SECONDS))
        return session

    async def of(self, user_id: int) -> list[Session]:
        """The user's sessions, the one used last first."""
        return [session for session in await self._all(user_id) if _lasts(session)]

    async def get(self, user_id: int, session_id: str) -> Session | None:
        """That session, while it lasts."""
        kept = await self._do("hget", key(user_id), session_id)
        session = Session(**orjson.loads(kept)) if kept else None
        return session if session and _lasts(session) else None

    async def rotate(self, user_id: int, session_id: str, refresh: str) -> Session | None:
        """Trade the refresh token of that id for a new one; gives the session with it, None where the session is over.

        Raises UsedTwice where the token was traded already, which ends the session.
        """
        new = secrets.token_hex(16)
        given = (key(user_id), session_id, refresh, new, str(time.time()), str(SESSION_SECONDS))
        traded = await self._do("eval", ROTATE, 1, *given)
        if traded == -1:
            raise UsedTwice("This refresh token was used before: its session is over.")
        return Session(**orjson.loads(traded)) if traded else None

    async def end(self, user_id: int, session_id: str) -> bool:
        """Sign out there; False where there is no such session."""
        return bool(await self._do("hdel", key(user_id), session_id))

    async def end_all(self, user_id: int, but: str = "") -> None:
        """Sign out everywhere, or everywhere `but` in that session."""
        others = [session.id for session in await self._all(user_id) if session.id != but]
        if others:
            await self._do("hdel", key(user_id), *others)

    async def _all(self, user_id: int) -> list[Session]:
        kept = await self._do("hgetall", key(user_id))
        return sorted((Session(**orjson.loads(value)) for value in kept.values()), key=lambda session: -session.used)

    async def _do(self, command: str, *arguments: Any) -> Any:
        try:
            return await getattr(self._redis, command)(*arguments)
        except REDIS_ERRORS as error:
            raise SessionsAway("Sign-ins cannot be checked just now.") from error


def _lasts(session: Session) -> bool:
    return session.used > time.time() - SESSION_SECONDS


def key(user_id: int) -> str:
    """The hash in Redis that holds a user's sessions."""
    return f"user:session:{user_id}"


def hashed(secret: str) -> bytes:
    """What is kept of a secret that is long and random by itself (API keys, mailed links)."""
    return hashlib.sha256(secret.encode()).digest()
