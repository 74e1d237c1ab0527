"""Code indexes remembered: one for each repository, brought up to date by one job at a time, seen as a whole or not at all."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import LiteralString

import numpy as np
from numpy.typing import NDArray

from review.context.chunk import ParsedFile
from review.errors import Superseded
from storage.code import blobs, publication, vectors
from storage.code.nearest import make_fast, no_longer_fast
from storage.code.postgres_index import PostgresIndex
from storage.code.state import ClaimedIndex, IndexedPath, IndexState, NewHistory
from storage.database import Connection, Database, plain
from storage.installations import Tenant

STALE_SECONDS = 15.0
"""A claim without a heartbeat for this long belongs to a job that died. Jobs give one every three seconds."""

CLAIM = """
INSERT INTO code_indexes (organization_id, repository_id, state) VALUES (%(organization)s, %(repository)s, 'running')
ON CONFLICT (repository_id) DO UPDATE
SET state = 'running', tries = code_indexes.tries + 1, heartbeat_at = clock_timestamp(), because = ''
WHERE code_indexes.state <> 'running' OR code_indexes.heartbeat_at < clock_timestamp() - make_interval(secs => %(stale)s)
RETURNING tries, commit_sha, embedder
"""

STATE = """
SELECT state, commit_sha, embedder, files, chunks, changesets, skipped, because, indexed_at
FROM code_indexes WHERE repository_id = %s
"""


class CodeIndexes:
    """The index of every repository. Every method may raise Away.

    A claim that another job has taken over (its heartbeat had stopped) writes nothing any more: `kept`, `keep`,
    `keep_vectors` and `publish` then raise Superseded.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, tenant: Tenant) -> ClaimedIndex | None:
        """Make this repository's index ours; None while another job is at it. Publication ends the claim."""
        values = {"organization": tenant.organization_id, "repository": tenant.repository_id, "stale": STALE_SECONDS}
        async with self._database.code(tenant.organization_id, [tenant.repository_id]) as connection:
            row = await (await connection.execute(CLAIM, values)).fetchone()
        return None if row is None else ClaimedIndex(tenant.organization_id, tenant.repository_id, *row)

    async def touch(self, claimed: ClaimedIndex) -> bool:
        """The heartbeat of a claim; False when the index is no longer ours."""
        return await self._update(claimed, "heartbeat_at = clock_timestamp()", ())

    async def release(self, claimed: ClaimedIndex) -> None:
        """Let go of it for now: the next try, or another job, may claim it at once. What was kept stays."""
        await self._update(
            claimed,
            "state = CASE WHEN state <> 'running' THEN state WHEN commit_sha = '' THEN 'wanted' ELSE 'ready' END",
            (),
        )

    async def failed(self, claimed: ClaimedIndex, because: str) -> None:
        """It failed for good; what was published before still serves, and a later job may try again."""
        await self._update(claimed, "state = 'failed', because = %s", (plain(because),))

    async def kept(self, claimed: ClaimedIndex, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these blobs, each in a language, that need no parsing any more.

        What another repository of the same organization holds is copied here now, with its vectors.
        """
        async with self._database.tenant(claimed.organization_id) as connection:
            cursor = await connection.execute("SELECT id FROM repositories")
            repositories = [row[0] for row in await cursor.fetchall()]
        async with self._database.code(claimed.organization_id, repositories) as connection:
            await _must_be_ours(connection, claimed)
            await blobs.copy_from_others(connection, claimed, wanted)
            return await blobs.known(connection, claimed, wanted)

    async def sizes(self, claimed: ClaimedIndex, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The bytes of text that are kept of each of these blobs; those that are not kept are absent."""
        async with self._code(claimed) as connection:
            return await blobs.sizes(connection, claimed, wanted)

    async def keep(self, claimed: ClaimedIndex, parsed: Sequence[tuple[str, ParsedFile]]) -> None:
        """Keep blobs, each by its SHA, in one transaction. Retrieval sees nothing of them before they are published."""
        async with self._code(claimed) as connection:
            await _must_be_ours(connection, claimed)
            await blobs.keep(connection, claimed, parsed)

    async def unembedded(self, claimed: ClaimedIndex, embedder_name: str, most: int, after: int = 0) -> list[tuple[int, str]]:
        """Chunks without a vector of this embedder: id and text, by ascending id, those above `after` only."""
        async with self._code(claimed) as connection:
            return await vectors.missing(connection, claimed, embedder_name, most, after)

    async def keep_vectors(
        self, claimed: ClaimedIndex, embedder_name: str, dimensions: int, ids: Sequence[int], matrix: NDArray[np.float32]
    ) -> None:
        """Keep one row of the matrix, of unit length, for each of these chunks. They serve when they are published."""
        async with self._code(claimed) as connection:
            await _must_be_ours(connection, claimed)
            await vectors.keep(connection, claimed, embedder_name, ids, matrix.reshape(len(ids), dimensions))

    async def publish(
        self,
        claimed: ClaimedIndex,
        commit_sha: str,
        files: Sequence[IndexedPath],
        skipped: Mapping[str, str],
        history: NewHistory,
        embedder_name: str,
        coming: str = "",
    ) -> None:
        """From now on retrieval sees exactly these files, as of that commit, and the vectors of that embedder ('' : none).

        One transaction; it costs as much as has changed. What no file needs any more is removed, and vectors of any
        embedder but that one and the `coming` one, which is not done yet. `skipped` holds the reason for each path that
        was left out. Ends the claim.
        Raises ValueError when a blob was not kept before, Away when a statement takes too long.
        """
        await make_fast(self._database, claimed, embedder_name)
        async with self._code(claimed) as connection:
            await connection.execute(publication.IN_TIME)
            await publication.alone(connection, claimed.repository_id)
            await _must_be_ours(connection, claimed)
            await publication.publish(connection, claimed, commit_sha, files, skipped, history, embedder_name, coming)
        await no_longer_fast(self._database, claimed.repository_id, but=embedder_name)

    async def state(self, organization_id: int, repository_id: int) -> IndexState | None:
        """How this repository's index stands; None when nobody ever wanted one."""
        async with self._database.code(organization_id, [repository_id]) as connection:
            row = await (await connection.execute(STATE, (repository_id,))).fetchone()
        return None if row is None else IndexState(*row)

    def index(self, organization_id: int, repository_id: int) -> PostgresIndex:
        """What retrieval asks. It answers with nothing where nothing is published."""
        return PostgresIndex(self._database, organization_id, repository_id)

    async def forget(self, organization_id: int, repository_id: int) -> None:
        """Remove all that is known of this repository's code; a job that is at it loses its claim."""
        async with self._database.code(organization_id, [repository_id]) as connection:
            await publication.forget(connection, repository_id)
        await no_longer_fast(self._database, repository_id)

    def _code(self, claimed: ClaimedIndex) -> AbstractAsyncContextManager[Connection]:
        return self._database.code(claimed.organization_id, [claimed.repository_id])

    async def _update(self, claimed: ClaimedIndex, what: LiteralString, values: tuple[object, ...]) -> bool:
        async with self._code(claimed) as connection:
            cursor = await connection.execute(
                f"UPDATE code_indexes SET {what} WHERE repository_id = %s AND tries = %s",  # noqa: S608
                (*values, claimed.repository_id, claimed.tries),
            )
            return cursor.rowcount == 1


async def _must_be_ours(connection: Connection, claimed: ClaimedIndex) -> None:
    """Raises Superseded when another job has claimed the index since, or it was forgotten: that waits for us from now on."""
    cursor = await connection.execute(
        "SELECT 1 FROM code_indexes WHERE repository_id = %s AND tries = %s FOR KEY SHARE",
        (claimed.repository_id, claimed.tries),
    )
    if cursor.rowcount == 0:
        raise Superseded("Another job has taken over this repository's index.")
