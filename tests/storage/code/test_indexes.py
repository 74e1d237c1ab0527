"""Code indexes: one job at a time brings one up to date, and what it publishes is seen as a whole or not at all."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from review.context.tree import Changeset
from review.errors import Superseded
from review.pull_request import Repository
from storage.code.indexes import STALE_SECONDS, CodeIndexes
from storage.code.state import IndexedPath, NewHistory
from storage.database import Database
from storage.installations import Tenant
from tests.builders_code import EMBEDDER, a_blob, a_parsed_file, claimed, embed, published, vectors_of
from tests.builders_storage import ONE_ROW, a_tenant

pytestmark = pytest.mark.integration

numbers = itertools.count(500)
RETRY, FETCH = a_parsed_file("retry after", defines="retry", chunks=2), a_parsed_file("fetch", uses="retry")
NOTHING = NewHistory()


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url, pool_size=6) as opened:
        yield opened


@pytest.fixture
def account() -> int:
    """GitHub's id of an account of one's own."""
    return next(numbers)


@pytest.fixture
async def tenant(database: Database, account: int) -> Tenant:
    return await a_tenant(database, account)


@pytest.fixture
def indexes(database: Database) -> CodeIndexes:
    return CodeIndexes(database)


async def grown_stale(database: Database, tenant: Tenant) -> None:
    """As if the job that has the claim had died."""
    async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
        await connection.execute(
            "UPDATE code_indexes SET heartbeat_at = heartbeat_at - make_interval(secs => %s)", (STALE_SECONDS + 1,)
        )


async def rows(database: Database, tenant: Tenant, table: str) -> int:
    async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
        row = await (await connection.execute(f"SELECT count(*) FROM {table}")).fetchone()
    assert row is not None
    return int(row[0])


def at(path: str, parsed: object = RETRY) -> IndexedPath:
    return IndexedPath(path, a_blob(parsed), "python")  # type: ignore[arg-type]


async def seen(indexes: CodeIndexes, tenant: Tenant) -> set[str]:
    """The paths of all files that hold one of the words in these tests."""
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    holders = await index.holding(["retry", "fetch"])
    files = await index.files([int(id) for one in holders.values() for id in one.files])
    return {file.path for file in files}


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
        indexes.publish(dead, "d", [at("dead.py")], {}, NOTHING, ""),
    ):
        with pytest.raises(Superseded):
            await lost
    await indexes.publish(alive, "a", [at("alive.py")], {}, NOTHING, "")
    assert await seen(indexes, tenant) == {"alive.py"}
    assert await rows(database, tenant, "code_blobs") == 1


async def test_a_heartbeat_keeps_the_claim(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    claim = await claimed(indexes, tenant)
    await grown_stale(database, tenant)
    assert await indexes.touch(claim)
    assert await indexes.claim(tenant) is None


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
    await indexes.publish(claim, "c1", [at("a.py"), at("copy.py")], skipped, history, "")
    state = await indexes.state(tenant.organization_id, tenant.repository_id)
    assert state is not None and state.indexed_at is not None
    assert (state.state, state.commit_sha, state.history_sha, state.embedder) == ("ready", "c1", "s2", "")
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
    assert await rows(database, tenant, "code_blobs") == 1


async def test_what_no_file_needs_any_more_is_removed(indexes: CodeIndexes, database: Database, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY, "b.py": FETCH})
    await published(indexes, tenant, {"b.py": FETCH})
    counted = [await rows(database, tenant, table) for table in ("code_files", "code_blobs", "code_chunks", "code_vectors")]
    assert counted == [1, 1, 1, 1]
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert await index.holding(["retry", "after"]) == {}
    assert await rows(database, tenant, "code_postings") == 2


async def test_a_repository_that_is_emptied_has_an_index_of_nothing(indexes: CodeIndexes, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": RETRY}, history=[Changeset("s", 1, ("a.py",))])
    await published(indexes, tenant, {}, history=[])
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert await index.totals() == type(await index.totals())(0, 0, 0)
    assert await index.nearest(vectors_of(["x"])[0], 10) == []
    assert await index.touched(["a.py"]) == {}


async def test_an_unchanged_file_is_never_embedded_twice_in_an_organization(
    indexes: CodeIndexes, database: Database, tenant: Tenant, account: int
) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    fork = await a_tenant(database, account, Repository(9002, "octo/fork", False))
    assert fork.organization_id == tenant.organization_id
    claim = await claimed(indexes, fork)
    assert await indexes.kept(claim, [(a_blob(RETRY), "python"), (a_blob(FETCH), "python")]) == {(a_blob(RETRY), "python")}
    assert await indexes.unembedded(claim, EMBEDDER, 10) == []
    await indexes.publish(claim, "f", [at("moved.py")], {}, NOTHING, EMBEDDER)
    ours, theirs = (indexes.index(one.organization_id, one.repository_id) for one in (fork, tenant))
    assert await ours.chunks([1]) == await theirs.chunks([1]) == {1: list(RETRY.chunks)}
    assert await ours.nearest(vectors_of(["x"])[0], 5) == await theirs.nearest(vectors_of(["x"])[0], 5) != []
    await indexes.forget(tenant.organization_id, tenant.repository_id)
    assert await seen(indexes, fork) == {"moved.py"}


async def test_nothing_is_taken_over_from_another_organization(
    indexes: CodeIndexes, database: Database, tenant: Tenant
) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    stranger = await a_tenant(database, next(numbers))
    assert await indexes.kept(await claimed(indexes, stranger), [(a_blob(RETRY), "python")]) == set()


async def test_old_vectors_serve_until_the_new_ones_are_published(
    indexes: CodeIndexes, database: Database, tenant: Tenant
) -> None:
    await published(indexes, tenant, {"a.py": RETRY})
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    claim = await claimed(indexes, tenant)
    assert await embed(indexes, claim, "new/16", 16) == 2
    assert (await index.embedded_by(), len(await index.nearest(vectors_of(["x"])[0], 9))) == (EMBEDDER, 2)
    await indexes.publish(claim, "c", [at("a.py")], {}, NOTHING, EMBEDDER, "new/16")
    assert (await index.embedded_by(), await rows(database, tenant, "code_vectors")) == (EMBEDDER, 4)
    claim = await claimed(indexes, tenant)
    await indexes.publish(claim, "c", [at("a.py")], {}, NOTHING, "new/16", "new/16")
    assert (await index.embedded_by(), await rows(database, tenant, "code_vectors")) == ("new/16", 2)
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
    assert await rows(database, tenant, "code_vectors") == 0


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


async def test_a_forgotten_repository_has_no_rows_left_and_its_job_loses_the_claim(
    indexes: CodeIndexes, database: Database, tenant: Tenant
) -> None:
    await published(indexes, tenant, {"a.py": RETRY}, history=[Changeset("s", 1, ("a.py",))])
    claim = await claimed(indexes, tenant)
    await indexes.forget(tenant.organization_id, tenant.repository_id)
    for table in (table for table in ONE_ROW if table.startswith("code_")):
        assert (table, await rows(database, tenant, table)) == (table, 0)
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
