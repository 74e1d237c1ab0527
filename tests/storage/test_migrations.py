"""Migrations: from nothing to the newest and back, by whoever runs them, and a sentence where they cannot."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from review.errors import UserError
from storage.migrations import migrate
from tests.conftest import at_database

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TABLES = {
    "users", "organizations", "installations", "repositories", "deliveries", "analyses", "findings", "reviews", "proposals",
    "code_indexes", "code_blobs", "code_chunks", "code_vectors", "code_files", "code_postings", "code_changesets",
    "code_changes", "audit_logs", "user_links", "api_keys", "idempotency_keys", "members", "repository_readers", "uploads",
    "upload_files", "usage_days", "reports", "exports",
}  # fmt: skip
NEWEST = "0002"
ROLES = ("refactoriq_tenant", "refactoriq_system", "refactoriq_reader")
ALL_ROLES = ", ".join(ROLES)


@pytest.fixture
def ordinary(empty_database_url: str) -> Iterator["Ordinary"]:
    """The owner of an empty database who may create no roles; pgvector is there, as an administrator leaves it."""
    name = f"ordinary_{secrets.token_hex(4)}"
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEROLE")
        admin.execute(f"ALTER DATABASE {admin.info.dbname} OWNER TO {name}")
        admin.execute("CREATE EXTENSION vector")
        yield Ordinary(name, empty_database_url)
        admin.execute(f"ALTER DATABASE {admin.info.dbname} OWNER TO postgres")
        admin.execute(f"DROP OWNED BY {name}")
        admin.execute(f"DROP ROLE {name}")


class Ordinary:
    """A role, the database that it owns, and what an administrator may do there."""

    def __init__(self, name: str, admin_url: str) -> None:
        self.name = name
        self.admin_url = admin_url
        self.url = admin_url.replace("postgres@", f"{name}@")

    def administrator(self, *statements: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            for statement in statements:
                admin.execute(statement)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def tables(url: str) -> set[str]:
    return {row[0] for row in rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def alembic(*arguments: str, url: str | None) -> subprocess.CompletedProcess[str]:
    """The command as a person types it, from the repository's root."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if url is not None:
        environment["DATABASE_URL"] = url
    command = [sys.executable, "-m", "alembic", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def refused(url: str) -> str:
    with pytest.raises(UserError) as refusal:
        migrate(url)
    return str(refusal.value)


def test_all_tables_are_made_from_nothing_and_migrating_again_changes_nothing(empty_database_url: str) -> None:
    migrate(empty_database_url)
    assert tables(empty_database_url) == TABLES | {"alembic_version"}
    migrate(empty_database_url)
    assert rows(empty_database_url, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


def test_two_migrations_at_once_make_one_database(empty_database_url: str) -> None:
    commands = ["from storage.migrations import migrate; import sys; migrate(sys.argv[1])"] * 2
    with ThreadPoolExecutor() as both:
        done = list(both.map(lambda code: python(code, empty_database_url), commands))
    assert [process.stderr for process in done] == ["", ""]
    assert tables(empty_database_url) > TABLES


def name_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_alembic_command_finds_everything_from_the_root_of_the_repository(empty_database_url: str) -> None:
    done = alembic("upgrade", "head", url=empty_database_url)
    assert done.returncode == 0, done.stderr
    assert tables(empty_database_url) > TABLES


def test_without_database_url_alembic_says_what_to_set() -> None:
    done = alembic("upgrade", "head", url=None)
    assert done.returncode != 0
    assert "DATABASE_URL is not set" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_any_spelling_of_the_url_will_do(database_url: str, scheme: str) -> None:
    migrate(scheme + database_url.removeprefix("postgresql"))
    assert rows(database_url, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


def test_the_offline_sql_makes_the_same_tables(empty_database_url: str) -> None:
    done = alembic("upgrade", "head", "--sql", url="postgresql://nobody.example/none")
    assert done.returncode == 0, done.stderr
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(done.stdout.encode())
    assert tables(empty_database_url) == TABLES | {"alembic_version"}
    migrate(empty_database_url)


def test_a_downgrade_takes_the_tables_away_and_an_upgrade_brings_them_back(database_url: str) -> None:
    assert alembic("downgrade", "base", url=database_url).returncode == 0
    assert tables(database_url) == {"alembic_version"}
    migrate(database_url)
    assert tables(database_url) > TABLES


def test_an_owner_who_may_create_roles_needs_no_administrator(ordinary: Ordinary) -> None:
    """Since Postgres 16 whoever creates a role administers it, but may not take it on until it is granted."""
    ordinary.administrator(f"ALTER ROLE {ordinary.name} CREATEROLE")
    own = {role: f"{role}_{secrets.token_hex(3)}" for role in ROLES}
    with psycopg.connect(ordinary.url) as connection:
        versions = sorted((ROOT / "storage/migrations/versions").glob("*_*.sql"))
        sql = "".join(path.read_text() for path in versions if not path.stem.endswith("_down"))
        for role, renamed in own.items():
            sql = sql.replace(role, renamed)
        connection.execute(sql.encode())
        for role in own.values():
            connection.execute("SELECT set_config('role', %s, true)", (role,))
            assert connection.execute("SELECT current_user").fetchone() == (role,)
            connection.execute("SELECT set_config('role', 'none', true)")
        connection.rollback()


def test_a_user_without_the_right_to_roles_reads_what_an_administrator_must_do(ordinary: Ordinary) -> None:
    sentence = refused(ordinary.url)
    assert "Let an administrator run once: CREATE ROLE refactoriq_tenant NOLOGIN;" in sentence
    assert f'GRANT {ALL_ROLES} TO "{ordinary.name}";' in sentence
    assert tables(ordinary.url) == set()


def test_what_the_sentence_tells_the_administrator_is_enough(ordinary: Ordinary) -> None:
    ordinary.administrator(f"GRANT {ALL_ROLES} TO {ordinary.name}")
    migrate(ordinary.url)
    with psycopg.connect(ordinary.url) as connection:
        connection.execute("SELECT set_config('role', 'refactoriq_tenant', true)")
        assert connection.execute("SELECT count(*) FROM reviews").fetchone() == (0,)


def test_a_user_without_the_right_to_the_extension_reads_what_to_do(ordinary: Ordinary) -> None:
    ordinary.administrator(
        "DROP EXTENSION vector",
        f"ALTER DATABASE {name_of(ordinary.url)} OWNER TO postgres",
        f"GRANT CREATE ON SCHEMA public TO {ordinary.name}",
    )
    sentence = refused(ordinary.url)
    assert "pgvector 0.8 or newer" in sentence
    assert "CREATE EXTENSION vector" in sentence


def test_a_server_without_pgvector_reads_what_to_install(empty_database_url: str) -> None:
    if rows(empty_database_url, "SELECT current_setting('server_version_num')::int")[0][0] < 180000:
        pytest.skip("Only Postgres 18 can be told to look for its extensions elsewhere.")
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {admin.info.dbname} SET extension_control_path = '/nowhere'")
    assert "Postgres needs pgvector 0.8 or newer" in refused(empty_database_url)


def test_a_pgvector_that_is_too_old_is_named(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        admin.execute("CREATE EXTENSION vector")
        admin.execute("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'")
    assert "vector is older than 0.8: update pgvector" in refused(empty_database_url)
    assert tables(empty_database_url) == set()


def test_a_half_made_schema_is_not_taken_for_a_whole_one(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        admin.execute("CREATE TABLE code_vectors (mine int)")
    assert "code_vectors" in refused(empty_database_url)
    assert tables(empty_database_url) == {"code_vectors"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://mona:hunter2@127.0.0.1:1/app?connect_timeout=2",
        "postgresql://mona:hunter2@host.invalid/app?connect_timeout=2",
        "postgresql://mona:hunter2@127.0.0.1:port/app",
        "postgresql://mona:hun/hunter2@127.0.0.1/app?connect_timeout=2",
        "postgresql://mona:hun@hunter2@127.0.0.1/app?connect_timeout=2",
        "postgresql://mona:hun#hunter2@127.0.0.1/app?connect_timeout=2",
        "postgresql://mona:hun?hunter2@127.0.0.1/app?connect_timeout=2",
        "postgresql://mona:hun%hunter2@127.0.0.1/app?connect_timeout=2",
        "postgresql://mona:hunter2@[::1/app",
        "postgresql://mona:hunter2@127.0.0.1:1/app?ssl=require",
        "mysql://mona:hunter2@127.0.0.1/app",
        "host=127.0.0.1 port=1 password=hunter2",
    ],
)
def test_what_is_said_of_a_wrong_url_holds_no_password(url: str) -> None:
    sentence = refused(url)
    assert "hunter2" not in sentence
    assert sentence.endswith(".")
    assert "DATABASE_URL" in sentence or "could not be migrated" in sentence


def test_a_database_that_does_not_exist_is_named(postgres_url: str) -> None:
    assert '"no_such_database" does not exist' in refused(at_database(postgres_url, "no_such_database"))
