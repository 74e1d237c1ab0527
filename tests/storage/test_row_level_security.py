"""Row-level security: one tenant's rows, whatever a query forgets, for every table that the catalog knows."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege
from psycopg_pool import AsyncConnectionPool

from storage.database import Connection, Database
from storage.deliveries import Deliveries
from tests.builders_storage import ONE_ROW, a_new_delivery, one_row_of_everything

pytestmark = pytest.mark.integration

TENANT_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attname = 'organization_id' ORDER BY 1
"""
ROLE_IN_USE = """
SELECT current_user::text, r.rolsuper, r.rolbypassrls, r.rolcanlogin, r.rolcreaterole, r.rolcreatedb,
       (SELECT count(*) FROM pg_class WHERE relowner = r.oid),
       (SELECT count(*) FROM pg_auth_members WHERE member = r.oid),
       bool_and(row_security_active(c.oid))
FROM pg_roles r, pg_class c
WHERE r.rolname = current_user AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
  AND c.relname <> 'alembic_version'
GROUP BY r.oid, r.rolsuper, r.rolbypassrls, r.rolcanlogin, r.rolcreaterole, r.rolcreatedb
"""

ONCE_IN_A_REPOSITORY = ("code_indexes", "code_vectors", "code_files", "code_postings", "code_changesets", "code_changes")


