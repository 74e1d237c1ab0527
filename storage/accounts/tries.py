"""How often a password was tried at one account lately: guessing from many addresses is slow too."""

import hashlib

from storage.accounts.sessions import SessionsAway
from storage.redis_client import REDIS_ERRORS, AnyRedis

MOST = 10
"""Wrong passwords at one account within WINDOW."""

WINDOW = 300
"""Seconds. Only tries that are looked at count, so that whoever goes on guessing does not lock the owner out any longer."""

# One command on one key: of many at once no more than MOST come through, and none is ever left without an end.
TAKE = """
local tries = tonumber(redis.call('GET', KEYS[1]) or '0')
if tries >= tonumber(ARGV[1]) then return redis.call('TTL', KEYS[1]) end
redis.call('INCR', KEYS[1])
if tries == 0 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
GIVE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end"


class Tries:
    """Counted by the address that was typed, whether or not there is such an account. Every method may raise SessionsAway."""

    def __init__(self, redis: AnyRedis) -> None:
        self._redis = redis

    async def take(self, email: str) -> int:
        """Count one more try: 0 where it may be made, else the seconds after which one may."""
        return max(int(await self._run(TAKE, email, str(MOST), str(WINDOW))), 0)

    async def give_back(self, email: str) -> None:
        """The password was right: that try does not count."""
        await self._run(GIVE_BACK, email)

    async def _run(self, script: str, email: str, *arguments: str) -> int:
        try:
            return await self._redis.eval(script, 1, key(email), *arguments)  # type: ignore[no-any-return]
        except REDIS_ERRORS as error:
            raise SessionsAway("Sign-ins cannot be checked just now.") from error


def key(email: str) -> str:
    """The key in Redis: a hash, for what people type there may be anything."""
    return f"refactoriq:tries:{hashlib.sha256(email.casefold().encode()).hexdigest()[:32]}"
