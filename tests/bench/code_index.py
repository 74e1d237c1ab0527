"""The code index in Postgres: seconds to load it and to follow a push, milliseconds of one retrieval, among many tenants."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg

from review.pull_request import Repository
from storage.code.indexes import CodeIndexes
from storage.code.postgres_index import PostgresIndex
from storage.code.state import ClaimedIndex, IndexedPath, NewHistory
from storage.database import Database
from storage.embedded import embedded_services
from storage.installations import Installations, Tenant
from storage.migrations import migrate
from tests.bench.made_code import CHUNKS, DIMENSIONS, EMBEDDER, MadeFile, Maker, paths
from tests.bench.table import held, table
from tests.process_tree import cpu_seconds, tree

CHANGESETS = 5_000
LINES = 18
"""Of a chunk, as in 2,700 files of well-known Python packages."""

WORDS, NAMES = 300, 600
"""What a change asks for at most: see review/context/query.py."""

MIXED = 500_000_000
"""Room between the ids of one tenant's copied rows and the next one's."""


@dataclass(slots=True)
class Loaded:
    """A repository in the index, and what it takes to change it."""

    tenant: Tenant
    files: dict[str, IndexedPath]
    last: Sequence[MadeFile]
    seconds: Mapping[str, float]


def measure(folder: Path, *, chunks: int, tenants: int = 200, most: int = 1_000_000, rounds: int = 200) -> str:
    """The tables. One repository of so many chunks alone, then beside one of a fifth and small ones of `most` together."""
    with embedded_services(folder / "services") as services:
        migrate(services.database_url)
        return asyncio.run(_measured(services.database_url, chunks, tenants, most, rounds))


async def _measured(url: str, chunks: int, tenants: int, most: int, rounds: int) -> str:
    maker = Maker(1)
    async with Database.open(url) as database:
        indexes = CodeIndexes(database)
        first = await _load(indexes, await _tenant(database, 1), maker, 8_000)
        large = await _load(indexes, await _tenant(database, 2), maker, chunks)
        as_autovacuum_would(url)
        loading = [*_loading(first, 8_000, goal=10.0), *_loading(large, chunks)]
        alone = [await _retrieval(f"{chunks:,} chunks, nothing else", indexes, large, maker, rounds, 40.0)]
        middle = await _load(indexes, await _tenant(database, 3), maker, chunks // 5)
        small = await _load(indexes, await _tenant(database, 4), maker, (most - chunks - chunks // 5) // (tenants - 2))
        copy_tenant(url, small.tenant, tenants - 3)
        as_autovacuum_would(url)
        for name, one in (("the largest", large), ("one of a fifth", middle), ("a small one", small)):
            title = f"{name} of {tenants} tenants, {most:,} chunks in all"
            alone.append(await _retrieval(title, indexes, one, maker, rounds, 100.0))
        loading.append(await _pushes(indexes, large, maker, 5))
        calls = await _each_call(indexes, large, maker, rounds // 4)
    return "\n".join([
        table("Code index: writing", ["", "seconds", "goal", "held"], loading),
        table(f"Code index: all calls of one retrieval ({WORDS} words, {NAMES} names), milliseconds",
              ["", "CPU", "p50", "p95", "goal", "held"], alone),
        table("Code index: each call of it by itself, at the largest, milliseconds", ["", "p50", "p95"], calls),
    ])  # fmt: skip


async def _tenant(database: Database, number: int) -> Tenant:
    repository = Repository(number, f"octo-{number}/code", False)
    return await Installations(database).tenant_of(number, f"octo-{number}", "Organization", number + 1_000, repository)


async def _load(indexes: CodeIndexes, tenant: Tenant, maker: Maker, chunks: int) -> Loaded:
    """A first publication of so many chunks; `seconds` of the database's part, by step."""
    claimed = await indexes.claim(tenant)
    assert claimed is not None
    seconds = dict.fromkeys(("keep", "vectors", "publish"), 0.0)
    wanted, files, made = paths(chunks // CHUNKS), {}, []
    for at in range(0, len(wanted), 200):
        made = [maker.file(path) for path in wanted[at : at + 200]]
        seconds["keep"] += await _timed(indexes.keep(claimed, [(one.blob, one.parsed) for one in made]))
        seconds["vectors"] += await _timed(_embed(indexes, claimed, np.concatenate([one.vectors for one in made])))
        files |= {one.path: one.indexed for one in made}
    history = NewHistory(maker.history(wanted, CHANGESETS), replaces=True)
    seconds["publish"] = await _timed(indexes.publish(claimed, "1", list(files.values()), {}, history, EMBEDDER))
    return Loaded(tenant, files, made, seconds)


async def _embed(indexes: CodeIndexes, claimed: ClaimedIndex, vectors: np.ndarray) -> None:
    ids = [id for id, _ in await indexes.unembedded(claimed, EMBEDDER, len(vectors))]
    await indexes.keep_vectors(claimed, EMBEDDER, DIMENSIONS, ids, vectors[: len(ids)])


def _loading(loaded: Loaded, chunks: int, goal: float | None = None) -> list[list[str]]:
    total = sum(loaded.seconds.values())
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in loaded.seconds.items())
    title = f"{chunks:,} chunks, some {chunks * LINES:,} lines ({steps})"
    return [[title, f"{total:.1f}", f"< {goal:.0f}" if goal else "", held(total < goal) if goal else ""]]


async def _pushes(indexes: CodeIndexes, loaded: Loaded, maker: Maker, pushes: int) -> list[str]:
    """The slowest of some pushes of ten files."""
    slowest = 0.0
    for number in range(pushes):
        loaded.last = [maker.edited(one) for one in loaded.last[-10:]]
        slowest = max(slowest, await _timed(_push(indexes, loaded, maker, f"push {number}")))
    return ["a push of 10 files to the largest, the slowest of 5", f"{slowest:.2f}", "< 1", held(slowest < 1)]


