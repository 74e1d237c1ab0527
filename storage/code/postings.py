"""Postings: which files hold a word, define a name or use it. A change of files touches only what differs between the blobs.

They lie in segments of file numbers: a list of a common word is never rewritten as a whole, and fits beside its row.
"""

from typing import LiteralString

from storage.code.state import ClaimedIndex
from storage.database import Connection

SEGMENT = 256
"""File numbers of a segment: a list of them and their counts stays below the size from which Postgres moves it elsewhere."""

AT_A_TIME = 8
"""Segments that one statement updates: some 500,000 postings, which fit into the memory that sorting has."""

ENTRIES: LiteralString = """
SELECT c.number, e.kind, e.term, e.count FROM changed c
JOIN code_blobs b ON b.repository_id = %(repository)s AND b.id = c.{blob},
LATERAL (
    SELECT 'w'::"char" AS kind, t.term, t.count FROM unnest(b.words, b.counts) AS t (term, count)
    UNION ALL SELECT 'd', unnest(b.defined), 1
    UNION ALL SELECT 'u', unnest(b.used), 1
) e
WHERE c.number / %(segment)s = ANY (%(segments)s)
"""
# Where an entry goes away, its count is NULL.
DIFFERENCES = """
CREATE TEMPORARY TABLE differences ON COMMIT DROP AS
WITH gone AS (GONE), come AS (COME)
SELECT kind, term, number / %(segment)s AS segment, number, come.count
FROM gone FULL JOIN come USING (kind, term, number) WHERE gone.count IS DISTINCT FROM come.count
""".replace("GONE", ENTRIES.format(blob="old_blob")).replace("COME", ENTRIES.format(blob="new_blob"))
EMPTIED = """
DELETE FROM code_postings p USING (
    SELECT kind, term, segment, array_agg(number) AS numbers FROM differences WHERE count IS NULL GROUP BY kind, term, segment
) d
WHERE p.repository_id = %(repository)s AND p.kind = d.kind AND p.term = d.term AND p.segment = d.segment
    AND p.files <@ d.numbers
"""
UPDATED = """
INSERT INTO code_postings (organization_id, repository_id, kind, term, segment, files, counts)
SELECT %(organization)s, %(repository)s, kind, term, segment,
    array_agg(number ORDER BY number), array_agg(count ORDER BY number)
FROM (
    SELECT kind, term, segment, number, count FROM differences WHERE count IS NOT NULL
    UNION ALL
    SELECT p.kind, p.term, p.segment, e.number, e.count
    FROM (SELECT DISTINCT kind, term, segment FROM differences) d
    JOIN code_postings p ON p.repository_id = %(repository)s AND p.kind = d.kind AND p.term = d.term AND p.segment = d.segment,
    LATERAL unnest(p.files, p.counts) AS e (number, count)
    WHERE NOT EXISTS (SELECT FROM differences o WHERE o.kind = p.kind AND o.term = p.term AND o.number = e.number)
) AS entries
GROUP BY kind, term, segment
ON CONFLICT (repository_id, kind, term, segment) DO UPDATE SET files = excluded.files, counts = excluded.counts
"""


async def update_postings(connection: Connection, claimed: ClaimedIndex) -> None:
    """Bring the postings up to the files in the temporary table `changed` (number, old_blob, new_blob)."""
    cursor = await connection.execute("SELECT DISTINCT number / %s FROM changed ORDER BY 1", (SEGMENT,))
    segments = [row[0] for row in await cursor.fetchall()]
    for first in range(0, len(segments), AT_A_TIME):
        values = {
            "organization": claimed.organization_id,
            "repository": claimed.repository_id,
            "segment": SEGMENT,
            "segments": segments[first : first + AT_A_TIME],
        }
        await connection.execute(DIFFERENCES, values)
        await connection.execute("ANALYZE differences")
        await connection.execute(EMPTIED, values)
        await connection.execute(UPDATED, values)
        await connection.execute("DROP TABLE differences")
