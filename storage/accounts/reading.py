"""Transactions that read for one caller and see what they may see, whatever the query asks for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.accounts.sight import Sight
from storage.database import Connection, Database


class Reading:
    """Where lists and details are read from."""

    def __init__(self, primary: Database) -> None:
        self._primary = primary

    @asynccontextmanager
    async def of(self, sight: Sight) -> AsyncIterator[Connection]:
        """A transaction that sees what belongs to that sight, and writes nothing. Raises Away."""
        async with self._primary.reader(sight.organizations, sight.whole, sight.repositories) as connection:
            yield connection
