"""What people may see, brought up to date: GitHub is asked again when its last answer has grown old."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog

from handlers.host import Rejected, Revoked, SignIn
from review.errors import TryAgain
from storage.accounts.github_accounts import GitHubAccounts, GitHubTokens, HeldTokens
from storage.accounts.known import known
from storage.accounts.seen_on_github import SeenInstallation, SeenOnGitHub
from storage.accounts.sight import Sight
from storage.accounts.users import User
from storage.database import Database
from storage.redis_client import REDIS_ERRORS, AnyRedis

WAIT = 5.0
"""Seconds that a request waits for GitHub's answer; what was known serves it then, and the asking goes on beside it."""

MOST_SECONDS = 50.0
"""For one asking."""

LOCKED = 60
"""Seconds of the lock: longer than any asking. After a failed one it stays, so that GitHub is left in peace for a while."""

MARGIN = 120.0
"""A token that expires within these seconds is renewed before it is used."""

log = structlog.get_logger()


class SightOnGitHub:
    """One for a process. Without `sign_in` GitHub is never asked. Every method may raise Away."""

    def __init__(
        self, database: Database, accounts: GitHubAccounts, seen: SeenOnGitHub, sign_in: SignIn | None, redis: AnyRedis
    ) -> None:
        self._database, self._accounts, self._seen = database, accounts, seen
        self._sign_in, self._redis = sign_in, redis
        self._running: dict[int, asyncio.Task[bool]] = {}

    async def known(self, user_id: int) -> tuple[User, Sight] | None:
        """That user and what they may see; None where there is no such user. Where GitHub has to be asked, that may take WAIT
        seconds longer."""
        found = await known(self._database, user_id)
        if found is None or not found[1].is_old or self._sign_in is None:
            return found
        await self._wait(self._running.get(user_id) or self._start(user_id, self._ask_once(user_id)))
        return await known(self._database, user_id)

    async def ask(self, user_id: int) -> None:
        """Ask GitHub now, whatever was asked before: they have just signed in, with other tokens."""
        before = self._running.get(user_id)
        if before is not None:
            await asyncio.wait({before}, timeout=WAIT)
        await self._wait(self._start(user_id, self._ask(user_id)))

    async def drain(self) -> None:
        """Let what is being asked come to its end, for as long as a request would wait for it."""
        running = set(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=WAIT)
            for task in late:
                task.cancel()

    def _start(self, user_id: int, asking: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
        task = self._running[user_id] = asyncio.create_task(asking)

        def done(ended: asyncio.Task[bool]) -> None:
            if self._running.get(user_id) is ended:
                del self._running[user_id]
            if not ended.cancelled() and (error := ended.exception()):
                log.warning("github not asked", user=user_id, because=str(error))

        task.add_done_callback(done)
        return task

    async def _wait(self, task: asyncio.Task[bool]) -> None:
        await asyncio.wait({task}, timeout=WAIT)
        if task.done():
            task.result()

    async def _ask_once(self, user_id: int) -> bool:
        """Of several processes one asks; the others go on with what is known."""
        lock = f"refactoriq:asking_github:{user_id}"
        try:
            if not await self._redis.set(lock, b"1", nx=True, ex=LOCKED) or not await self._ask(user_id):
                return False
            await self._redis.delete(lock)
        except REDIS_ERRORS as error:
            # Two that renew the same token at once would take it from each other: better to see what was seen before.
            log.warning("github not asked", user=user_id, because=str(error))
            return False
        return True

    async def _ask(self, user_id: int) -> bool:
        """Whether GitHub said anything: what they see, or that their tokens are worth nothing."""
        held = await self._accounts.tokens(user_id)
        if held is None or self._sign_in is None:
            return True
        asking = _OnePerson(self._sign_in, self._accounts, held)
        try:
            async with asyncio.timeout(MOST_SECONDS):
                seen = await asking.installations()
        except Revoked as revoked:
            log.warning("github access ended", user=user_id, because=str(revoked))
            await self._seen.forget(asking.held)
            return True
        except (TryAgain, Rejected, TimeoutError) as error:
            log.warning("github not asked", user=user_id, because=str(error) or f"it took over {MOST_SECONDS:.0f} s")
            return False
        await self._seen.keep(asking.held, seen)
        return True


class _OnePerson:
    """Asks with one person's tokens, which are renewed when they have expired, and kept then."""

    def __init__(self, sign_in: SignIn, accounts: GitHubAccounts, held: HeldTokens) -> None:
        self._sign_in, self._accounts, self.held = sign_in, accounts, held

    async def installations(self) -> list[SeenInstallation]:
        """What they may read. Raises Revoked, Rejected, TryAgain."""
        if self._has_expired(self.held.tokens):
            await self._renew()
        try:
            return await self._sign_in.installations(self.held.tokens, self.held.github_id)
        except Revoked:
            await self._renew()
            return await self._sign_in.installations(self.held.tokens, self.held.github_id)

    def _has_expired(self, tokens: GitHubTokens) -> bool:
        return not tokens.access or 0 < tokens.expires < time.time() + MARGIN

    async def _renew(self) -> None:
        self.held = await self._accounts.renew(self.held, await self._sign_in.renewed(self.held.tokens))
