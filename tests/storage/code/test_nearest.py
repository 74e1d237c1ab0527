"""A repository of many vectors has an index of its own over them: built in time, found out when broken, removed in the end."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from review.errors import UserError
from storage.code import nearest
from storage.code.indexes import CodeIndexes
from storage.code.state import IndexedPath, NewHistory
from storage.database import Database
from storage.installations import Tenant
from tests.builders_code import EMBEDDER, a_blob, a_parsed_file, claimed, embed, published, vectors_of

pytestmark = pytest.mark.integration

FILES = {f"{n}.py": a_parsed_file(f"word{n}", chunks=10) for n in range(12)}
ASKED = vectors_of(["anything"])[0]


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred vectors are many here."""
    monkeypatch.setattr(nearest, "MANY", 100)


def of_its_own(url: str, tenant: Tenant) -> list[tuple[Any, ...]]:
    """The HNSW indexes of that repository: name, whether sound."""
    with psycopg.connect(url) as admin:
        return admin.execute(
            "SELECT relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE starts_with(relname, %s)",
            (f"code_vectors_{tenant.repository_id}_",),
        ).fetchall()


async def test_many_vectors_are_found_by_an_index_that_holds_this_repositorys_only(
    indexes: CodeIndexes, tenant: Tenant, stranger: Tenant, shared_database_url: str
) -> None:
    for one in (tenant, stranger):
        await published(indexes, one, FILES)
    assert [sound for _, sound in of_its_own(shared_database_url, tenant)] == [True]
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    found = await index.nearest(ASKED, 30)
    with psycopg.connect(shared_database_url, autocommit=True) as admin:
        admin.execute(f"DROP INDEX {of_its_own(shared_database_url, tenant)[0][0]}")
    exact = await index.nearest(ASKED, 30)
    assert len(exact) == 30
    assert [(one.file, one.chunk) for one in found] == [(one.file, one.chunk) for one in exact]
    assert [one.similarity for one in found] == pytest.approx([one.similarity for one in exact])


async def test_the_index_is_used(database: Database, indexes: CodeIndexes, tenant: Tenant) -> None:
    await published(indexes, tenant, FILES)
    values = {"repository": tenant.repository_id, "model": EMBEDDER, "most": 10, "vector": str(ASKED.tolist())}
    query = (nearest.INDEXED + nearest.NEIGHBOURS).replace("{dimensions}", "8")
    async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
        await connection.execute(nearest.BY_INDEX, ("100",))
        cursor = await connection.execute(f"EXPLAIN {query}".encode(), values)
        plan = "\n".join(row[0] for row in await cursor.fetchall())
    assert f"code_vectors_{tenant.repository_id}_" in plan


async def test_a_vector_of_an_embedder_that_serves_no_more_finds_nothing(indexes: CodeIndexes, tenant: Tenant) -> None:
    await published(indexes, tenant, {"a.py": FILES["0.py"]})
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert await index.nearest(ASKED, 3) != []
    assert await index.nearest(vectors_of(["anything"], 16)[0], 3) == []


async def test_few_vectors_have_no_index(indexes: CodeIndexes, tenant: Tenant, shared_database_url: str) -> None:
    await published(indexes, tenant, {"a.py": FILES["0.py"]})
    assert of_its_own(shared_database_url, tenant) == []


async def test_vectors_that_come_later_are_found_too(indexes: CodeIndexes, tenant: Tenant) -> None:
    await published(indexes, tenant, FILES)
    new = a_parsed_file("new")
    vector = vectors_of([f"{new.chunks[0].symbol}\n{new.chunks[0].text}"])[0]
    await published(indexes, tenant, FILES | {"new.py": new})
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    (first,) = await index.nearest(vector, 1)
    assert (await index.files([first.file]))[0].path == "new.py"
    assert 0.999 < first.similarity <= 1.0


async def test_what_a_killed_build_left_is_not_used_and_is_built_anew(
    indexes: CodeIndexes, tenant: Tenant, shared_database_url: str
) -> None:
    await published(indexes, tenant, FILES)
    ((name, _),) = of_its_own(shared_database_url, tenant)
    with psycopg.connect(shared_database_url) as admin:  # as CREATE INDEX CONCURRENTLY leaves it
        admin.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", (name,))
    assert len(await indexes.index(tenant.organization_id, tenant.repository_id).nearest(ASKED, 30)) == 30
    await published(indexes, tenant, FILES)
    assert of_its_own(shared_database_url, tenant) == [(name, True)]


