"""Builders for the code index: parsed files of a few words, and an index brought up to date in one call."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from review.context.chunk import Chunk, Definition, Kind, ParsedFile
from review.context.tree import Changeset
from storage.code.indexes import STALE_SECONDS, CodeIndexes
from storage.code.state import ClaimedIndex, IndexedPath, NewHistory
from storage.database import Database
from storage.installations import Tenant

EMBEDDER = "made/8"


def a_parsed_file(words: str = "retry after", *, defines: str = "", uses: str = "", chunks: int = 1) -> ParsedFile:
    """A file that holds these words, defines and uses these names, and has so many chunks, a line each."""
    counts = {word: words.split().count(word) for word in words.split()}
    made = tuple(
        Chunk(Kind.FUNCTION, f"f{n}", n + 1, n + 1, f"{words} {defines} {uses} {n}", f"def f{n}()", "Says.")
        for n in range(chunks)
    )
    definitions = tuple(Definition(name, 0, 1) for name in defines.split())
    return ParsedFile("python", made, counts, definitions, frozenset(uses.split()))


def vectors_of(texts: Sequence[str], dimensions: int = 8) -> NDArray[np.float32]:
    """A vector of unit length for each text, the same for the same text."""
    rows = [np.random.default_rng(list(text.encode()) or [0]).standard_normal(dimensions) for text in texts]
    matrix = np.array(rows, np.float32).reshape(len(texts), dimensions)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


class AnEmbedder:
    """An Embedder of eight dimensions: texts are alike only if they are the same."""

    name = EMBEDDER
    dimensions = 8
    remote = False

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return vectors_of(texts)


async def claimed(indexes: CodeIndexes, tenant: Tenant) -> ClaimedIndex:
    """A claim, which nobody else has."""
    claim = await indexes.claim(tenant)
    assert claim is not None
    return claim


async def embed(indexes: CodeIndexes, claim: ClaimedIndex, embedder: str = EMBEDDER, dimensions: int = 8) -> int:
    """Keep the vectors that are missing; how many those were."""
    missing = await indexes.unembedded(claim, embedder, 10_000)
    vectors = vectors_of([text for _, text in missing], dimensions)
    await indexes.keep_vectors(claim, embedder, dimensions, [id for id, _ in missing], vectors)
    return len(missing)


async def published(
    indexes: CodeIndexes,
    tenant: Tenant,
    files: Mapping[str, ParsedFile],
    *,
    history: Sequence[Changeset] = (),
    replaces: bool = True,
    embedder: str = EMBEDDER,
    commit: str = "c" * 40,
) -> None:
    """Bring the index to these files by path. The blob of a file is what its parsed contents look like."""
    claim = await claimed(indexes, tenant)
    blobs = {path: a_blob(parsed) for path, parsed in files.items()}
    kept = await indexes.kept(claim, [(blobs[path], parsed.language) for path, parsed in files.items()])
    await indexes.keep(
        claim, [(blobs[path], parsed) for path, parsed in files.items() if (blobs[path], parsed.language) not in kept]
    )
    if embedder:
        await embed(indexes, claim, embedder)
    wanted = [IndexedPath(path, blobs[path], parsed.language) for path, parsed in files.items()]
    await indexes.publish(claim, commit, wanted, {}, NewHistory(history, replaces), embedder)


def a_blob(parsed: ParsedFile) -> str:
    """A SHA that is the same for the same contents only."""
    return vectors_of([repr((parsed.chunks, sorted(parsed.references), parsed.definitions))])[0].tobytes().hex()[:40]


def a_path(path: str, parsed: ParsedFile) -> IndexedPath:
    """That file at this path."""
    return IndexedPath(path, a_blob(parsed), parsed.language)


async def grown_stale(database: Database, tenant: Tenant) -> None:
    """As if the job that has the claim had died."""
    async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
        await connection.execute(
            "UPDATE code_indexes SET heartbeat_at = heartbeat_at - make_interval(secs => %s)", (STALE_SECONDS + 1,)
        )


async def row_count(database: Database, tenant: Tenant, table: str) -> int:
    """How many rows of that table are about this repository."""
    async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
        row = await (await connection.execute(f"SELECT count(*) FROM {table}")).fetchone()
    assert row is not None
    return int(row[0])


async def seen(indexes: CodeIndexes, tenant: Tenant) -> set[str]:
    """The paths of all files that hold `retry` or `fetch`."""
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    holders = await index.holding(["retry", "fetch"])
    files = await index.files([int(id) for one in holders.values() for id in one.files])
    return {file.path for file in files}


RETRY, FETCH = a_parsed_file("retry after", defines="retry", chunks=2), a_parsed_file("fetch", uses="retry")
"""A file that defines a name, and one that uses it."""

NOTHING = NewHistory()