async def _push(indexes: CodeIndexes, loaded: Loaded, maker: Maker, sha: str) -> None:
    claimed = await indexes.claim(loaded.tenant)
    assert claimed is not None
    await indexes.kept(claimed, [(one.blob, one.language) for one in loaded.files.values()])
    await indexes.keep(claimed, [(one.blob, one.parsed) for one in loaded.last])
    await _embed(indexes, claimed, np.concatenate([one.vectors for one in loaded.last]))
    loaded.files |= {one.path: one.indexed for one in loaded.last}
    history = NewHistory(maker.history([one.path for one in loaded.last], 1))
    await indexes.publish(claimed, sha, list(loaded.files.values()), {}, history, EMBEDDER)


async def _timed(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Asked:
    """What one change asks."""

    paths: Sequence[str]
    words: Sequence[str]
    names: Sequence[str]
    vector: np.ndarray


def _asked(maker: Maker, loaded: Loaded, number: int) -> Asked:
    known = list(loaded.files)
    words, names = maker.asked(WORDS, NAMES)
    return Asked([known[(number * 7 + n * 13) % len(known)] for n in range(5)], words, names, maker.vectors(1)[0])


async def _retrieval(title: str, indexes: CodeIndexes, loaded: Loaded, maker: Maker, rounds: int, goal: float) -> list[str]:
    """`CPU` is what client and server compute together: it says more than the time on a machine that does other things too."""
    index = indexes.index(loaded.tenant.organization_id, loaded.tenant.repository_id)
    asked = [_asked(maker, loaded, number) for number in range(rounds)]
    used = _processor()
    took = [1000 * await _timed(_all_calls(index, one)) for one in asked]
    used = (_processor() - used) / rounds
    middle, high = np.percentile(took, [50, 95])
    return [title, f"{1000 * used:.0f}", f"{middle:.1f}", f"{high:.1f}", f"< {goal:.0f}", held(high < goal)]


def _processor() -> float:
    """Seconds that this process and the database have computed so far."""
    return sum(cpu_seconds(pid) for pid in tree(os.getpid()))


async def _all_calls(index: PostgresIndex, asked: Asked) -> None:
    """In the order in which review/context/signals.py asks, and the chunks of the twelve best."""
    totals, _, held, *_ = await asyncio.gather(
        index.totals(), index.at(asked.paths), index.holding(asked.words), index.named(asked.names),
        _history(index, asked.paths), index.beside(asked.paths, 40), index.nearest(asked.vector, 60),
    )  # fmt: skip
    candidates = max((one.files for one in held.values()), key=len)[:300].tolist()
    files, _ = await asyncio.gather(index.files(candidates), index.at(asked.paths))
    await index.touched([file.path for file in files])
    await index.chunks(candidates[:12])
    assert totals.files and files


async def _history(index: PostgresIndex, asked: Sequence[str]) -> None:
    touched = await index.touched(asked)
    numbers = sorted({int(number) for each in touched.values() for number in each})
    await index.changesets(numbers[-300:])


async def _each_call(indexes: CodeIndexes, loaded: Loaded, maker: Maker, rounds: int) -> list[list[str]]:
    index = indexes.index(loaded.tenant.organization_id, loaded.tenant.repository_id)
    calls: dict[str, Callable[[Asked], Awaitable[object]]] = {
        "totals": lambda asked: index.totals(),
        "at": lambda asked: index.at(asked.paths),
        "beside": lambda asked: index.beside(asked.paths, 40),
        "holding": lambda asked: index.holding(asked.words),
        "named": lambda asked: index.named(asked.names),
        "touched and changesets": lambda asked: _history(index, asked.paths),
        "files": lambda asked: index.files(range(1, 301)),
        "chunks": lambda asked: index.chunks(range(1, 13)),
        "nearest": lambda asked: index.nearest(asked.vector, 60),
    }
    rows = []
    for name, call in calls.items():
        took = [1000 * await _timed(call(_asked(maker, loaded, number))) for number in range(rounds)]
        rows.append([name, *(f"{each:.1f}" for each in np.percentile(took, [50, 95]))])
    return rows


def as_autovacuum_would(url: str) -> None:
    """What Postgres does within a minute or two of so many writes."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE")


def copy_tenant(url: str, tenant: Tenant, times: int) -> None:
    """So many more tenants with the same code in their one repository: written by the administrator, since it is quicker."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")  # no foreign key is checked
        tables = admin.execute(
            "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind = 'r' AND starts_with(c.relname, 'code_') AND a.attnum > 0 GROUP BY c.relname"
        ).fetchall()
        for number in range(1, times + 1):
            made = admin.execute(
                "WITH o AS ("
                "INSERT INTO organizations (github_id, login, kind) VALUES (%s, 'octo', 'Organization') RETURNING id)"
                " INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch)"
                " SELECT id, %s, 'octo/code', true, 'main' FROM o RETURNING organization_id, id",
                (10_000 + number, 10_000 + number),
            ).fetchone()
            assert made is not None
            for name, columns in tables:
                instead = {"organization_id": str(made[0]), "repository_id": str(made[1])}
                instead |= {id: f"{id} + {MIXED * number}" for id in ("id", "blob_id", "chunk_id")}
                admin.execute(
                    f"INSERT INTO {name} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE"
                    f" SELECT {', '.join(instead.get(column, column) for column in columns)} FROM {name}"
                    " WHERE repository_id = %s",
                    (tenant.repository_id,),
                )
