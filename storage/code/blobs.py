"""Blobs kept for a repository: each once in a language, with its chunks; copied where the organization has them already."""

from collections.abc import Iterator, Sequence
from typing import Any

from review.context.chunk import ParsedFile
from review.context.words import LONGEST
from storage.code.rows import copy_in
from storage.code.state import ClaimedIndex
from storage.database import Connection, plain

KNOWN = """
SELECT b.sha, b.language FROM unnest(%(shas)s::text[], %(languages)s::text[]) AS w (sha, language)
JOIN code_blobs b ON b.sha = w.sha AND b.language = w.language
WHERE b.organization_id = %(organization)s AND b.repository_id = %(repository)s
"""
SIZES = """
SELECT b.sha, b.language, coalesce(sum(octet_length(c.text)), 0)::bigint
FROM unnest(%(shas)s::text[], %(languages)s::text[]) AS w (sha, language)
JOIN code_blobs b ON b.sha = w.sha AND b.language = w.language
LEFT JOIN code_chunks c ON c.repository_id = %(repository)s AND c.blob_id = b.id
WHERE b.organization_id = %(organization)s AND b.repository_id = %(repository)s GROUP BY b.sha, b.language
"""

# What several repositories have is taken from the one that had it first.
FOUND = """
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT DISTINCT ON (b.sha, b.language)
    b.sha, b.language, b.repository_id AS from_repository, b.id AS from_blob, 0::bigint AS blob_id
FROM unnest(%(shas)s::text[], %(languages)s::text[]) AS w (sha, language)
JOIN code_blobs b ON b.organization_id = %(organization)s AND b.sha = w.sha AND b.language = w.language
WHERE NOT EXISTS (SELECT FROM code_blobs o WHERE o.organization_id = %(organization)s AND o.sha = w.sha
                  AND o.language = w.language AND o.repository_id = %(repository)s)
ORDER BY b.sha, b.language, b.id
"""
COPIES = (
    """
    INSERT INTO code_blobs (organization_id, repository_id, sha, language, length, chunks, note, words, counts, defined, used)
    SELECT %(organization)s, %(repository)s, b.sha, b.language, length, chunks, note, words, counts, defined, used
    FROM found f JOIN code_blobs b ON b.repository_id = from_repository AND b.id = from_blob
    ON CONFLICT DO NOTHING
    """,
    """
    UPDATE found f SET blob_id = b.id FROM code_blobs b
    WHERE b.organization_id = %(organization)s AND b.repository_id = %(repository)s
        AND b.sha = f.sha AND b.language = f.language
    """,
    """
    INSERT INTO code_chunks
        (organization_id, repository_id, blob_id, ordinal, kind, symbol, signature, doc, first_line, last_line, text)
    SELECT %(organization)s, %(repository)s, f.blob_id, ordinal, kind, symbol, signature, doc, first_line, last_line, text
    FROM found f JOIN code_chunks c ON c.repository_id = from_repository AND c.blob_id = from_blob
    ON CONFLICT DO NOTHING
    """,
    """
    WITH copied AS (
        INSERT INTO code_vectors (organization_id, repository_id, chunk_id, blob_id, ordinal, model, embedding)
        SELECT %(organization)s, %(repository)s, n.id, n.blob_id, n.ordinal, v.model, v.embedding
        FROM found f JOIN code_chunks c ON c.repository_id = from_repository AND c.blob_id = from_blob
        JOIN code_vectors v ON v.repository_id = from_repository AND v.chunk_id = c.id
        JOIN code_chunks n ON n.repository_id = %(repository)s AND n.blob_id = f.blob_id AND n.ordinal = c.ordinal
        ON CONFLICT DO NOTHING RETURNING model
    )
    UPDATE code_indexes SET models = ARRAY(SELECT unnest(models) UNION SELECT model FROM copied),
        heartbeat_at = clock_timestamp()  -- ours could not be changed meanwhile
    WHERE repository_id = %(repository)s
    """,
)

