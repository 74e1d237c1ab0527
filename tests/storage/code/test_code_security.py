"""Code is seen and written for the repositories that a transaction names, of the organization that it names, and no others."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege

from storage.database import Connection, Database
from tests.builders_storage import ONE_ROW, one_row_of_everything

pytestmark = pytest.mark.integration

TABLES = tuple(table for table in ONE_ROW if table.startswith("code_"))
SECOND = "INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch)"


class Three:
    """Our repository, another of ours, and another organization's; each with one row in every table of the code."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as admin:
            self.ours = one_row_of_everything(admin, 1)
            self.theirs = one_row_of_everything(admin, 2)
            made = admin.execute(f"{SECOND} VALUES (%(org)s, 2, 'a/c', true, 'main') RETURNING id", self.ours).fetchone()
            assert made is not None
            self.second = {"org": self.ours["org"], "repositories": made[0]}
            for table in TABLES:
                insert = f"INSERT INTO {table} AS made {ONE_ROW[table]} RETURNING (to_jsonb(made)->>'id')::bigint"
                made = admin.execute(insert, self.second).fetchone()
                assert made is not None
                self.second[table] = made[0]


@pytest.fixture(scope="module")
def three(shared_database_url: str) -> Iterator[Three]:
    """The same three for all these tests, which leave their rows as they are."""
    yield Three(shared_database_url)


@pytest.fixture
async def database(shared_database_url: str, three: Three) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url, pool_size=2) as opened:
        yield opened


async def seen(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """By table, whose rows a query without any WHERE brings."""
    found = {}
    for table in TABLES:
        cursor = await connection.execute(f"SELECT organization_id, repository_id FROM {table} ORDER BY 2")
        found[table] = await cursor.fetchall()
    return found


async def refused(connection: Connection, statement: str, values: Mapping[str, Any], how: type[psycopg.Error]) -> bool:
    try:
        async with connection.transaction(force_rollback=True):
            await connection.execute(statement.encode(), values)
    except how:
        return True
    return False


def of(*repositories: Mapping[str, int]) -> dict[str, list[tuple[int, int]]]:
    return {table: [(one["org"], one["repositories"]) for one in repositories] for table in TABLES}


def test_all_tables_of_the_code_are_looked_at_here(three: Three, shared_database_url: str) -> None:
    with psycopg.connect(shared_database_url) as admin:
        rows = admin.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND starts_with(relname, 'code_')").fetchall()
    assert {name for (name,) in rows} == set(TABLES)


async def test_a_query_that_forgets_its_where_sees_one_repositorys_code(database: Database, three: Three) -> None:
    for one in (three.ours, three.second, three.theirs):
        async with database.code(one["org"], [one["repositories"]]) as connection:
            assert await seen(connection) == of(one)


async def test_several_repositories_are_seen_where_several_are_named(database: Database, three: Three) -> None:
    async with database.code(three.ours["org"], [three.ours["repositories"], three.second["repositories"]]) as connection:
        assert await seen(connection) == of(three.ours, three.second)


async def test_another_organizations_repository_is_not_seen_though_it_is_named(database: Database, three: Three) -> None:
    async with database.code(three.ours["org"], [three.theirs["repositories"]]) as connection:
        assert await seen(connection) == of()


async def test_without_repositories_there_is_no_code(database: Database, three: Three) -> None:
    async with database.code(three.ours["org"], []) as connection:
        assert await seen(connection) == of()
    async with database.tenant(three.ours["org"]) as connection:
        assert await seen(connection) == of()


async def test_the_repositories_do_not_reach_the_next_transaction_on_the_connection(
    shared_database_url: str, three: Three
) -> None:
    async with Database.open(shared_database_url, pool_size=1) as database:
        async with database.code(three.ours["org"], [three.ours["repositories"]]):
            pass
        async with database.tenant(three.ours["org"]) as connection:
            assert await seen(connection) == of()
        async with database.owner() as connection:
            cursor = await connection.execute("SELECT current_user::text, current_setting('app.repositories', true)")
            assert await cursor.fetchall() == [("postgres", "")]


async def test_a_delete_or_update_that_forgets_its_where_touches_one_repositorys_code(database: Database, three: Three) -> None:
    async with database.code(three.ours["org"], [three.ours["repositories"]]) as connection:
        for table in TABLES:
            cursor = await connection.execute(f"UPDATE {table} SET repository_id = repository_id")
            assert (table, cursor.rowcount) == (table, 1)
        for table in reversed(TABLES):
            cursor = await connection.execute(f"DELETE FROM {table}")
            assert (table, cursor.rowcount) == (table, 1)
        await connection.rollback()
        assert (await (await connection.execute("SELECT current_user::text")).fetchone()) == ("postgres",)


async def test_nobody_writes_code_for_another_repository(database: Database, three: Three) -> None:
    async with database.code(three.ours["org"], [three.ours["repositories"]]) as connection:
        for table in TABLES:
            for other in (three.second, three.theirs):
                assert await refused(connection, f"INSERT INTO {table} {ONE_ROW[table]}", other, InsufficientPrivilege), table
                move = f"UPDATE {table} SET repository_id = %(repositories)s"
                assert await refused(connection, move, other, InsufficientPrivilege), table


async def test_no_chunk_or_vector_belongs_to_another_repositorys_blob(database: Database, three: Three) -> None:
    repositories = [three.ours["repositories"], three.second["repositories"]]
    mixed = three.ours | {"code_blobs": three.second["code_blobs"], "code_chunks": three.second["code_chunks"]}
    async with database.code(three.ours["org"], repositories) as connection:
        for table in ("code_chunks", "code_vectors", "code_files"):
            if table != "code_chunks":
                await connection.execute(f"DELETE FROM {table} WHERE repository_id = %(repositories)s", three.ours)
            assert await refused(connection, f"INSERT INTO {table} {ONE_ROW[table]}", mixed, ForeignKeyViolation), table
        await connection.rollback()


def test_a_repository_that_goes_takes_its_code_along_and_nobody_elses(shared_database_url: str, three: Three) -> None:
    with psycopg.connect(shared_database_url) as admin:
        admin.execute("DELETE FROM repositories WHERE id = %(repositories)s", three.second)
        for table in TABLES:
            rows = admin.execute(f"SELECT repository_id FROM {table} ORDER BY 1").fetchall()
            assert rows == sorted([(three.ours["repositories"],), (three.theirs["repositories"],)]), table
        admin.rollback()
