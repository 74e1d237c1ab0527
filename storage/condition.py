"""What condition Postgres and Redis are in, for whoever runs RefactorIQ: versions, pgvector, migrations, roles, persistence."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from redis.asyncio import Redis
from redis.exceptions import RedisError

from review.errors import UserError
from storage.database import postgres_url

ROLES = ("refactoriq_tenant", "refactoriq_system")
SECONDS = 5
"""How long either service may take to answer."""

Connection = psycopg.AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class DatabaseCondition:
    """`version` is the server's major one; `pgvector` what is installed in this database, `pgvector_offered` what could be.

    `revision` is the migration that it is at, `newest` the one that this program needs. `roles` holds, for each role that
    cannot be used safely, a clause that says why.
    """

    version: int
    pgvector: str | None
    pgvector_offered: str | None
    revision: str | None
    newest: str
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def migrated(self) -> bool:
        return self.revision == self.newest


async def database_condition(url: str) -> DatabaseCondition:
    """Connect and look; nothing is changed. Raises UserError with what to do when there is no way in."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            postgres_url(url), autocommit=True, connect_timeout=SECONDS, prepare_threshold=None
        )
    except psycopg.Error as error:
        words = " ".join(str(error).split()) or "no answer"
        raise UserError(f"Postgres cannot be reached: {words.removesuffix('.')}. Check DATABASE_URL.") from None
    async with connection:
        try:
            return await _look(connection)
        except psycopg.Error as error:
            raise UserError(f"Postgres answers, but not as expected: {' '.join(str(error).split())}.") from None


async def _look(connection: Connection) -> DatabaseCondition:
    version, pgvector, offered, versions = await _one(
        connection,
        "SELECT current_setting('server_version_num')::int / 10000,"
        " (SELECT extversion FROM pg_extension WHERE extname = 'vector'),"
        " (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'),"
        " to_regclass('alembic_version')",
    )
    revision = (await _one(connection, "SELECT max(version_num) FROM alembic_version"))[0] if versions else None
    newest = await asyncio.to_thread(newest_revision)
    roles = {role: because for role in ROLES if (because := await _why_unsafe(connection, role))}
    return DatabaseCondition(version, pgvector, offered, revision, newest, roles)


async def _why_unsafe(connection: Connection, role: str) -> str:
    """Why transactions must not, or cannot, run under this role; an empty string when all is well."""
    if not (await _one(connection, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", role))[0]:
        return "does not exist"
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('role', %s, true)", (role,))
            rights, owned = await _one(
                connection,
                "SELECT rolsuper OR rolbypassrls, EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relowner = r.oid AND c.relkind = 'r' AND n.nspname = current_schema())"
                " FROM pg_roles r WHERE rolname = current_user",
            )
    except psycopg.errors.InsufficientPrivilege:
        return "may not be taken on by the user of DATABASE_URL"
    if rights:
        return "may pass by row-level security"
    return "owns tables, whose owner may switch their protection off" if owned else ""


async def _one(connection: Connection, query: str, *values: Any) -> TupleRow:
    row = await (await connection.execute(query, values or None)).fetchone()
    if row is None:
        raise psycopg.DataError("a query that always has a row has none")
    return tuple(row)


def newest_revision() -> str:
    """The newest migration that this program has. Takes a second: Alembic is imported."""
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(Path(__file__).parent / "migrations")).get_current_head())


@dataclass(frozen=True, slots=True)
class RedisCondition:
    """`policy` is what Redis does when its memory is full (`noeviction` …); `persists` whether every write is logged (AOF)."""

    version: str
    policy: str
    persists: bool


async def redis_condition(url: str) -> RedisCondition:
    """Connect and look; nothing is changed. Raises UserError with what to do when there is no way in."""
    try:
        async with Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as redis:
            told = await redis.info()
    except ValueError:  # its words quote the part that it stumbled over, which may be the password
        raise UserError("REDIS_URL must be redis://:password@host:port/number. In the password, write / as %2F.") from None
    except (RedisError, OSError) as error:
        words = str(error).removesuffix(".") or type(error).__name__
        raise UserError(f"Redis cannot be reached: {words}. Check REDIS_URL.") from None
    return RedisCondition(
        str(told["redis_version"]), str(told.get("maxmemory_policy", "")), bool(told.get("aof_enabled", False))
    )
