"""Index: what retrieval asks of the code of one repository. In memory for a checkout, in Postgres for an installed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from review.context.chunk import Chunk

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is: files, the words of all of them together, and changesets (the newest has this number)."""

    files: int
    words: int
    changesets: int


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A file that can be an answer. `id` is the index's own; `length` counts its words, as `ParsedFile.length`."""

    id: int
    path: str
    blob: str
    language: str
    length: int


@dataclass(frozen=True, slots=True)
class Holders:
    """The files that hold a word, by id in ascending order, and how often each does."""

    files: Numbers
    counts: Numbers


@dataclass(frozen=True, slots=True)
class Named:
    """The files that define a name, and those that use it, by id in ascending order."""

    defined_in: Numbers
    used_in: Numbers


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A chunk near a vector: its file, its place in the file (from 0), and the cosine of the two, at most 1."""

    file: int
    chunk: int
    similarity: float


class Index(Protocol):
    """Answers for one repository, and for nobody who may not read it. Every method may raise TryAgain."""

    async def totals(self) -> Totals: ...

    async def files(self, ids: Sequence[int]) -> Sequence[IndexedFile]:
        """Those of these files that there are, in any order."""
        ...

    async def at(self, paths: Sequence[str]) -> Sequence[IndexedFile]:
        """The files at these paths, as far as they are indexed."""
        ...

    async def beside(self, paths: Sequence[str], most: int) -> Sequence[IndexedFile]:
        """Files in the same folders as these paths, and files of the same stem anywhere (`a/test_x.py` for `b/x.py`).

        A stem is the name without ending, `test`, `spec` and punctuation, in lower case: see `review.context.words.stem`.
        At most `most` for each folder, and for each stem.
        """
        ...

    async def holding(self, words: Sequence[str]) -> Mapping[str, Holders]:
        """By word, the files that hold it. Words that none holds are absent."""
        ...

    async def named(self, names: Sequence[str]) -> Mapping[str, Named]:
        """By name (a whole identifier), the files that define it and those that use it. Unknown names are absent."""
        ...

    async def touched(self, paths: Sequence[str]) -> Mapping[str, Numbers]:
        """By path, the numbers of the changesets that touched it, ascending; the oldest is 1. Unknown paths are absent."""
        ...

    async def changesets(self, numbers: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        """By number, the paths that these changesets touched (also such as are not there any more)."""
        ...

    async def chunks(self, files: Sequence[int]) -> Mapping[int, Sequence[Chunk]]:
        """By file, its chunks in their order."""
        ...

    async def embedded_by(self) -> str:
        """The name of the embedder whose vectors `nearest` looks through; empty where there are none."""
        ...

    async def nearest(self, vector: NDArray[np.float32], most: int) -> Sequence[Neighbour]:
        """The chunks that are nearest to this vector of unit length, nearest first."""
        ...
