"""The chunks nearest to a vector: by looking at all of a repository's, or by an HNSW index of its own where there are many.

A partial index for each large repository, and not one over all: one over all mixes the tenants up, so that most of what it
finds is thrown away by row-level security (measured: a recall of .83 for a tenant of 857 chunks among 100,000), and it could
hold vectors of one dimension only.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import md5

import numpy as np
import structlog
from numpy.typing import NDArray
from psycopg import errors
from psycopg.sql import SQL, Identifier, Literal

from review.context.index import Neighbour
from review.errors import UserError
from storage.code.state import ClaimedIndex
from storage.database import Connection, Database

MANY = 10_000
"""Vectors of a repository from which on it gets an index of its own."""

BUILD_MEMORY = "256MB"
"""What a build may take; beyond (some 200,000 vectors of 384) it goes on more slowly. Workers beside it would need as much in
/dev/shm, of which containers have little: it builds alone."""

MOST_INDEXES = 50
"""HNSW indexes of the whole server. Every query on code_vectors locks each of them while it is planned, whoever's they are,
and Postgres' table of locks has room for some 64 a connection (max_locks_per_transaction)."""

LIMITS = {
    # CONCURRENTLY waits for every transaction that is older, another tenant's build too; beyond that the next job tries again.
    "lock_timeout": "2s",
    "statement_timeout": "5min",
    # Behind a transaction pooler these may miss the build, which is then slower; they harm nobody.
    "maintenance_work_mem": BUILD_MEMORY,
    "max_parallel_maintenance_workers": "0",
}
"""How a build, or a removal, is held within bounds."""

NOT_NOW = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected)

log = structlog.get_logger()

EXACT = """
WITH nearest AS MATERIALIZED (
    SELECT blob_id, ordinal, embedding <#> %(vector)s::halfvec AS distance FROM code_vectors v
    WHERE repository_id = %(repository)s AND model = %(model)s
    AND EXISTS (SELECT FROM code_files f WHERE f.repository_id = %(repository)s AND f.blob_id = v.blob_id)
    ORDER BY distance LIMIT %(most)s
)
"""
# Twice as many, as some may belong to blobs that are not published yet.
INDEXED = """
WITH nearest AS MATERIALIZED (
    SELECT blob_id, ordinal, embedding::halfvec({dimensions}) <#> %(vector)s::halfvec({dimensions}) AS distance
    FROM code_vectors WHERE repository_id = %(repository)s AND model = %(model)s
    ORDER BY embedding::halfvec({dimensions}) <#> %(vector)s::halfvec({dimensions}) LIMIT 2 * %(most)s
)
"""
NEIGHBOURS = """
SELECT f.number, n.ordinal, -n.distance FROM nearest n
JOIN code_files f ON f.repository_id = %(repository)s AND f.blob_id = n.blob_id
ORDER BY n.distance, f.number, n.ordinal LIMIT %(most)s
"""
# The index gives its whole answer at once, and goes on where a part of it is thrown away. Of a table that was filled a moment
# ago the planner may believe that sorting all is as quick.
BY_INDEX = """
SELECT set_config('hnsw.ef_search', %s, true), set_config('hnsw.iterative_scan', 'strict_order', true),
       set_config('enable_sort', 'off', true)
"""
SERVING = """
SELECT embedder, coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s || left(md5(embedder), 8))), false)
FROM code_indexes WHERE repository_id = %s
"""


async def nearest(connection: Connection, repository_id: int, vector: NDArray[np.float32], most: int) -> Sequence[Neighbour]:
    """The chunks of published files that are nearest to this vector of unit length, among those of the embedder that serves."""
    row = await (await connection.execute(SERVING, (_prefix(repository_id), repository_id))).fetchone()
    if row is None or not row[0]:
        return []
    values = {"repository": repository_id, "model": row[0], "most": most, "vector": str(vector.tolist())}
    if row[1]:
        await connection.execute(BY_INDEX, (str(min(1000, max(100, 2 * most))),))
    query = SQL((INDEXED if row[1] else EXACT) + NEIGHBOURS).format(dimensions=Literal(len(vector)))
    cursor = await connection.execute(query, values, binary=True)
    return [Neighbour(file, chunk, min(1.0, similarity)) for file, chunk, similarity in await cursor.fetchall()]


