"""Transactions that read for one caller and see what they may see, whatever the query asks for: from the replica, if there is
one and it answers, else from the primary."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import LiteralString

import structlog
from psycopg.rows import TupleRow

from storage.accounts.sight import Sight
from storage.cache import Cache
from storage.database import Away, Connection, Database, Values

RETRY_SECONDS = 10.0
"""How long a replica that failed is left alone."""

BEHIND_SECONDS = 10.0
"""How far a replica may be behind: so long whoever changed something reads from the primary, and so sees it."""

log = structlog.get_logger()


class Reading:
    """Where lists and details are read from. `cache` remembers, for all processes, who changed something just now."""

    def __init__(self, primary: Database, replica: Database | None = None, cache: Cache | None = None) -> None:
        self._primary = primary
        self._replica = replica
        self._cache = cache
        self._failed = float("-inf")

    @property
    def may_be_behind(self) -> bool:
        """Whether what is read just now may be older than what was written."""
        return self._replica is not None and time.monotonic() >= self._failed + RETRY_SECONDS

    @asynccontextmanager
    async def of(self, sight: Sight) -> AsyncIterator[Connection]:
        """A transaction that sees what belongs to that sight, and writes nothing. Raises Away.

        From the primary where the sight is `fresh`. A replica that breaks off in the middle raises Away once: whoever asks
        again is answered by the primary.
        """
        async with AsyncExitStack() as stack:
            connection = await self._from_replica(stack, sight)
            if connection is None:
                connection = await stack.enter_async_context(_reader(self._primary, sight))
            yield connection

    async def rows(self, sight: Sight, statement: LiteralString, values: Values) -> list[TupleRow]:
        """The rows of one statement as in `of`, in one round trip: for what is read again and again. Raises Away."""
        seen = (sight.organizations, sight.whole, sight.repositories)
        if self._replica is not None and not sight.fresh and self.may_be_behind:
            try:
                return await self._replica.read_at_once(*seen, statement, values)
            except Away as away:
                self._note(away)
        return await self._primary.read_at_once(*seen, statement, values)

    async def _from_replica(self, stack: AsyncExitStack, sight: Sight) -> Connection | None:
        if self._replica is None or sight.fresh or not self.may_be_behind:
            return None
        try:
            return await stack.enter_async_context(self._noting(self._replica, sight))
        except Away:
            return None

    @asynccontextmanager
    async def _noting(self, replica: Database, sight: Sight) -> AsyncIterator[Connection]:
        """The same on the replica; its failure is remembered, whenever it comes."""
        try:
            async with _reader(replica, sight) as connection:
                yield connection
        except Away as away:
            self._note(away)
            raise

    def _note(self, away: Away) -> None:
        self._failed = time.monotonic()
        log.warning("replica away", because=str(away.__cause__), seconds=RETRY_SECONDS)

    async def wrote(self, user_id: int) -> None:
        """This user changed something: what they read next must show it."""
        if self._replica is not None and self._cache is not None:
            await self._cache.put(_mark(user_id), b"1", BEHIND_SECONDS)

    async def wrote_lately(self, user_id: int) -> bool:
        """Whether what this user reads must come from the primary. While Redis is away nobody knows: then a reader may see,
        for as long as the replica is behind, what was before."""
        return self._replica is not None and self._cache is not None and await self._cache.get(_mark(user_id)) is not None


def _reader(database: Database, sight: Sight) -> AbstractAsyncContextManager[Connection]:
    return database.reader(sight.organizations, sight.whole, sight.repositories)


def _mark(user_id: int) -> str:
    return f"wrote:{user_id}"
