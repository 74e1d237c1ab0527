"""Who the bot is to GitHub: the app's own JWT, and a token for each installation, kept until shortly before it expires."""

import asyncio
import functools
import time
from collections import defaultdict
from datetime import datetime
from typing import Any, Protocol

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.github.http import Answer, Http, Lost, while_lost
from handlers.host import Gone
from review.errors import TryAgain, UserError

JWT_SECONDS = 540
"""GitHub takes at most ten minutes, by its own clock."""

DRIFT = 60
"""Seconds that our clock may be ahead of GitHub's."""

MARGIN = 300.0
"""A token that expires within these seconds is not used any more: a review may take that long."""

LOGIN_SECONDS = 86_400.0


class TokenCache(Protocol):
    """Small secrets that outlive one job. A cache that cannot be reached simply holds nothing."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str, seconds: float) -> None: ...


class MemoryCache:
    """TokenCache of one process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}

    async def get(self, name: str) -> str | None:
        value, until = self._kept.get(name, ("", 0.0))
        return value if until > time.time() else None

    async def put(self, name: str, value: str, seconds: float) -> None:
        self._kept[name] = (value, time.time() + seconds)


class Identity:
    """Gives out credentials. One for a process; `cache` may be shared with others."""

    def __init__(self, http: Http, app_id: str, private_key: str, *, cache: TokenCache) -> None:
        """`private_key` is PEM. Raises UserError."""
        self._http = http
        # Not the client id, which GitHub takes too: people sign in by GITHUB_CLIENT_ID, and that may be another app.
        self._app_id = app_id
        self._key = read_key(private_key)
        self._cache = cache
        self._memory = MemoryCache()
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def app_authorization(self) -> str:
        """The header under which the app itself asks."""
        now = int(time.time())
        claims = {"iat": now - DRIFT, "exp": now - DRIFT + JWT_SECONDS, "iss": self._app_id}
        return f"Bearer {jwt.encode(claims, self._key, algorithm='RS256')}"

    async def token(self, installation_id: int) -> str:
        """A token that lives for five minutes at least. Raises Gone, TryAgain, UserError."""
        async with self._locks[installation_id]:
            return await self._kept(installation_id) or await self._new(installation_id)

    async def renewed(self, installation_id: int, refused: str) -> str:
        """Another token than `refused`, which GitHub took for none: one that somebody else renewed, or a new one."""
        async with self._locks[installation_id]:
            return await self._kept(installation_id, refused) or await self._new(installation_id)

    async def app_login(self) -> str:
        """`slug[bot]`; asked once a day."""
        name = f"login:{self._app_id}"
        for cache in (self._memory, self._cache):
            if login := await cache.get(name):
                return login
        app = (await self._as_app("GET", "/app")).json()
        if not isinstance(app, dict) or not app.get("slug"):
            raise TryAgain("GitHub's answer does not name the app.")
        login = f"{app['slug']}[bot]"
        for cache in (self._memory, self._cache):
            await cache.put(name, login, LOGIN_SECONDS)
        return login

    async def _kept(self, installation_id: int, refused: str = "") -> str | None:
        for cache in (self._memory, self._cache):
            text = await cache.get(self._name(installation_id))
            if text is not None:
                token, expires = orjson.loads(text)
                if token != refused and float(expires) - MARGIN > time.time():
                    return str(token)
        return None

    async def _new(self, installation_id: int) -> str:
        answer = await self._as_app("POST", f"/app/installations/{installation_id}/access_tokens")
        token, expires = _read_token(answer.json())
        text = orjson.dumps([token, expires]).decode()
        for cache in (self._memory, self._cache):
            await cache.put(self._name(installation_id), text, max(expires - time.time() - MARGIN, 1.0))
        return token

    def _name(self, installation_id: int) -> str:
        return f"token:{self._app_id}:{installation_id}"

    async def _as_app(self, method: str, path: str) -> Answer:
        """A request of the app's own. Making a token twice does no harm, so that lost answers are asked for again.

        Raises plain TryAgain in the end, not Lost: whoever needed the token has sent nothing yet.
        """
        try:
            async for attempt in while_lost():
                with attempt:
                    answer = await self._http.send(method, path, self.app_authorization())
                    if answer.status >= 500:
                        raise Lost(f"GitHub answered {answer.status} to {method} {path}.", sent=True)
        except Lost as lost:
            raise TryAgain(str(lost)) from None
        return _allowed(answer)


def _allowed(answer: Answer) -> Answer:
    """The answer, or why the app was refused."""
    wait = answer.limited_for()
    if wait is not None:
        raise TryAgain("GitHub's rate limit for the app is used up.", after=wait)
    if answer.status == 401:
        raise UserError(
            f"GitHub does not know the app by its key ({answer.message}): check GITHUB_APP_ID, "
            "GITHUB_PRIVATE_KEY, and this machine's clock."
        )
    if answer.status >= 400:
        raise Gone(f"The app's installation cannot be used: {answer.message or answer.status}.")
    return answer


def _read_token(body: Any) -> tuple[str, float]:
    """Token and expiry (Unix seconds). The token's form and length are GitHub's business."""
    try:
        return str(body["token"]), datetime.fromisoformat(body["expires_at"]).timestamp()
    except (KeyError, TypeError, ValueError):
        raise TryAgain("GitHub's answer held no token.") from None


@functools.cache
def read_key(pem: str) -> RSAPrivateKey:
    """The app's private key. Read once, before a worker forks: checking it takes 0.06 s. Raises UserError."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise UserError("GITHUB_PRIVATE_KEY is no RSA private key: use the .pem made on the app's settings page on GitHub.")
    return key
