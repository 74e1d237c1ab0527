"""What the tests of the code index share: one database for each module, and in it a tenant of one's own for each test."""

import itertools
from collections.abc import AsyncIterator

import pytest

from storage.code.indexes import CodeIndexes
from storage.database import Database
from storage.installations import Tenant
from tests.builders_storage import a_tenant

accounts = itertools.count(500)


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url, pool_size=6) as opened:
        yield opened


@pytest.fixture
def account() -> int:
    """GitHub's id of an account of one's own."""
    return next(accounts)


@pytest.fixture
async def tenant(database: Database, account: int) -> Tenant:
    return await a_tenant(database, account)


@pytest.fixture
async def stranger(database: Database) -> Tenant:
    """A tenant of another organization."""
    return await a_tenant(database, next(accounts))


@pytest.fixture
def indexes(database: Database) -> CodeIndexes:
    return CodeIndexes(database)
