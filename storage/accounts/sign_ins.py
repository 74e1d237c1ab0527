"""Sign-ins that are on their way over GitHub: in Redis, each good once, and only in the browser that began it."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from storage.accounts.sessions import SessionsAway
from storage.redis_client import REDIS_ERRORS, AnyRedis

SIGN_IN_SECONDS = 600
"""How long somebody may take on GitHub."""

PREFIX = "refactoriq:sign_in:"


@dataclass(frozen=True, slots=True)
class SignInUnderWay:
    """`verifier` is PKCE's secret; `redirect` a path of ours, or empty. Where an account is to be linked, `user_id` and
    `session` are those of whoever asked for it; else 0 and empty."""

    verifier: str
    redirect: str = ""
    user_id: int = 0
    session: str = ""

    @property
    def challenge(self) -> str:
        """What GitHub is told of the verifier (RFC 7636, S256)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")


class SignIns:
    """Begun and ended. `secure` says that browsers reach us by https: their cookie goes back by no other way."""

    def __init__(self, redis: AnyRedis, *, secure: bool) -> None:
        self._redis = redis
        self.secure = secure

    async def begin(self, under_way: SignInUnderWay) -> tuple[str, str]:
        """Its state, which GitHub gives back, and a secret for the browser that began it. Raises SessionsAway."""
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        kept = orjson.dumps({"browser": _hash(browser), **asdict(under_way)})
        await self._do("set", PREFIX + _hash(state), kept, "EX", SIGN_IN_SECONDS)
        return state, browser

    async def end(self, state: str, browser: str) -> SignInUnderWay | None:
        """The sign-in with that state, which nobody can end again; None where there is none, or another browser began it.
        Raises SessionsAway."""
        text = await self._do("getdel", PREFIX + _hash(state))
        if text is None:
            return None
        kept = orjson.loads(text)
        return SignInUnderWay(**kept) if hmac.compare_digest(kept.pop("browser"), _hash(browser)) else None

    async def _do(self, command: str, *arguments: Any) -> Any:
        try:
            return await self._redis.execute_command(command, *arguments)
        except REDIS_ERRORS as error:
            raise SessionsAway("Sign-ins cannot be checked just now.") from error


def new_verifier() -> str:
    """A secret of the form that RFC 7636 asks for."""
    return secrets.token_urlsafe(48)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
