"""Builders for code beyond a change: places, and trees of plain dicts of files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from review.context.index import IndexedFile
from review.context.memory import MemoryIndex
from review.context.parse import parse
from review.context.retrieved import Place
from review.context.tree import Changeset, TreeFile
from tests.builders_models import Texts


def a_place(path: str = "bank/rates.py", first_line: int = 10, text: str = "RATE = 0.1", **more: Any) -> Place:
    """A place, defined by its first line and its text."""
    fields: dict[str, Any] = {"symbol": "", "why": "defines `RATE`, which the change uses", "score": 1.0, **more}
    return Place(path, first_line, first_line + text.count("\n"), text=text, **fields)


@dataclass(frozen=True)
class DictTree:
    """Fulfils review.context.tree.Tree with these files. `read_blobs` notes what was read."""

    texts: Texts
    sha: str = "b" * 40
    read_blobs: list[str] = field(default_factory=list)

    async def files(self) -> Sequence[TreeFile]:
        return [TreeFile(path, blob_of(text)) for path, text in sorted(self.texts.items())]

    async def blobs(self, paths: Sequence[str]) -> Mapping[str, str]:
        return {path: blob_of(self.texts[path]) for path in paths if path in self.texts}

    async def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        self.read_blobs.extend(blobs)
        contents = {blob_of(text): text.encode("utf-8", "surrogateescape") for text in self.texts.values()}
        return {blob: contents[blob] for blob in blobs if blob in contents}

    async def changesets(self, most: int) -> Sequence[Changeset]:
        return []

    async def changesets_since(self, sha: str, most: int) -> Sequence[Changeset] | None:
        return None


def blob_of(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def an_index(texts: Texts) -> MemoryIndex:
    """An index of these files, without any history."""
    index = MemoryIndex()
    for path, text in texts.items():
        index.put(path, blob_of(text), parse(path, text.encode("utf-8", "surrogateescape")))
    return index


async def indexed(index: MemoryIndex, *paths: str) -> list[IndexedFile]:
    return list(await index.at(paths))
