"""Passwords: hashed with Argon2id, off the event loop, and never more at once than the machine bears."""

import unicodedata

import anyio
from anyio import CapacityLimiter
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords:
    """Argon2id by OWASP's second choice of parameters (19 MiB, two passes, one lane): about 30 ms on one core.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    def __init__(self, *, at_once: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        self._limiter = CapacityLimiter(at_once)
        self._nobodys = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """What is kept of it."""
        return await anyio.to_thread.run_sync(self._hasher.hash, _typed(password), limiter=self._limiter)

    async def match(self, kept: str | None, password: str) -> bool:
        """Whether it is the one. Takes as long where there is none to compare with: nobody learns who has an account."""
        matches = await anyio.to_thread.run_sync(self._verify, kept or self._nobodys, password, limiter=self._limiter)
        return matches and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _typed(password))
        except (VerificationError, InvalidHashError):
            return False


def _typed(password: str) -> str:
    """Keyboards differ in how they send the same letter (é as one character or as two): NIST SP 800-63B, 3.1.1.2."""
    return unicodedata.normalize("NFKC", password)
