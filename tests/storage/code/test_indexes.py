"""Code indexes: one job at a time brings one up to date, and what it publishes is seen as a whole or not at all."""

import asyncio

import pytest

from review.context.tree import Changeset
from review.errors import Superseded
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
from tests.builders_storage import ONE_ROW

pytestmark = pytest.mark.integration


async def test_of_many_jobs_one_has_the_index(indexes: CodeIndexes, tenant: Tenant) -> None:
    claims = await asyncio.gather(*(indexes.claim(tenant) for _ in range(8)))
    assert sum(claim is not None for claim in claims) == 1


async def test_who_lost_the_claim_writes_nothing_any_more(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    dead = await claimed(indexes, tenant)
    await indexes.keep(dead, [(a_blob(RETRY), RETRY)])
    assert await indexes.touch(dead)
    await grown_stale(database, tenant)
    alive = await claimed(indexes, tenant)
    assert not await indexes.touch(dead)
    await indexes.release(dead)
    await indexes.failed(dead, "It was dead.")
    for lost in (
        indexes.kept(dead, [(a_blob(RETRY), "python")]),
        indexes.keep(dead, [(a_blob(FETCH), FETCH)]),
        indexes.keep_vectors(dead, EMBEDDER, 8, [], vectors_of([])),
        indexes.publish(dead, "d", [a_path("dead.py", RETRY)], {}, NOTHING, ""),
    ):
        with pytest.raises(Superseded):
            await lost
    await indexes.publish(alive, "a", [a_path("alive.py", RETRY)], {}, NOTHING, "")
    assert await seen(indexes, tenant) == {"alive.py"}
    assert await row_count(database, tenant, "code_blobs") == 1


async def test_a_heartbeat_keeps_the_claim(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    claim = await claimed(indexes, tenant)
    await grown_stale(database, tenant)
    assert await indexes.touch(claim)
    assert await indexes.claim(tenant) is None


async def test_a_released_or_failed_index_may_be_claimed_at_once(indexes: CodeIndexes, tenant: Tenant) -> None:
    states = []
    for let_go in (indexes.release, lambda claim: indexes.failed(claim, "The model refused."), indexes.release):
        claim = await claimed(indexes, tenant)
        await let_go(claim)
        state = await indexes.state(tenant.organization_id, tenant.repository_id)
        assert state is not None
        states.append((state.state, state.because))
    assert states == [("wanted", ""), ("failed", "The model refused."), ("wanted", "")]


async def test_a_failed_try_leaves_what_was_published(indexes: CodeIndexes, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    claim = await claimed(indexes, tenant)
    assert (claim.commit_sha, claim.embedder) == ("c" * 40, EMBEDDER)
    await indexes.failed(claim, "No.")
    assert await seen(indexes, tenant) == {"a.py"}
    await indexes.release(await claimed(indexes, tenant))
    state = await indexes.state(tenant.organization_id, tenant.repository_id)
    assert state is not None and state.state == "ready"


async def test_the_state_says_what_is_there_and_what_was_left_out(indexes: CodeIndexes, tenant: Tenant) -> None:
    assert await indexes.state(tenant.organization_id, tenant.repository_id) is None
    claim = await claimed(indexes, tenant)
    await indexes.keep(claim, [(a_blob(RETRY), RETRY)])
    history = NewHistory([Changeset("s2", 2, ("a.py",)), Changeset("s1", 1, ("a.py", "gone.py"))], replaces=True)
    skipped = {"x.bin": "binary", "y.bin": "binary", "z.py": "larger than 1 MB"}
    await indexes.publish(claim, "c1", [a_path("a.py", RETRY), a_path("copy.py", RETRY)], skipped, history, "")
    state = await indexes.state(tenant.organization_id, tenant.repository_id)
    assert state is not None and state.indexed_at is not None
    assert (state.state, state.commit_sha, state.embedder) == ("ready", "c1", "")
    assert (state.files, state.chunks, state.changesets) == (2, 4, 2)
    assert state.skipped == {"binary": 2, "larger than 1 MB": 1}


async def test_nothing_of_a_blob_is_seen_before_it_is_published(indexes: CodeIndexes, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    claim = await claimed(indexes, tenant)
    await indexes.keep(claim, [(a_blob(FETCH), FETCH)])
    await embed(indexes, claim)
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert await index.holding(["fetch"]) == {}
    assert (await index.totals()).files == 1
    near = await index.nearest(vectors_of(["x"])[0], 10)
    assert {(one.file, one.chunk) for one in near} == {(1, 0), (1, 1)}


async def test_a_publication_that_breaks_changes_nothing(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    claim = await claimed(indexes, tenant)
    with pytest.raises(ValueError, match="1 files were never kept, never\\.py"):
        await indexes.publish(claim, "c2", [IndexedPath("never.py", "0" * 40, "python")], {}, NOTHING, EMBEDDER)
    assert await seen(indexes, tenant) == {"a.py"}
    assert await row_count(database, tenant, "code_blobs") == 1


async def test_what_no_file_needs_any_more_is_removed(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY, "b.py": FETCH})
    await published(indexes, tenant, {"b.py": FETCH})
    counted = [
        await row_count(database, tenant, table) for table in ("code_files", "code_blobs", "code_chunks", "code_vectors")
    ]
    assert counted == [1, 1, 1, 1]
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert await index.holding(["retry", "after"]) == {}
    assert await row_count(database, tenant, "code_postings") == 2


async def test_a_repository_that_is_emptied_has_an_index_of_nothing(indexes: CodeIndexes, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY}, history=[Changeset("s", 1, ("a.py",))])
    await published(indexes, tenant, {}, history=[])
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert await index.totals() == type(await index.totals())(0, 0, 0)
    assert await index.nearest(vectors_of(["x"])[0], 10) == []
    assert await index.touched(["a.py"]) == {}


async def test_a_forgotten_repository_has_no_rows_left_and_its_job_loses_the_claim(
    indexes: CodeIndexes, database: Database, tenant: Tenant
) -> None:
    await published(indexes, tenant, {"a.py": RETRY}, history=[Changeset("s", 1, ("a.py",))])
    claim = await claimed(indexes, tenant)
    await indexes.forget(tenant.organization_id, tenant.repository_id)
    for table in (table for table in ONE_ROW if table.startswith("code_")):
        assert (table, await row_count(database, tenant, table)) == (table, 0)
    with pytest.raises(Superseded):
        await indexes.keep(claim, [(a_blob(RETRY), RETRY)])
    await published(indexes, tenant, {"b.py": RETRY})
    assert await seen(indexes, tenant) == {"b.py"}


async def test_a_claim_goes_on_while_its_job_publishes(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    """A publication may take longer than a heartbeat may be away, so neither heartbeats nor claims wait for one."""
    claim = await claimed(indexes, tenant)
    async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (0x636F6465, tenant.repository_id))
        publishing = asyncio.create_task(indexes.publish(claim, "c", [], {}, NOTHING, ""))
        await asyncio.sleep(0.1)
        assert not publishing.done()
        assert await asyncio.wait_for(indexes.touch(claim), 5)
        assert await asyncio.wait_for(indexes.claim(tenant), 5) is None
    await publishing


async def test_readers_see_the_old_state_or_the_new_one_while_it_changes(indexes: CodeIndexes, tenant: Tenant) -> None:
    two = [{f"{name}{n}.py": a_parsed_file("retry", defines=f"{name}{n}") for n in range(20)} for name in ("old", "new")]
    await published(indexes, tenant, two[0])
    over = asyncio.Event()
    found: set[frozenset[str]] = set()

    async def read() -> None:
        index = indexes.index(tenant.organization_id, tenant.repository_id)
        while not over.is_set():
            files = await index.beside(["x.py"], 100)
            found.add(frozenset(file.path[:3] for file in files))

    reading = asyncio.create_task(read())
    for n in range(4):
        await published(indexes, tenant, two[(n + 1) % 2])
    over.set()
    await reading
    assert found <= {frozenset({"old"}), frozenset({"new"})}
    assert len(found) == 2
