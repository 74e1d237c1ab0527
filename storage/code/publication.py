"""Publication: from one moment to the next, retrieval sees another commit. Costs as much as has changed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from review.context.words import stem
from storage.code import history
from storage.code.history import LONGEST_PATH
from storage.code.postings import update_postings
from storage.code.rows import copy_in
from storage.code.state import ClaimedIndex, IndexedPath, NewHistory
from storage.database import Connection, plain, plain_json

LOCK = 0x636F6465
"""First key of the advisory locks that let one publication of a repository run at a time ("code" in ASCII)."""

IN_TIME = "SET LOCAL statement_timeout = '5min'"
"""For each statement of a publication, and its wait for another one: none holds its locks, and a connection, for hours."""

WANTED = (("path", "text"), ("folder", "text"), ("stem", "text"), ("sha", "text"), ("language", "text"))

# A file that changes keeps its number. New ones get theirs by path, so that neighbours share a segment of the postings.
CHANGED = """
CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
SELECT coalesce(f.number, i.last_number + (row_number() OVER (PARTITION BY f.number IS NULL ORDER BY w.path))::int) AS number,
       f.blob_id AS old_blob, b.id AS new_blob, w.path, w.folder, w.stem, w.sha, w.language, b.length, b.chunks
FROM (SELECT * FROM code_files WHERE repository_id = %(repository)s) f
FULL JOIN (SELECT DISTINCT ON (path) * FROM wanted ORDER BY path) w ON w.path = f.path
LEFT JOIN LATERAL (
    SELECT * FROM code_blobs o WHERE o.organization_id = %(organization)s AND o.sha = w.sha AND o.language = w.language
    AND o.repository_id = %(repository)s OFFSET 0) b ON true
JOIN code_indexes i ON i.repository_id = %(repository)s
WHERE (f.sha, f.language) IS DISTINCT FROM (w.sha, w.language)
"""
NOT_KEPT = "SELECT count(*), min(path) FROM changed WHERE path IS NOT NULL AND new_blob IS NULL"
FILES = (
    """
    DELETE FROM code_files WHERE repository_id = %(repository)s
        AND number = ANY (ARRAY(SELECT number FROM changed WHERE new_blob IS NULL))
    """,
    """
    INSERT INTO code_files
        (organization_id, repository_id, number, path, folder, stem, blob_id, sha, language, length, chunks)
    SELECT %(organization)s, %(repository)s, number, path, folder, stem, new_blob, sha, language, length, chunks
    FROM changed WHERE new_blob IS NOT NULL
    ON CONFLICT (repository_id, number) DO UPDATE SET blob_id = excluded.blob_id, sha = excluded.sha,
        language = excluded.language, length = excluded.length, chunks = excluded.chunks
    """,
    """
    DELETE FROM code_blobs WHERE repository_id = %(repository)s
        AND id NOT IN (SELECT blob_id FROM code_files WHERE repository_id = %(repository)s)
    """,
    """
    DELETE FROM code_vectors WHERE repository_id = %(repository)s AND model <> ALL (%(models)s::text[]) AND EXISTS (
        SELECT FROM code_indexes WHERE repository_id = %(repository)s AND NOT models <@ %(models)s::text[])
    """,
)
PUBLISHED = """
UPDATE code_indexes i
SET state = 'ready', heartbeat_at = clock_timestamp(), indexed_at = now(), commit_sha = %(commit)s, because = '',
    skipped = %(skipped)s, embedder = %(embedder)s, files = f.files, words = f.words, chunks = f.chunks,
    models = ARRAY(SELECT unnest(models) INTERSECT SELECT unnest(%(models)s::text[])),
    last_number = greatest(last_number, (SELECT max(number) FROM changed))
FROM (SELECT count(*) AS files, coalesce(sum(length), 0) AS words, coalesce(sum(chunks), 0) AS chunks
      FROM code_files WHERE repository_id = %(repository)s) f
WHERE i.repository_id = %(repository)s
"""


async def alone(connection: Connection, repository_id: int) -> None:
    """Wait until no other transaction publishes or forgets this repository. Heartbeats and claims go on."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK, repository_id % 2**31))


async def publish(
    connection: Connection,
    claimed: ClaimedIndex,
    commit_sha: str,
    files: Sequence[IndexedPath],
    skipped: Mapping[str, str],
    new_history: NewHistory,
    embedder: str,
    coming: str,
) -> None:
    """Make these files what is seen. Raises ValueError when a blob is not there."""
    too_long = sum(len(file.path) * 4 > LONGEST_PATH and len(plain(file.path).encode()) > LONGEST_PATH for file in files)
    reasons = Counter(skipped.values()) + Counter({f"its path is longer than {LONGEST_PATH} bytes": too_long})
    values = {
        "organization": claimed.organization_id, "repository": claimed.repository_id, "commit": commit_sha,
        "skipped": Jsonb(plain_json(reasons)), "embedder": embedder, "models": [embedder, coming],
    }  # fmt: skip
    await copy_in(connection, "wanted", WANTED, _wanted(files))
    await connection.execute("ANALYZE wanted")
    await connection.execute(CHANGED, values)
    missing = await (await connection.execute(NOT_KEPT)).fetchone()
    if missing is not None and missing[0]:
        raise ValueError(f"{missing[0]} files were never kept, {missing[1]} among them")
    await update_postings(connection, claimed)
    for statement in FILES:
        await connection.execute(statement, values)
    await history.keep(connection, claimed, new_history)
    await connection.execute(PUBLISHED, values)


async def forget(connection: Connection, repository_id: int) -> None:
    """Delete every row about this repository's code."""
    await alone(connection, repository_id)
    for table in ("code_indexes", "code_files", "code_postings", "code_changesets", "code_changes", "code_blobs"):
        await connection.execute(f"DELETE FROM {table} WHERE repository_id = %s", (repository_id,))  # noqa: S608


def _wanted(files: Sequence[IndexedPath]) -> Iterator[tuple[Any, ...]]:
    for file in files:
        path = plain(file.path)
        if len(path.encode()) <= LONGEST_PATH:
            yield path, path.rpartition("/")[0], stem(path), file.blob, file.language
