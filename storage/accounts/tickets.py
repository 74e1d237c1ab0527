"""One-time tickets: what a browser, which can set no header on a WebSocket, opens one with. In Redis, hashed."""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from storage.accounts.sessions import SessionsAway
from storage.redis_client import REDIS_ERRORS, AnyRedis

TICKET_SECONDS = 60
"""How long a ticket is good for."""

PREFIX = "refactoriq:ticket:"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who it was given to, in which session, and the one analysis that it is for."""

    user_id: int
    session: str
    analysis_id: int


class Tickets:
    """Each is good once and for TICKET_SECONDS. Both methods may raise SessionsAway."""

    def __init__(self, redis: AnyRedis) -> None:
        self._redis = redis

    async def give(self, ticket: Ticket) -> str:
        """The secret that stands for it."""
        secret = secrets.token_urlsafe(32)
        await self._do("set", _key(secret), orjson.dumps(asdict(ticket)), "EX", TICKET_SECONDS)
        return secret

    async def take(self, secret: str) -> Ticket | None:
        """The ticket of that secret, which is good no more from now on; None where there is none."""
        kept = await self._do("getdel", _key(secret))
        return None if kept is None else Ticket(**orjson.loads(kept))

    async def _do(self, command: str, *arguments: Any) -> Any:
        try:
            return await self._redis.execute_command(command, *arguments)
        except REDIS_ERRORS as error:
            raise SessionsAway("Tickets cannot be checked just now.") from error


def _key(secret: str) -> str:
    return PREFIX + hashlib.sha256(secret.encode()).hexdigest()
