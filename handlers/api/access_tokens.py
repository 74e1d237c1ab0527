"""Access and refresh tokens: JWTs under a key of our own, so that only what we gave out is ever looked up."""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import jwt

ACCESS_SECONDS = 1800
"""How long an access token lasts; logging out ends it before."""

ISSUER = "refactoriq"
ALGORITHM = "HS256"

Kind = Literal["access", "refresh"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says: whose session it is of. `id` is the token's own."""

    user_id: int
    session_id: str
    id: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Writes and reads tokens. `key` is 32 bytes, derived from SECRET_KEY for this purpose alone."""

    key: bytes

    def write(self, kind: Kind, claims: Claims, seconds: float) -> str:
        """A token of that kind that lasts so long."""
        now = int(time.time())
        said = {"iss": ISSUER, "aud": kind, "sub": str(claims.user_id), "sid": claims.session_id, "jti": claims.id}
        return jwt.encode({**said, "iat": now, "exp": now + int(seconds)}, self.key, algorithm=ALGORITHM)

    def read(self, kind: Kind, token: str) -> Claims | None:
        """What it says; None where it is none of ours of that kind, or too old."""
        claims, until = _verified(self.key, kind, token)
        return claims if until > time.time() else None


@lru_cache(maxsize=4096)
def _verified(key: bytes, kind: Kind, token: str) -> tuple[Claims | None, float]:
    """What it says, and until when it is good. A token comes with each of somebody's requests: it is taken apart once."""
    try:
        said: dict[str, Any] = jwt.decode(
            token, key, algorithms=[ALGORITHM], audience=kind, issuer=ISSUER,
            options={"require": ["exp", "iat", "sub", "sid", "jti"]},
        )  # fmt: skip
    except jwt.InvalidTokenError:
        return None, 0.0
    return Claims(int(said["sub"]), str(said["sid"]), str(said["jti"])), float(said["exp"])
