"""What is kept of a blob: once in an organization, with the vectors of two models for a while, whatever its bytes hold."""

import pytest

from review.context.tree import Changeset
from review.pull_request import Repository
from storage.code.indexes import CodeIndexes
from storage.code.state import IndexedPath, NewHistory
from storage.database import Database
from storage.installations import Tenant
from tests.builders_code import (
    EMBEDDER,
    FETCH,
    NOTHING,
    RETRY,
    a_blob,
    a_parsed_file,
    a_path,
    claimed,
    embed,
    grown_stale,
    published,
    row_count,
    seen,
    vectors_of,
)
from tests.builders_storage import a_tenant

pytestmark = pytest.mark.integration


async def test_what_a_killed_job_has_kept_needs_no_parsing_again(
    indexes: CodeIndexes, database: Database, tenant: Tenant
) -> None:
    claim = await claimed(indexes, tenant)
    await indexes.keep(claim, [(a_blob(RETRY), RETRY)])
    assert await embed(indexes, claim) == 2
    await grown_stale(database, tenant)
    claim = await claimed(indexes, tenant)
    wanted = [(a_blob(RETRY), "python"), (a_blob(RETRY), "go"), (a_blob(FETCH), "python")]
    assert await indexes.kept(claim, wanted) == {(a_blob(RETRY), "python")}
    assert await embed(indexes, claim) == 0


async def test_an_unchanged_file_is_never_embedded_twice_in_an_organization(
    indexes: CodeIndexes, database: Database, tenant: Tenant, account: int
) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    fork = await a_tenant(database, account, Repository(9002, "octo/fork", False))
    assert fork.organization_id == tenant.organization_id
    claim = await claimed(indexes, fork)
    assert await indexes.kept(claim, [(a_blob(RETRY), "python"), (a_blob(FETCH), "python")]) == {(a_blob(RETRY), "python")}
    assert await indexes.unembedded(claim, EMBEDDER, 10) == []
    await indexes.publish(claim, "f", [a_path("moved.py", RETRY)], {}, NOTHING, EMBEDDER)
    ours, theirs = (indexes.index(one.organization_id, one.repository_id) for one in (fork, tenant))
    assert await ours.chunks([1]) == await theirs.chunks([1]) == {1: list(RETRY.chunks)}
    assert await ours.nearest(vectors_of(["x"])[0], 5) == await theirs.nearest(vectors_of(["x"])[0], 5) != []
    await indexes.forget(tenant.organization_id, tenant.repository_id)
    assert await seen(indexes, fork) == {"moved.py"}


async def test_nothing_is_taken_over_from_another_organization(indexes: CodeIndexes, tenant: Tenant, stranger: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    assert await indexes.kept(await claimed(indexes, stranger), [(a_blob(RETRY), "python")]) == set()


async def test_old_vectors_serve_until_the_new_ones_are_published(
    indexes: CodeIndexes, database: Database, tenant: Tenant
) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    claim = await claimed(indexes, tenant)
    assert await embed(indexes, claim, "new/16", 16) == 2
    assert (await index.embedded_by(), len(await index.nearest(vectors_of(["x"])[0], 9))) == (EMBEDDER, 2)
    await indexes.publish(claim, "c", [a_path("a.py", RETRY)], {}, NOTHING, EMBEDDER, "new/16")
    assert (await index.embedded_by(), await row_count(database, tenant, "code_vectors")) == (EMBEDDER, 4)
    claim = await claimed(indexes, tenant)
    await indexes.publish(claim, "c", [a_path("a.py", RETRY)], {}, NOTHING, "new/16", "new/16")
    assert (await index.embedded_by(), await row_count(database, tenant, "code_vectors")) == ("new/16", 2)
    assert len(await index.nearest(vectors_of(["x"], 16)[0], 9)) == 2


async def test_unembedded_chunks_come_in_parts(indexes: CodeIndexes, tenant: Tenant) -> None:
    claim = await claimed(indexes, tenant)
    await indexes.keep(claim, [(a_blob(RETRY), RETRY), (a_blob(FETCH), FETCH)])
    first = await indexes.unembedded(claim, EMBEDDER, 2)
    rest = await indexes.unembedded(claim, EMBEDDER, 2, after=first[-1][0])
    assert [text for _, text in first + rest] == [f"{chunk.symbol}\n{chunk.text}" for chunk in RETRY.chunks + FETCH.chunks]


async def test_a_chunk_that_is_gone_meanwhile_gets_no_vector(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    claim = await claimed(indexes, tenant)
    await indexes.keep_vectors(claim, EMBEDDER, 8, [2**40], vectors_of(["x"]))
    assert await row_count(database, tenant, "code_vectors") == 0


async def test_what_postgres_cannot_hold_hinders_no_publication(indexes: CodeIndexes, tenant: Tenant) -> None:
    odd = a_parsed_file("nul\x00 half\ud800", defines="n" * 5_000, uses="u\x00")
    claim = await claimed(indexes, tenant)
    await indexes.keep(claim, [("odd", odd), ("odd", odd)])
    files = [IndexedPath(path, "odd", "python") for path in ("a\x00.py", "b\udcff.py", "b\udcfe.py", f"{'l' * 3_000}.py")]
    history = NewHistory([Changeset("s", 1, tuple(file.path for file in files))], replaces=True)
    await indexes.publish(claim, "c", files, {}, history, "")
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert {file.path for file in await index.at([file.path for file in files])} == {"a\ufffd.py", "b?.py"}
    state = await indexes.state(tenant.organization_id, tenant.repository_id)
    assert state is not None and state.skipped == {"its path is longer than 1000 bytes": 1}
    assert (await index.holding(["nul\x00"])).keys() == {"nul\ufffd"}
