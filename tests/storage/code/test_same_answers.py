"""The index in Postgres answers as the one in memory does, after whatever was published before."""

import random
from collections.abc import Iterable, Mapping

import numpy as np
import pytest

from review.context.chunk import ParsedFile
from review.context.index import Index, Numbers
from review.context.memory import MemoryIndex
from review.context.tree import Changeset
from storage.code import postings
from storage.code.indexes import CodeIndexes
from storage.database import Database
from tests.builders_code import AnEmbedder, a_blob, a_parsed_file, published, vectors_of
from tests.builders_storage import a_tenant

pytestmark = pytest.mark.integration

WORDS = [f"word{n}" for n in range(30)]
NAMES = [f"name_{n}" for n in range(20)]
PATHS = [
    f"{folder}{name}"
    for folder in ("", "src/", "src/deep/", "tests/")
    for name in ("a.py", "test_a.py", "b.py", "C.java", "d.go")
]
ROUNDS = 8


class History:
    """Random changes, and the index in memory beside them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files: dict[str, ParsedFile] = {"a.py": self.contents()}
        self.seen: list[ParsedFile] = []
        self.changesets: list[Changeset] = []
        self.memory = MemoryIndex()

    def contents(self) -> ParsedFile:
        some = self.random.choices
        return a_parsed_file(
            " ".join(some(WORDS, k=self.random.randrange(12))),
            defines=" ".join(some(NAMES, k=self.random.randrange(3))),
            uses=" ".join(some(NAMES, k=self.random.randrange(6))),
            chunks=self.random.randrange(4),
        )

    def go_on(self) -> tuple[list[Changeset], bool]:
        """Add, edit, rename, revert, copy and delete files; gives the new changesets, and whether all older ones are void."""
        before = dict(self.files)
        for _ in range(self.random.randrange(1, 10)):
            path, other = self.random.choice(PATHS), self.random.choice(sorted(self.files))
            match self.random.randrange(6):
                case 0 | 1:
                    self.files[path] = self.contents()
                case 2:
                    self.files[path] = self.files.pop(other)
                case 3 if self.seen:
                    self.files[path] = self.random.choice(self.seen)
                case 4:
                    self.files[path] = self.files[other]
                case _ if len(self.files) > 1:
                    del self.files[other]
        self.seen += self.files.values()
        self._remember(before)
        touched = [path for path in PATHS if before.get(path) != self.files.get(path)]
        new = [self._changeset(touched), self._changeset(self.random.sample(PATHS, 3))][: self.random.randrange(3)]
        replaces = self.random.random() < 0.3
        self.changesets = new if replaces else [*new, *self.changesets]
        self.memory.remember(self.changesets)
        return new, replaces

    def _changeset(self, paths: Iterable[str]) -> Changeset:
        return Changeset(f"{self.random.getrandbits(160):040x}", self.random.getrandbits(31), tuple(paths))

    def _remember(self, before: Mapping[str, ParsedFile]) -> None:
        for path in before.keys() - self.files.keys():
            self.memory.drop(path)
        for path, parsed in self.files.items():
            if before.get(path) is not parsed or path not in self.memory.paths():
                self.memory.put(path, a_blob(parsed), parsed)


class Asked:
    """Answers with paths in the place of ids, which two indexes do not share."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._paths: dict[int, str] = {}

    async def everything(self) -> dict[str, object]:
        index = self._index
        files = await index.at(PATHS)
        self._paths = {file.id: file.path for file in files}
        assert sorted(await index.files([*self._paths, 10**6]), key=repr) == sorted(files, key=repr)
        holding, named = await index.holding([*WORDS, "nowhere"]), await index.named([*NAMES, "nowhere"])
        touched = await index.touched([*PATHS, "nowhere"])
        return {
            "totals": await index.totals(),
            "files": {(file.path, file.blob, file.language, file.length) for file in files},
            "beside": [{file.path for file in await index.beside([path], 100)} for path in [*PATHS, "elsewhere/_.py"]],
            "holding": {
                w: dict(zip(self._named(held.files), held.counts.tolist(), strict=True)) for w, held in holding.items()
            },
            "named": {n: (set(self._named(one.defined_in)), set(self._named(one.used_in))) for n, one in named.items()},
            "touched": {path: numbers.tolist() for path, numbers in touched.items()},
            "changesets": await index.changesets(range(100)),
            "chunks": {
                self._paths[file]: tuple(chunks) for file, chunks in (await index.chunks([*self._paths])).items() if chunks
            },
            "embedder": await index.embedded_by(),
        }

    async def near(self, text: str) -> dict[tuple[str, int], float]:
        found = await self._index.nearest(vectors_of([text])[0], 1_000)
        assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
        return {(self._paths[one.file], one.chunk): one.similarity for one in found}

    def _named(self, ids: Numbers) -> list[str]:
        assert ids.tolist() == sorted(ids.tolist())
        return [self._paths[id] for id in ids.tolist()]


@pytest.mark.parametrize("seed", range(4))
async def test_any_sequence_of_publications_leaves_the_same_answers(
    database: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "SEGMENT", 4)
    tenant = await a_tenant(database, 300 + seed)
    indexes, history = CodeIndexes(database), History(seed)
    theirs, ours = Asked(history.memory), Asked(indexes.index(tenant.organization_id, tenant.repository_id))
    for _ in range(ROUNDS):
        new, replaces = history.go_on()
        await history.memory.embed(AnEmbedder(), {})
        await published(indexes, tenant, history.files, history=new, replaces=replaces)
        expected = await theirs.everything()
        for question, answer in (await ours.everything()).items():
            assert (question, answer) == (question, expected[question])
        near, expected_near = await ours.near("retry"), await theirs.near("retry")
        assert near.keys() == expected_near.keys()
        assert np.allclose([near[key] for key in near], [expected_near[key] for key in near], atol=0.003)