class Two:
    """A database with two tenants, ours and theirs, that have one row in every tenant table each."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url) as admin:
            self.ours = one_row_of_everything(admin, 1)
            self.theirs = one_row_of_everything(admin, 2)
            self.tables = [row[0] for row in admin.execute(TENANT_TABLES)]
            self.repositories = "{" + ",".join(str(n) for n in range(1, 20)) + "}"

    @contextmanager
    def as_tenant(self, organization_id: int | None) -> Iterator["psycopg.Connection[Any]"]:
        """What Database.code does, for one loop over all tables; nothing of it is kept.

        All repositories are named: only the tenant keeps the rows apart. See code/test_code_security.py for the rest.
        """
        with psycopg.connect(self.url) as connection:
            connection.execute("SELECT set_config('role', 'refactoriq_tenant', true)")
            connection.execute("SELECT set_config('app.repositories', %s, true)", (self.repositories,))
            if organization_id is not None:
                connection.execute("SELECT set_config('app.tenant', %s, true)", (str(organization_id),))
            yield connection
            connection.rollback()


@pytest.fixture(scope="module")
def two(shared_database_url: str) -> Two:
    """The same two for all these tests, which leave their rows as they are."""
    return Two(shared_database_url)


def refused(connection: "psycopg.Connection[Any]", statement: str, values: dict[str, Any], how: type[psycopg.Error]) -> bool:
    try:
        with connection.transaction():
            connection.execute(statement, values)
    except how:
        return True
    return False


def test_every_tenant_table_stands_in_the_builder_so_that_none_is_forgotten_here(two: Two) -> None:
    assert set(two.tables) == set(ONE_ROW)


def test_row_level_security_is_forced_on_every_table_there_is(shared_database_url: str) -> None:
    with psycopg.connect(shared_database_url) as admin:
        loose = admin.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
            " AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()
    assert loose == [("alembic_version",)]


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url, pool_size=1) as opened:
        yield opened


async def test_the_role_in_use_is_neither_owner_nor_superuser_and_cannot_bypass(database: Database) -> None:
    async with database.tenant(1) as connection:
        tenant = await (await connection.execute(ROLE_IN_USE)).fetchone()
    async with database.system() as connection:
        system = await (await connection.execute(ROLE_IN_USE)).fetchone()
    at_once = await database.at_once(ROLE_IN_USE, ())
    powerless = (False, False, False, False, False, 0, 0, True)
    assert tenant == ("refactoriq_tenant", *powerless)
    assert system == ("refactoriq_system", *powerless)
    assert at_once == [system]


def test_a_query_that_forgets_its_where_sees_one_tenants_rows(two: Two) -> None:
    for me in (two.ours, two.theirs):
        with two.as_tenant(me["org"]) as connection:
            seen = {t: connection.execute(f"SELECT organization_id FROM {t}").fetchall() for t in two.tables}
            organizations = connection.execute("SELECT id FROM organizations").fetchall()
        assert seen == {table: [(me["org"],)] for table in two.tables}
        assert organizations == [(me["org"],)]


def test_a_delete_or_update_that_forgets_its_where_touches_one_tenants_rows(two: Two) -> None:
    with two.as_tenant(two.ours["org"]) as connection:
        for table in two.tables:
            if table == "audit_logs":
                continue
            changed = connection.execute(f"UPDATE {table} SET organization_id = organization_id").rowcount
            assert (table, changed) == (table, 1)
        for table in reversed(ONE_ROW):
            if table != "audit_logs":
                assert (table, connection.execute(f"DELETE FROM {table}").rowcount) == (table, 1)


def test_nobody_writes_a_row_for_another_tenant(two: Two) -> None:
    with two.as_tenant(two.ours["org"]) as connection:
        for table, row in ONE_ROW.items():
            assert refused(connection, f"INSERT INTO {table} {row}", two.theirs, InsufficientPrivilege), table
            move = f"UPDATE {table} SET organization_id = %(org)s"
            assert refused(connection, move, two.theirs, InsufficientPrivilege), table


def test_every_reference_between_tenant_tables_names_the_tenant_too(two: Two) -> None:
    with psycopg.connect(two.url) as admin:
        blind = admin.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid::regclass::text = ANY(%s) AND NOT conkey @> ARRAY("
            "SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'organization_id')",
            (two.tables,),
        ).fetchall()
    assert blind == []


def test_no_row_refers_to_another_tenants_row(two: Two) -> None:
    with psycopg.connect(two.url) as admin:  # rows of the same keys as another's would be refused for being there twice
        others = one_row_of_everything(admin, 3)
        for table in ("reviews", "repository_readers", "upload_files", "reports", *ONCE_IN_A_REPOSITORY):
            admin.execute(f"DELETE FROM {table} WHERE organization_id = %(org)s", others)
    mixed = others | {"org": two.ours["org"]}
    with two.as_tenant(two.ours["org"]) as connection:
        for table in (
            "analyses",
            "findings",
            "reviews",
            "proposals",
            "upload_files",
            "reports",
            "repository_readers",
            "code_blobs",
            *ONCE_IN_A_REPOSITORY,
        ):
            assert refused(connection, f"INSERT INTO {table} {ONE_ROW[table]}", mixed, ForeignKeyViolation), table


def test_an_organization_that_goes_takes_all_its_rows_along_and_nobody_elses(two: Two) -> None:
    with psycopg.connect(two.url) as admin:
        gone = one_row_of_everything(admin, 4)
        admin.execute("DELETE FROM organizations WHERE id = %(org)s", gone)
        for table in two.tables:
            left = {row[0] for row in admin.execute(f"SELECT organization_id FROM {table}")}
            assert gone["org"] not in left
            assert {two.ours["org"], two.theirs["org"]} <= left


@pytest.mark.parametrize("setting", [None, "", "0"])
def test_without_a_tenant_there_is_nothing_to_see(two: Two, setting: str | None) -> None:
    with two.as_tenant(None) as connection:
        if setting is not None:
            connection.execute("SELECT set_config('app.tenant', %s, true)", (setting,))
        for table in [*two.tables, "organizations", "deliveries"]:
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_what_was_done_stays_on_record(two: Two) -> None:
    with two.as_tenant(two.ours["org"]) as connection:
        assert refused(connection, "DELETE FROM audit_logs", {}, InsufficientPrivilege)
        assert refused(connection, "UPDATE audit_logs SET actor = 'nobody'", {}, InsufficientPrivilege)
        assert not refused(connection, f"INSERT INTO audit_logs {ONE_ROW['audit_logs']}", two.ours, InsufficientPrivilege)


async def test_the_system_cannot_look_into_what_belongs_to_tenants(two: Two, database: Database) -> None:
    seen = {"installations", "repositories", "members", "repository_readers", "uploads", "exports"}
    for table in set(two.tables) - seen - {"audit_logs"}:
        with pytest.raises(InsufficientPrivilege):
            async with database.system() as connection:
                await connection.execute(f"SELECT * FROM {table}")
    async with database.system() as connection:
        assert await (await connection.execute("SELECT * FROM audit_logs")).fetchall() == []


async def test_a_tenant_sees_its_own_deliveries_and_changes_none(two: Two, database: Database) -> None:
    await Deliveries(database).remember([a_new_delivery("ours", account_id=1), a_new_delivery("theirs", account_id=2)])
    async with database.tenant(two.ours["org"]) as connection:
        assert await (await connection.execute("SELECT id FROM deliveries")).fetchall() == [("ours",)]
    with pytest.raises(InsufficientPrivilege):
        async with database.tenant(two.ours["org"]) as connection:
            await connection.execute("DELETE FROM deliveries")


async def test_neither_role_nor_tenant_reaches_the_next_transaction_on_the_connection(two: Two) -> None:
    async with AsyncConnectionPool[Connection](two.url, min_size=1, max_size=1, open=False) as pool:
        database = Database(pool)
        for bug in (None, KeyError("a bug in the middle of a transaction")):
            with suppress(KeyError):
                async with database.tenant(two.ours["org"]):
                    if bug:
                        raise bug
            async with pool.connection() as connection:
                cursor = await connection.execute("SELECT current_user::text, current_setting('app.tenant', true)")
                assert await cursor.fetchone() in {("postgres", ""), ("postgres", None)}
            async with database.system() as connection:
                cursor = await connection.execute("SELECT nullif(current_setting('app.tenant', true), '')")
                assert await cursor.fetchone() == (None,)