async def test_another_embedder_has_another_index_before_it_serves_and_the_old_one_goes(
    indexes: CodeIndexes, tenant: Tenant, shared_database_url: str
) -> None:
    await published(indexes, tenant, FILES)
    before = of_its_own(shared_database_url, tenant)
    claim = await claimed(indexes, tenant)
    await embed(indexes, claim, "new/16", 16)
    wanted = [IndexedPath(path, a_blob(parsed), "python") for path, parsed in FILES.items()]
    await indexes.publish(claim, "c", wanted, {}, NewHistory(), "new/16")
    after = of_its_own(shared_database_url, tenant)
    assert [sound for _, sound in after] == [True]
    assert after != before
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert len(await index.nearest(vectors_of(["x"], 16)[0], 30)) == 30


async def test_a_forgotten_repository_has_no_index_of_its_own(
    indexes: CodeIndexes, tenant: Tenant, shared_database_url: str
) -> None:
    await published(indexes, tenant, FILES)
    await indexes.forget(tenant.organization_id, tenant.repository_id)
    assert of_its_own(shared_database_url, tenant) == []


async def limits_left(database: Database) -> list[str]:
    """The settings that are not the server's own on a pooled connection."""
    async with database.owner() as connection:
        cursor = await connection.execute(
            "SELECT name FROM pg_settings WHERE name = ANY (%s) AND source = 'session'", (list(nearest.LIMITS),)
        )
        return [name for (name,) in await cursor.fetchall()]


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
async def test_a_build_that_others_hold_up_is_left_to_the_next_job_and_leaves_nothing(
    tenant: Tenant, shared_database_url: str, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setitem(nearest.LIMITS, limit, "500ms")
    async with Database.open(shared_database_url, pool_size=1) as database:
        indexes = CodeIndexes(database)
        with psycopg.connect(shared_database_url) as other:
            other.execute("LOCK TABLE code_vectors IN ROW EXCLUSIVE MODE")  # a build waits for it, a publication does not
            await asyncio.wait_for(published(indexes, tenant, FILES), 30)
        assert await limits_left(database) == []
        assert True not in [sound for _, sound in of_its_own(shared_database_url, tenant)]
        assert len(await indexes.index(tenant.organization_id, tenant.repository_id).nearest(ASKED, 30)) == 30
        await published(indexes, tenant, FILES)
        assert [sound for _, sound in of_its_own(shared_database_url, tenant)] == [True]


async def test_a_build_that_fails_leaves_the_connection_as_it_was(tenant: Tenant, stranger_url: str) -> None:
    async with Database.open(stranger_url, pool_size=1) as database:
        with pytest.raises(UserError):
            await published(CodeIndexes(database), tenant, FILES)
        assert await limits_left(database) == []


async def test_beyond_the_most_indexes_of_a_server_exact_search_serves(
    indexes: CodeIndexes, tenant: Tenant, stranger: Tenant, shared_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(indexes, stranger, FILES)
    monkeypatch.setattr(nearest, "MOST_INDEXES", 1)
    await published(indexes, tenant, FILES)
    assert of_its_own(shared_database_url, tenant) == []
    assert len(await indexes.index(tenant.organization_id, tenant.repository_id).nearest(ASKED, 30)) == 30


@pytest.fixture
def stranger_url(shared_database_url: str) -> Iterator[str]:
    """The same database, for a login that may do what we do but owns no table."""
    name = f"stranger_{secrets.token_hex(4)}"
    with psycopg.connect(shared_database_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN IN ROLE refactoriq_tenant, refactoriq_system")
        yield shared_database_url.replace("postgres@", f"{name}@")
        admin.execute(f"DROP OWNED BY {name}")
        admin.execute(f"DROP ROLE {name}")


async def test_a_login_that_does_not_own_the_table_reads_what_to_do(tenant: Tenant, stranger_url: str) -> None:
    async with Database.open(stranger_url) as database:
        with pytest.raises(UserError, match="does not own the table code_vectors"):
            await published(CodeIndexes(database), tenant, FILES)
