"""What all tests share: embedded Postgres and Redis for the whole run, and a fresh database for each test that asks."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis

from storage.database import Database
from storage.embedded import embedded_services
from storage.migrations import migrate

pytest_plugins = ["tests.sandbox.fixtures"]

DATABASE, REDIS = "REFACTORIQ_TEST_DATABASE_URL", "REFACTORIQ_TEST_REDIS_URL"
"""How the process that started the servers tells its xdist workers where they are."""

TEMPLATE = "template_migrated"
_started = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """The first process (xdist's controller, or the only one) starts the servers; workers inherit its environment."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="riq-tests-"))
    _started.callback(shutil.rmtree, folder, ignore_errors=True)
    services = _started.enter_context(embedded_services(folder, durable=False))
    os.environ |= {DATABASE: services.database_url, REDIS: services.redis_url}
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(at_database(services.database_url, TEMPLATE))


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that started the servers stops them and removes all that they wrote."""
    _started.close()


def at_database(url: str, name: str) -> str:
    """The same server, another database."""
    head, _, options = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}?{options}"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The server's own database: for tests that make databases themselves."""
    return os.environ[DATABASE]


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database with nothing in it, dropped afterwards."""
    yield from own_database(postgres_url, "template0")


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A migrated database of one's own, dropped afterwards."""
    yield from own_database(postgres_url)


@pytest.fixture(scope="module")
def shared_database_url(postgres_url: str) -> Iterator[str]:
    """A migrated database for all tests of a module: for those that keep apart by tenants of their own."""
    yield from own_database(postgres_url)


def own_database(server: str, template: str = TEMPLATE) -> Iterator[str]:
    """A database on that server, migrated unless another template is named; dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield at_database(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as opened:
        yield opened


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An empty numbered database of the shared Redis, one for each xdist worker."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
    url = f"{os.environ[REDIS]}?db={number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()
