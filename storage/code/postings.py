"""Postings: which files hold a word, define a name or use it. A change of files touches only what differs between the blobs.

They lie in segments of file numbers: a list of a common word is never rewritten as a whole, and fits beside its row.
"""

from typing import LiteralString

import numpy as np

from storage.code.rows import copy_in
from storage.code.state import ClaimedIndex
from storage.database import Connection

SEGMENT = 4096
"""File numbers of a segment. More: fewer rows to read. Less: shorter lists to rewrite when a file changes. It is updated as a
whole: a million postings, which MEMORY is enough to sort."""

MEMORY = "64MB"

SENT = np.dtype(">i4")
"""A number as Postgres' int4send has it."""

# OFFSET 0 has a row looked up by its key, whatever the planner thinks of tables that were filled a moment ago.
ENTRIES: LiteralString = """
SELECT c.number, e.kind, e.term, e.count FROM changed c
CROSS JOIN LATERAL (SELECT * FROM code_blobs b WHERE b.repository_id = %(repository)s AND b.id = c.{blob} OFFSET 0) b
CROSS JOIN LATERAL (
    SELECT 'w'::"char" AS kind, t.term, t.count FROM unnest(b.words, b.counts) AS t (term, count)
    UNION ALL SELECT 'd', unnest(b.defined), 1
    UNION ALL SELECT 'u', unnest(b.used), 1
) e
WHERE c.number BETWEEN %(first)s AND %(last)s
"""
# Where an entry goes away, its count is NULL.
DIFFERENCES = """
CREATE TEMPORARY TABLE differences ON COMMIT DROP AS
WITH gone AS (GONE), come AS (COME)
SELECT kind, term COLLATE "C" AS term, number, come.count
FROM gone FULL JOIN come USING (kind, term, number) WHERE gone.count IS DISTINCT FROM come.count
""".replace("GONE", ENTRIES.format(blob="old_blob")).replace("COME", ENTRIES.format(blob="new_blob"))
TOUCHED = """
SELECT d.kind::text, d.term, p.files, p.counts, d.numbers, d.new_counts
FROM (SELECT kind, term, array_agg(number ORDER BY number) AS numbers, array_agg(count ORDER BY number) AS new_counts
      FROM differences GROUP BY kind, term) d
CROSS JOIN LATERAL (
    SELECT files, counts FROM code_postings p
    WHERE p.repository_id = %(repository)s AND p.kind = d.kind AND p.term = d.term AND p.segment = %(segment)s OFFSET 0) p
"""
NEW = """
INSERT INTO code_postings (organization_id, repository_id, kind, term, segment, files, counts)
SELECT %(organization)s, %(repository)s, kind, term, %(segment)s, string_agg(int4send(number), ''::bytea ORDER BY number),
    coalesce(string_agg(int4send(count), ''::bytea ORDER BY number) FILTER (WHERE kind = 'w'), '')
FROM differences WHERE count IS NOT NULL GROUP BY kind, term
ON CONFLICT DO NOTHING
"""
INCOMING = (("kind", "text"), ("term", "text"), ("files", "bytea"), ("counts", "bytea"))
MERGED = """
INSERT INTO code_postings (organization_id, repository_id, kind, term, segment, files, counts)
SELECT %(organization)s, %(repository)s, kind::"char", term, %(segment)s, files, counts FROM merged
ON CONFLICT (repository_id, kind, term, segment) DO UPDATE SET files = excluded.files, counts = excluded.counts
"""
EMPTIED = """
DELETE FROM code_postings WHERE repository_id = %(repository)s AND kind IN ('w', 'd', 'u') AND segment = %(segment)s
    AND term = ANY (ARRAY(SELECT term FROM merged WHERE files = '')) AND files = ''
"""


async def update_postings(connection: Connection, claimed: ClaimedIndex) -> None:
    """Bring the postings up to the files in the temporary table `changed` (number, old_blob, new_blob)."""
    await connection.execute("SELECT set_config('work_mem', %s, true)", (MEMORY,))
    cursor = await connection.execute("SELECT DISTINCT number / %s FROM changed", (SEGMENT,))
    for (segment,) in await cursor.fetchall():
        await _update(connection, claimed, segment)


async def _update(connection: Connection, claimed: ClaimedIndex, segment: int) -> None:
    values = {
        "organization": claimed.organization_id, "repository": claimed.repository_id,
        "segment": segment, "first": segment * SEGMENT, "last": (segment + 1) * SEGMENT - 1,
    }  # fmt: skip
    await connection.execute(DIFFERENCES, values)
    await connection.execute("ANALYZE differences")
    touched = await (await connection.execute(TOUCHED, values, binary=True)).fetchall()
    await connection.execute(NEW, values)
    await copy_in(connection, "merged", INCOMING, (_merged(*row) for row in touched))
    await connection.execute(MERGED, values)
    await connection.execute(EMPTIED, values)
    await connection.execute("DROP TABLE differences, merged")


def _merged(
    kind: str, term: str, files: bytes, counts: bytes, numbers: list[int], new_counts: list[int | None]
) -> tuple[str, str, bytes, bytes]:
    """The row as it is to be: without the numbers of what differs, and with those that have a count now."""
    old = np.frombuffer(files, SENT)
    stays = ~np.isin(old, numbers)
    come = [(number, count) for number, count in zip(numbers, new_counts, strict=True) if count is not None]
    new = np.concatenate([old[stays], np.array([number for number, _ in come], SENT)])
    order = np.argsort(new)
    if kind != "w":
        return kind, term, new[order].astype(SENT).tobytes(), b""
    all_counts = np.concatenate([np.frombuffer(counts, SENT)[stays], np.array([count for _, count in come], SENT)])
    return kind, term, new[order].astype(SENT).tobytes(), all_counts[order].astype(SENT).tobytes()
