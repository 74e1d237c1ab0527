"""The history of a repository: what each changeset touched, and which ones touched a path."""

from collections.abc import Iterator
from typing import Any

from review.errors import Superseded
from storage.code.rows import copy_in
from storage.code.state import ClaimedIndex, NewHistory
from storage.database import Connection, plain

INCOMING = (("number", "int4"), ("sha", "text"), ("at", "int8"), ("paths", "text[]"))
CHANGESETS = """
INSERT INTO code_changesets (organization_id, repository_id, number, sha, at, paths)
SELECT %(organization)s, %(repository)s, number, sha, at, paths FROM incoming_changesets
"""
CHANGES = """
INSERT INTO code_changes (organization_id, repository_id, path, numbers)
SELECT %(organization)s, %(repository)s, path, array_agg(DISTINCT number ORDER BY number)
FROM incoming_changesets, unnest(paths) AS path WHERE octet_length(path) <= %(longest)s GROUP BY path
ON CONFLICT (repository_id, path) DO UPDATE SET numbers = code_changes.numbers || excluded.numbers
"""
LONGEST_PATH = 1000
"""Bytes: an index of Postgres takes 2,700 in a row, and one of the files' holds the path and its folder."""


async def keep(connection: Connection, claimed: ClaimedIndex, history: NewHistory) -> None:
    """Add the new changesets behind those that are known, or put them into their place. Their number is kept with the index.

    From here on nobody else can claim the index before the transaction ends. Raises Superseded when somebody has.
    """
    values = {
        "organization": claimed.organization_id, "repository": claimed.repository_id, "longest": LONGEST_PATH,
        "new": len(history.changesets), "replaces": history.replaces, "tries": claimed.tries,
    }  # fmt: skip
    if history.replaces:
        await connection.execute("DELETE FROM code_changesets WHERE repository_id = %(repository)s", values)
        await connection.execute("DELETE FROM code_changes WHERE repository_id = %(repository)s", values)
    cursor = await connection.execute(
        "UPDATE code_indexes SET changesets = %(new)s + CASE WHEN %(replaces)s THEN 0 ELSE changesets END"
        " WHERE repository_id = %(repository)s AND tries = %(tries)s RETURNING changesets",
        values,
    )
    row = await cursor.fetchone()
    if row is None:
        raise Superseded("Another job has taken over this repository's index.")
    await copy_in(connection, "incoming_changesets", INCOMING, _numbered(history, row[0]))
    await connection.execute(CHANGESETS, values)
    await connection.execute(CHANGES, values)


def _numbered(history: NewHistory, newest: int) -> Iterator[tuple[Any, ...]]:
    """The newest has the highest number."""
    for older, changeset in enumerate(history.changesets):
        yield newest - older, changeset.sha, changeset.at, [plain(path) for path in changeset.paths]