INCOMING_BLOBS = (
    ("sha", "text"), ("language", "text"), ("length", "int4"), ("chunks", "int4"), ("note", "text"), ("words", "text[]"),
    ("counts", "int4[]"), ("defined", "text[]"), ("used", "text[]"),
)  # fmt: skip
KEEP_BLOBS = """
INSERT INTO code_blobs
    (organization_id, repository_id, sha, language, length, chunks, note, words, counts, defined, used)
SELECT %(organization)s, %(repository)s, * FROM incoming_blobs
ON CONFLICT DO NOTHING RETURNING sha, language, id
"""
INCOMING_CHUNKS = (
    ("blob_id", "int8"), ("ordinal", "int4"), ("kind", "text"), ("symbol", "text"), ("signature", "text"), ("doc", "text"),
    ("first_line", "int4"), ("last_line", "int4"), ("text", "text"),
)  # fmt: skip
KEEP_CHUNKS = """
INSERT INTO code_chunks
    (organization_id, repository_id, blob_id, ordinal, kind, symbol, signature, doc, first_line, last_line, text)
SELECT %(organization)s, %(repository)s, * FROM incoming_chunks
"""


async def known(connection: Connection, claimed: ClaimedIndex, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these blobs (SHA, language) that this repository holds."""
    cursor = await connection.execute(KNOWN, _asked(claimed, wanted))
    return {(sha, language) for sha, language in await cursor.fetchall()}


async def copy_from_others(connection: Connection, claimed: ClaimedIndex, wanted: Sequence[tuple[str, str]]) -> None:
    """Copy what this repository lacks of these blobs from others that the transaction sees, with chunks and vectors."""
    values = _asked(claimed, wanted)
    cursor = await connection.execute(FOUND, values)
    if cursor.rowcount:
        for statement in COPIES:
            await connection.execute(statement, values)


async def sizes(connection: Connection, claimed: ClaimedIndex, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The bytes of text of those of these blobs that this repository has; read off without unpacking any."""
    rows = await (await connection.execute(SIZES, _asked(claimed, wanted))).fetchall()
    return {(sha, language): size for sha, language, size in rows}


async def keep(connection: Connection, claimed: ClaimedIndex, parsed: Sequence[tuple[str, ParsedFile]]) -> None:
    """Write the blobs that are not there yet, and their chunks."""
    values = {"organization": claimed.organization_id, "repository": claimed.repository_id}
    await copy_in(connection, "incoming_blobs", INCOMING_BLOBS, (_blob(sha, file) for sha, file in parsed))
    cursor = await connection.execute(KEEP_BLOBS, values)
    new = {(sha, language): id for sha, language, id in await cursor.fetchall()}
    files = {(sha, file.language): file for sha, file in parsed}
    rows = (row for key, id in new.items() for row in _chunks(id, files[key]))
    await copy_in(connection, "incoming_chunks", INCOMING_CHUNKS, rows)
    await connection.execute(KEEP_CHUNKS, values)


def _asked(claimed: ClaimedIndex, wanted: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "organization": claimed.organization_id,
        "repository": claimed.repository_id,
        "shas": [sha for sha, _ in wanted],
        "languages": [language for _, language in wanted],
    }


def _blob(sha: str, file: ParsedFile) -> tuple[Any, ...]:
    words = {plain(word): count for word, count in file.words.items() if len(word) <= LONGEST}
    defined = sorted({plain(definition.name) for definition in file.definitions if len(definition.name) <= LONGEST})
    used = sorted({plain(name) for name in file.references if len(name) <= LONGEST})
    return (
        sha, file.language, file.length, len(file.chunks), plain(file.note), list(words), list(words.values()), defined, used,
    )  # fmt: skip


def _chunks(blob_id: int, file: ParsedFile) -> Iterator[tuple[Any, ...]]:
    for ordinal, chunk in enumerate(file.chunks):
        yield (
            blob_id, ordinal, chunk.kind.value, plain(chunk.symbol), plain(chunk.signature), plain(chunk.doc),
            chunk.first_line, chunk.last_line, plain(chunk.text),
        )  # fmt: skip
