"""The way into Postgres: what counts as an outage, what does not, and what a restart of the server costs."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from review.errors import UserError
from storage.database import Away, Database, plain, plain_json

pytestmark = pytest.mark.integration


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url, pool_size=3) as opened:
        yield opened


async def backend(database: Database) -> int:
    async with database.system() as connection:
        row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    assert row is not None
    return int(row[0])


async def test_connections_that_the_server_closed_meanwhile_are_replaced_unseen(
    database: Database, shared_database_url: str
) -> None:
    """After a restart or a failover of Postgres no delivery is turned away for it."""
    async with AsyncExitStack() as all_at_once:
        connections = [await all_at_once.enter_async_context(database.system()) for _ in range(3)]
        before = {connection.info.backend_pid for connection in connections}
    with psycopg.connect(shared_database_url, autocommit=True) as admin:
        for pid in before:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    after = set(await asyncio.gather(*(backend(database) for _ in range(6))))
    assert not after & before


async def test_a_connection_that_is_whole_is_used_again(shared_database_url: str) -> None:
    async with Database.open(shared_database_url, pool_size=1) as database:
        assert len({await backend(database) for _ in range(5)}) == 1


async def test_a_server_that_breaks_off_in_the_middle_counts_as_away(database: Database, shared_database_url: str) -> None:
    with pytest.raises(Away):
        async with database.system() as connection:
            pid = connection.info.backend_pid
            with psycopg.connect(shared_database_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            await connection.execute("SELECT 1")
    await backend(database)


async def test_with_every_connection_in_use_the_next_one_waits_and_then_counts_as_away(
    shared_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.WAIT", 0.1)
    async with Database.open(shared_database_url, pool_size=1) as database:
        async with database.system():
            with pytest.raises(Away):
                await backend(database)
        await backend(database)


@pytest.mark.fault
async def test_after_an_outage_the_database_is_used_again_within_a_second_or_two(
    shared_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.WAIT", 0.5)
    server = conninfo_to_dict(shared_database_url)
    with tempfile.TemporaryDirectory(prefix="riq-") as name:
        async with Database.open(f"postgresql://postgres@/{server['dbname']}?host={name}") as database:
            over = time.monotonic() + 3.2
            while time.monotonic() < over:
                with pytest.raises(Away):
                    await backend(database)
            (Path(name) / ".s.PGSQL.5432").symlink_to(Path(str(server["host"])) / ".s.PGSQL.5432")
            for _ in range(4):
                with suppress(Away):
                    await backend(database)
            await backend(database)


async def test_a_mistake_in_a_query_is_no_outage_and_undoes_its_transaction(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with database.system() as connection:
            await connection.execute("INSERT INTO organizations (login, kind) VALUES ('undone', 'User')")
            await connection.execute("SELECT * FROM no_such_table")
    async with database.system() as connection:
        cursor = await connection.execute("SELECT count(*) FROM organizations WHERE login = 'undone'")
        assert await cursor.fetchone() == (0,)


async def test_a_mistake_in_what_is_sent_at_once_keeps_its_own_name_and_undoes_everything(database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await database.at_once(
            "INSERT INTO organizations (login, kind) VALUES ('undone', 'User'), (%s, %s)", ("undone", "Martian")
        )
    async with database.system() as connection:
        cursor = await connection.execute("SELECT count(*) FROM organizations WHERE login = 'undone'")
        assert await cursor.fetchone() == (0,)


async def test_what_comes_after_a_statement_sent_at_once_is_in_a_transaction_again(shared_database_url: str) -> None:
    async with Database.open(shared_database_url, pool_size=1) as database:
        await database.at_once("SELECT 1", ())
        with pytest.raises(psycopg.errors.SyntaxError):
            await database.at_once("SELEKT 1", ())
        async with database.system() as connection:
            cursor = await connection.execute("SELECT current_user")
            assert await cursor.fetchone() == ("refactoriq_system",)


INSERTED = "INSERT INTO organizations (login, kind) VALUES (%s, %s), (%s, %s) RETURNING login"


@pytest.mark.parametrize("text", ["'; DROP TABLE users; --", "\\'; SELECT 1; --", "$$ %s %% {0}", "é\n\t\ud7ff😀", ""])
async def test_whatever_a_single_message_carries_is_data(database: Database, text: str) -> None:
    assert await database.at_once(INSERTED, (text, "User", text * 2, "User")) == [(text,), (text * 2,)]


async def test_a_task_that_is_cancelled_gives_its_connection_back(shared_database_url: str) -> None:
    async with Database.open(shared_database_url, pool_size=1) as database:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), database.system() as connection:
                await connection.execute("SELECT pg_sleep(30)")
        async with asyncio.timeout(5):
            await backend(database)


async def test_opening_needs_no_postgres_but_a_url() -> None:
    async with Database.open("postgresql://postgres@127.0.0.1:1/none"):
        pass
    with pytest.raises(UserError, match="DATABASE_URL must be postgresql://"):
        async with Database.open("mysql://mona:hunter2@127.0.0.1/app"):
            pass


def test_text_that_postgres_refuses_is_made_plain() -> None:
    assert plain("a\x00b\ud800c") == "a\ufffdb?c"
    assert plain_json({"k\x00": ["\ud800", ("\x00", 1, None, True, 0.5)]}) == {"k\ufffd": ["?", ["\ufffd", 1, None, True, 0.5]]}
