"""The fixture `shop`: one installed repository in git, and all that a job needs to index it into a real Postgres."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from bot.git.objects import Objects
from bot.git.tree import GitTree
from handlers.context import Context
from handlers.indexing.index import Indexed, bring_up_to_date
from handlers.indexing.work import Work
from review.context.embedders.embedder import Embedder
from review.context.embedders.hashing import Hashing
from review.pull_request import Installation, Repository
from storage.accounts.reading import Reading
from storage.code.indexes import CodeIndexes
from storage.code.state import IndexState
from storage.database import Database
from storage.deliveries import Deliveries
from storage.installations import Installations, Installed, Tenant
from storage.queue import Queue
from storage.repositories import KeptRepositories
from tests.builders import Files, commit, git, init_bare

INSTALLED = Installed(Installation(5005, 77, "octo", "Organization"), Repository(9001, "octo/shop"))

FILES: Files = {
    "shop/cart.py": "from shop.tax import add_tax\n\n\ndef total(prices):\n    return add_tax(sum(prices))\n",
    "shop/tax.py": "RATE = 0.2\n\n\ndef add_tax(amount):\n    return amount * (1 + RATE)\n",
    "shop/label.js": "export function label(name) {\n  return name.trim();\n}\n",
    "logo.png": b"\x89PNG\x00",
    "README.md": "# Shop\n",
}


@dataclass(frozen=True, slots=True)
class Embedders:
    """Fulfils handlers.context.Embedders."""

    current: Embedder
    others: Mapping[str, Embedder] = field(default_factory=dict)

    def named(self, name: str) -> Embedder | None:
        return self.current if name == self.current.name else self.others.get(name)


@dataclass(slots=True)
class Counted:
    """A tree that notes which blobs were read."""

    tree: GitTree
    read_blobs: list[str]

    @property
    def sha(self) -> str:
        return self.tree.sha

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tree, name)

    async def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        self.read_blobs += blobs
        return await self.tree.read(blobs)


@dataclass(slots=True)
class Shop:
    """A Context of which only what indexing needs is there, and the repository as GitHub would serve it."""

    path: Path
    database_url: str
    code_indexes: CodeIndexes
    installations: Installations
    deliveries: Deliveries
    queue: Queue
    repositories: KeptRepositories
    embedders: Embedders = field(default_factory=lambda: Embedders(Hashing()))
    steps: list[str] = field(default_factory=list)
    read_blobs: list[str] = field(default_factory=list)
    on_branch: Callable[[], Awaitable[None]] | None = None
    tip: str = ""

    @property
    def source(self) -> "Shop":
        return self

    def on_step(self, step: str, _seconds: float) -> None:
        self.steps.append(step)

    async def branch(self, installation_id: int, repository: Repository) -> Counted:
        """Fulfils handlers.host.Source, as far as indexing asks."""
        assert (installation_id, repository.id) == (5005, 9001)
        sha = git(self.path, "rev-parse", "main").decode().strip()
        if self.on_branch is not None:
            await self.on_branch()
        return Counted(GitTree(Objects(self.path), sha), self.read_blobs)

    def push(self, files: Files, *, force: bool = False) -> str:
        """A commit on main; with `force` one without the history."""
        self.tip = commit(self.path, files, parents=[] if force or not self.tip else [self.tip])
        return self.tip

    async def tenant(self) -> Tenant:
        account = INSTALLED.installation
        return await self.installations.tenant_of(
            account.account_id, account.account, account.account_type, account.id, INSTALLED.repository
        )

    async def index(self, work: Work | None = None) -> Indexed:
        self.read_blobs.clear()
        return await bring_up_to_date(self.context, INSTALLED, await self.tenant(), work or Work())

    @property
    def context(self) -> Context:
        return cast(Context, self)

    async def state(self) -> IndexState | None:
        tenant = await self.tenant()
        return await self.code_indexes.state(tenant.organization_id, tenant.repository_id)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """One statement by the database's owner; its rows."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def paths(self) -> list[str]:
        """What retrieval sees."""
        return [path for (path,) in self.sql("SELECT path FROM code_files ORDER BY path")]


@pytest.fixture
async def shop(database: Database, database_url: str, tmp_path: Path, redis_url: str) -> Any:
    async with Queue.open(redis_url) as queue:
        path, indexes = init_bare(tmp_path / "shop.git"), CodeIndexes(database)
        repositories = KeptRepositories(database, Reading(database))
        made = Shop(path, database_url, indexes, Installations(database), Deliveries(database), queue, repositories)
        made.push(FILES)
        yield made
