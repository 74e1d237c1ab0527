"""Postings: which files hold a word, define a name or use it. A change of files touches only what differs between the blobs.

They lie in segments of file numbers: a list of a common word is never rewritten as a whole, and fits beside its row.
"""

from typing import LiteralString

from storage.code.state import ClaimedIndex
from storage.database import Connection

SEGMENT = 1024
"""File numbers of a segment: a list of them and their counts fits into a page of Postgres."""

AT_A_TIME = 2
"""Segments that one statement updates: some 600,000 postings, which MEMORY is enough to sort."""

MEMORY = "64MB"

# OFFSET 0 has a row looked up by its key, whatever the planner thinks of tables that were filled a moment ago.
ENTRIES: LiteralString = """
SELECT c.number, e.kind, e.term, e.count FROM changed c
CROSS JOIN LATERAL (SELECT * FROM code_blobs b WHERE b.repository_id = %(repository)s AND b.id = c.{blob} OFFSET 0) b
CROSS JOIN LATERAL (
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
SELECT kind, term COLLATE "C" AS term, number / %(segment)s AS segment, number, come.count
FROM gone FULL JOIN come USING (kind, term, number) WHERE gone.count IS DISTINCT FROM come.count
""".replace("GONE", ENTRIES.format(blob="old_blob")).replace("COME", ENTRIES.format(blob="new_blob"))
UPDATED = """
INSERT INTO code_postings (organization_id, repository_id, kind, term, segment, files, counts)
SELECT %(organization)s, %(repository)s, kind, term, segment,
    coalesce(array_agg(number ORDER BY number) FILTER (WHERE count IS NOT NULL), '{}'),
    coalesce(array_agg(count ORDER BY number) FILTER (WHERE count IS NOT NULL), '{}')
FROM (
    SELECT kind, term, segment, number, count FROM differences
    UNION ALL
    SELECT d.kind, d.term, d.segment, e.number, e.count
    FROM (SELECT kind, term, segment, array_agg(number) AS numbers FROM differences GROUP BY kind, term, segment) d
    CROSS JOIN LATERAL (
        SELECT files, counts FROM code_postings p
        WHERE p.repository_id = %(repository)s AND p.kind = d.kind AND p.term = d.term AND p.segment = d.segment OFFSET 0) p
    CROSS JOIN LATERAL unnest(p.files, p.counts) AS e (number, count)
    WHERE e.number <> ALL (d.numbers)
) AS entries
GROUP BY kind, term, segment
ON CONFLICT (repository_id, kind, term, segment) DO UPDATE SET files = excluded.files, counts = excluded.counts
"""
EMPTIED = """
DELETE FROM code_postings WHERE repository_id = %(repository)s AND kind IN ('w', 'd', 'u') AND files = '{}'
    AND term = ANY (ARRAY(SELECT DISTINCT term FROM differences WHERE count IS NULL))
"""


async def update_postings(connection: Connection, claimed: ClaimedIndex) -> None:
    """Bring the postings up to the files in the temporary table `changed` (number, old_blob, new_blob)."""
    cursor = await connection.execute("SELECT DISTINCT number / %s FROM changed ORDER BY 1", (SEGMENT,))
    await connection.execute("SELECT set_config('work_mem', %s, true)", (MEMORY,))
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
        await connection.execute(UPDATED, values)
        await connection.execute(EMPTIED, values)
        await connection.execute("DROP TABLE differences")
