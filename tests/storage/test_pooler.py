"""Behind a transaction pooler: two tenants take turns on the same server connections, and neither sees the other."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from storage.code.indexes import CodeIndexes
from storage.database import Database
from storage.deliveries import Deliveries
from storage.embedded import child
from storage.reviews import ClaimedReview, Reviews
from tests.builders_code import a_parsed_file, published
from tests.builders_storage import a_head, a_new_delivery, a_tenant, find_program

pytestmark = pytest.mark.integration

SETTINGS = """
[databases]
* = host={sockets} user=postgres pool_size=2
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 2
logfile = {folder}/pgbouncer.log
"""


@pytest.fixture(scope="module")
def pooled_url(shared_database_url: str) -> Iterator[str]:
    """The same database, through a pgbouncer in transaction mode with two server connections."""
    program = find_program("pgbouncer")
    if program is None:
        pytest.skip("pgbouncer is not installed: on Debian and Ubuntu, apt-get install pgbouncer.")
    server = conninfo_to_dict(shared_database_url)
    with tempfile.TemporaryDirectory(prefix="riq-pooler-") as name:
        folder = Path(name)
        settings = folder / "pgbouncer.ini"
        settings.write_text(SETTINGS.format(sockets=server["host"], folder=folder))
        run_as = child.choose_user()
        if run_as is child.RunAs.NOBODY:
            os.chown(folder, child.NOBODY, child.NOBODY)
        process = child.start([program, settings], folder / "output", signal.SIGINT, run_as)
        url = f"postgresql://postgres@/{server['dbname']}?host={folder}&port=6432"
        try:
            wait_for(url, folder / "output")
            yield url
        finally:
            child.stop(process, (signal.SIGQUIT, 5))


def wait_for(url: str, output: Path) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            assert time.monotonic() < deadline, f"{error} {output.read_text()}"
            time.sleep(0.05)
        else:
            return


@pytest.fixture
async def pooled(pooled_url: str) -> AsyncIterator[Database]:
    async with Database.open(pooled_url, pool_size=6) as database:
        yield database


async def test_tenants_that_take_turns_on_a_server_connection_never_see_each_other(pooled: Database) -> None:
    tenants = [await a_tenant(pooled, 100), await a_tenant(pooled, 200)]
    backends: set[int] = set()

    async def look(n: int) -> None:
        mine = tenants[n % 2].organization_id
        async with pooled.tenant(mine) as connection:
            cursor = await connection.execute("SELECT organization_id, pg_backend_pid() FROM repositories")
            seen = await cursor.fetchall()
            assert [row[0] for row in seen] == [mine]
            backends.add(seen[0][1])

    async def look_at_all(_: int) -> None:
        async with pooled.system() as connection:
            cursor = await connection.execute("SELECT count(*) FROM repositories")
            assert await cursor.fetchone() == (2,)

    await asyncio.gather(*(look_at_all(n) if n % 5 == 0 else look(n) for n in range(100)))
    assert len(backends) <= 2


async def test_the_code_of_a_repository_stays_with_it_behind_it(pooled: Database) -> None:
    indexes, tenants = CodeIndexes(pooled), [await a_tenant(pooled, account) for account in (100, 200)]
    for n, tenant in enumerate(tenants):
        await published(indexes, tenant, {f"{n}.py": a_parsed_file("retry")})

    async def look(n: int) -> None:
        tenant = tenants[n % 2]
        index = indexes.index(tenant.organization_id, tenant.repository_id)
        assert [file.path for file in await index.at(["0.py", "1.py"])] == [f"{n % 2}.py"]
        async with pooled.tenant(tenant.organization_id) as connection:
            assert await (await connection.execute("SELECT count(*) FROM code_files")).fetchone() == (0,)

    await asyncio.gather(*(look(n) for n in range(40)))


async def test_deliveries_and_reviews_work_behind_it(pooled: Database) -> None:
    batches = [[a_new_delivery(f"d-{batch}-{n}") for n in range(20)] for batch in range(6)]
    new = await asyncio.gather(*(Deliveries(pooled).remember(batch) for batch in batches))
    assert [len(ids) for ids in new] == [20] * 6
    heads = [a_head(await a_tenant(pooled, account)) for account in (100, 200)]
    claims = await asyncio.gather(*(Reviews(pooled).claim(head, f"d-{n}") for n in range(5) for head in heads))
    won = [claim.head.organization_id for claim in claims if isinstance(claim, ClaimedReview)]
    assert sorted(won) == sorted(head.organization_id for head in heads)


async def test_a_role_set_for_good_would_have_reached_the_next_client(pooled_url: str) -> None:
    """What this file tests for can happen at all: set for the session instead of the transaction, the role leaks."""
    async with Database.open(pooled_url, pool_size=1) as database:
        await a_tenant(database)
    with psycopg.connect(pooled_url, autocommit=True, prepare_threshold=None) as careless:
        careless.execute("SELECT set_config('app.tenant', '77', false)")
    leaked = set()
    for _ in range(4):
        with psycopg.connect(pooled_url, prepare_threshold=None) as other:
            leaked |= set(other.execute("SELECT current_setting('app.tenant', true)").fetchall())
    assert ("77",) in leaked