async def make_fast(database: Database, claimed: ClaimedIndex, model: str) -> None:
    """Give this repository an HNSW index over its vectors of this model, if there are MANY. Takes a minute for 100,000.

    Others read and write meanwhile. What a build that was killed has left is removed before. A build that takes too long, or
    waits too long for others, is given up, and none begins beyond MOST_INDEXES: exact search serves, and the next job tries
    again. Raises UserError when the login does not own the table.
    """
    async with database.code(claimed.organization_id, [claimed.repository_id]) as connection:
        dimensions = await _wants_one(connection, claimed.repository_id, model)
    if dimensions is None:
        return
    name = Identifier(_name(claimed.repository_id, model))
    create = SQL(
        "CREATE INDEX CONCURRENTLY {name} ON code_vectors USING hnsw ((embedding::halfvec({dimensions})) halfvec_ip_ops)"
        " WHERE repository_id = {repository} AND model = {model}"
    ).format(name=name, dimensions=Literal(dimensions), repository=Literal(claimed.repository_id), model=Literal(model))
    drop = SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name)
    try:
        async with _within_limits(database) as connection:
            await connection.execute(drop)
            if await _are_enough(connection):
                log.info("no index over vectors: there are as many as may be", repository=claimed.repository_id)
                return
            try:
                await connection.execute(create)
            except NOT_NOW:
                await connection.execute(drop)  # what is left is of no use, yet every insert would keep it up
                raise
    except errors.InsufficientPrivilege:
        raise UserError(
            "The database user does not own the table code_vectors, so it cannot index it. Let the user of DATABASE_URL own "
            "RefactorIQ's tables: the one that runs `refactoriq migrate` does."
        ) from None


async def no_longer_fast(database: Database, repository_id: int, but: str = "") -> None:
    """Remove this repository's HNSW indexes, but that of the model named; what others hold up stays for the next job."""
    async with _within_limits(database) as connection:
        cursor = await connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = current_schema()::regnamespace"
            " AND starts_with(relname, %s) AND relname <> %s",
            (_prefix(repository_id), _name(repository_id, but)),
        )
        for (name,) in await cursor.fetchall():
            await connection.execute(SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(Identifier(name)))


@asynccontextmanager
async def _within_limits(database: Database) -> AsyncIterator[Connection]:
    """A connection under LIMITS, without them again in the pool. What goes beyond them ends the work, and is no error."""
    async with database.owner() as connection:
        try:
            for setting, value in LIMITS.items():
                await connection.execute(SQL("SET {} = {}").format(Identifier(setting), Literal(value)))
            yield connection
        except NOT_NOW as error:
            log.info("an index over vectors was not built or removed this time", because=type(error).__name__)
        finally:
            if not connection.closed:
                for setting in LIMITS:
                    await connection.execute(SQL("RESET {}").format(Identifier(setting)))


async def _are_enough(connection: Connection) -> bool:
    """Whether there are MOST_INDEXES; those that are not sound count, as they are locked as well."""
    cursor = await connection.execute(
        "SELECT count(*) FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam"
        " WHERE indrelid = 'code_vectors'::regclass AND amname = 'hnsw'"
    )
    row = await cursor.fetchone()
    return row is not None and row[0] >= MOST_INDEXES


async def _wants_one(connection: Connection, repository_id: int, model: str) -> int | None:
    """The dimensions of this repository's vectors of the model, if they are many and no sound index over them is there."""
    cursor = await connection.execute(
        "SELECT count(*), max(dimensions) FROM (SELECT vector_dims(embedding) AS dimensions FROM code_vectors"
        " WHERE repository_id = %(repository)s AND model = %(model)s AND NOT EXISTS ("
        "SELECT FROM pg_index WHERE indexrelid = to_regclass(%(name)s) AND indisvalid) LIMIT %(many)s) AS seen",
        {"repository": repository_id, "model": model, "name": _name(repository_id, model), "many": MANY},
    )
    row = await cursor.fetchone()
    return None if row is None or row[0] < MANY else int(row[1])


def _prefix(repository_id: int) -> str:
    return f"code_vectors_{repository_id}_"


def _name(repository_id: int, model: str) -> str:
    return _prefix(repository_id) + md5(model.encode(), usedforsecurity=False).hexdigest()[:8]
