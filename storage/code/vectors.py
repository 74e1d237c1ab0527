"""Vectors of chunks: which are missing, and writing them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storage.code.rows import copy_in
from storage.code.state import ClaimedIndex
from storage.database import Connection

MISSING = """
SELECT id, symbol, text FROM code_chunks c WHERE repository_id = %(repository)s AND id > %(after)s AND NOT EXISTS (
    SELECT FROM code_vectors v WHERE v.repository_id = %(repository)s AND v.chunk_id = c.id AND v.model = %(model)s OFFSET 0)
ORDER BY id LIMIT %(most)s
"""
INCOMING = (("chunk_id", "int8"), ("embedding", "halfvec"))

# A chunk may be gone again: another job was faster.
KEEP = """
INSERT INTO code_vectors (organization_id, repository_id, chunk_id, blob_id, ordinal, model, embedding)
SELECT %(organization)s, %(repository)s, c.id, c.blob_id, c.ordinal, %(model)s, i.embedding
FROM incoming_vectors i JOIN code_chunks c ON c.repository_id = %(repository)s AND c.id = i.chunk_id
ON CONFLICT DO NOTHING
"""
REMEMBER_MODEL = """
UPDATE code_indexes SET models = models || %(model)s::text, heartbeat_at = clock_timestamp()
WHERE repository_id = %(repository)s AND NOT %(model)s = ANY (models)
"""


async def missing(connection: Connection, claimed: ClaimedIndex, model: str, most: int, after: int) -> list[tuple[int, str]]:
    """Chunks without a vector of this model: id and the text to embed, the symbol on its first line."""
    values = {"repository": claimed.repository_id, "model": model, "most": most, "after": after}
    cursor = await connection.execute(MISSING, values)
    return [(id, f"{symbol}\n{text}" if symbol else text) for id, symbol, text in await cursor.fetchall()]


async def keep(
    connection: Connection, claimed: ClaimedIndex, model: str, ids: Sequence[int], matrix: NDArray[np.float32]
) -> None:
    """Write a row of the matrix for each chunk that is still there."""
    await copy_in(connection, "incoming_vectors", INCOMING, zip(ids, halfvecs(matrix), strict=True))
    values = {"organization": claimed.organization_id, "repository": claimed.repository_id, "model": model}
    await connection.execute(KEEP, values)
    await connection.execute(REMEMBER_MODEL, values)


def halfvecs(matrix: NDArray[np.float32]) -> list[bytes]:
    """Each row as pgvector sends it: the dimensions and a zero as two bytes each, then two bytes for each number."""
    head = np.tile(np.array([matrix.shape[1], 0], dtype=">i2").view("u1"), (len(matrix), 1))
    numbers = np.ascontiguousarray(matrix, dtype=">f2").view("u1")
    return [row.tobytes() for row in np.hstack([head, numbers])]
