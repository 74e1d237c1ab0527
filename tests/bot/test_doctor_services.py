"""`refactoriq doctor` on Postgres and Redis: versions, migrations, roles, and what loses jobs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

from bot.checkups.checkup import State
from review.errors import UserError
from storage.embedded.redis import EmbeddedRedis
from tests.bot.told import state, told

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("alone")]


async def test_an_empty_database_is_to_be_migrated(empty_database_url: str) -> None:
    lines = await told("DATABASE_URL", database_url=empty_database_url)
    assert [(line.state, line.subject) for line in lines] == [
        ("ok", "DATABASE_URL"),
        ("ok", "pgvector"),
        ("wrong", "migrations"),
    ]
    assert "run `refactoriq migrate`" in lines[-1].sentence


async def test_a_database_at_an_older_migration_is_to_be_migrated(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    assert "is at 0000" in (await told("DATABASE_URL", database_url=database_url))[-1].sentence


@pytest.fixture
def a_user(postgres_url: str, database_url: str) -> Iterator[str]:
    """The URL of a user of that database who may take on neither role."""
    name = f"plain_{database_url.split('test_')[1][:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


async def test_a_user_who_may_not_take_on_the_roles_is_told(database_url: str, a_user: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT SELECT ON alembic_version TO {}").format(sql.Identifier(a_user)))
        url = "postgresql://" + database_url.split("://")[1].replace(connection.info.user, a_user, 1)
    try:
        lines = await told("DATABASE_URL", database_url=url)
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(a_user)))
    assert [line.state for line in lines if line.subject == "roles"] == ["wrong", "wrong"]
    assert "may not be taken on" in lines[-1].sentence


async def test_a_role_that_owns_tables_is_told(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE findings OWNER TO refactoriq_tenant")
    [line] = [line for line in await told("DATABASE_URL", database_url=database_url) if line.subject == "roles"]
    assert line.state is State.WRONG and "refactoriq_tenant owns tables" in line.sentence


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgres://u:hidden-pass@[broken/x"),
        ("DATABASE_URL", "postgres://u:hidden-pass%zz@h/d"),
        ("REDIS_URL", "redis://:hidden-pass/@h"),
    ],
)
async def test_a_url_that_is_none_does_not_show_its_password(name: str, url: str) -> None:
    with pytest.raises(UserError) as caught:
        await told(name, **{name.lower(): url})
    assert f"{name} must be" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.fixture
def own_redis() -> Iterator[str]:
    """A Redis that no other test shares, with an append-only file."""
    with tempfile.TemporaryDirectory(prefix="riq-") as folder, (Path(folder) / "lock").open("w") as lock:
        server = EmbeddedRedis(Path(folder) / "redis", Path(folder), lock.fileno())
        try:
            yield server.start()
        finally:
            server.stop()


async def test_a_redis_that_throws_jobs_away_is_wrong(own_redis: str) -> None:
    assert await state("REDIS_URL", redis_url=own_redis) is State.OK
    with redis.Redis.from_url(own_redis) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
    lines = await told("REDIS_URL", redis_url=own_redis)
    assert [line.state for line in lines] == ["ok", "wrong", "warning"]
    assert "noeviction" in lines[1].sentence and "appendonly" in lines[2].sentence
