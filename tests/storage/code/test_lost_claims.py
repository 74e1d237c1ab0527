"""A claim that is lost in the middle of a write: what was written goes with it, and nothing is left of what was forgotten."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from review.context.tree import Changeset
from review.errors import Superseded
from storage.code import blobs, publication
from storage.code.indexes import STALE_SECONDS, CodeIndexes
from storage.code.state import IndexedPath, NewHistory
from storage.database import Database
from storage.installations import Tenant
from tests.builders_code import a_blob, a_parsed_file, claimed, published
from tests.builders_storage import a_tenant

pytestmark = pytest.mark.integration

numbers = itertools.count(900)
RETRY = a_parsed_file("retry after", defines="retry")


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url, pool_size=6) as opened:
        yield opened


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await a_tenant(database, next(numbers))


@pytest.fixture
def indexes(database: Database) -> CodeIndexes:
    return CodeIndexes(database)


async def count(database: Database, tenant: Tenant, table: str) -> int:
    async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
        row = await (await connection.execute(f"SELECT count(*) FROM {table}")).fetchone()
    assert row is not None
    return int(row[0])


async def test_code_that_is_kept_while_it_is_forgotten_is_forgotten_too(
    indexes: CodeIndexes, database: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, keep = await claimed(indexes, tenant), blobs.keep
    forgetting: list[asyncio.Task[None]] = []

    async def forgotten_meanwhile(*given: Any) -> None:
        forgetting.append(asyncio.create_task(indexes.forget(tenant.organization_id, tenant.repository_id)))
        await asyncio.sleep(0.3)
        await keep(*given)

    monkeypatch.setattr(blobs, "keep", forgotten_meanwhile)
    await indexes.keep(claim, [(a_blob(RETRY), RETRY)])
    await forgetting[0]
    assert await count(database, tenant, "code_blobs") == 0


async def test_a_publication_during_which_another_job_claims_the_index_changes_nothing(
    indexes: CodeIndexes, database: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = [Changeset("s", 1, ("a.py",))]
    await published(indexes, tenant, {"a.py": RETRY}, history=history)
    slow, update = await claimed(indexes, tenant), publication.update_postings
    files = [IndexedPath("b.py", a_blob(RETRY), "python")]

    async def claimed_meanwhile(*given: Any) -> None:
        async with database.code(tenant.organization_id, [tenant.repository_id]) as connection:
            await connection.execute(
                "UPDATE code_indexes SET heartbeat_at = heartbeat_at - make_interval(secs => %s)", (STALE_SECONDS + 1,)
            )
        await claimed(indexes, tenant)
        await update(*given)

    monkeypatch.setattr(publication, "update_postings", claimed_meanwhile)
    with pytest.raises(Superseded):
        await indexes.publish(slow, "late", files, {}, NewHistory([Changeset("t", 2, ("b.py",))]), "")
    index = indexes.index(tenant.organization_id, tenant.repository_id)
    assert [file.path for file in await index.beside(["x.py"], 9)] == ["a.py"]
    assert (await index.touched(["a.py", "b.py"])).keys() == {"a.py"}
