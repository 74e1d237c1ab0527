"""What retrieval asks of one repository's code, answered from Postgres: whatever a query forgets, of this repository only."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import DataError

from review.context.chunk import Chunk, Kind
from review.context.index import Holders, IndexedFile, Named, Neighbour, Numbers, Totals
from review.context.words import stem
from storage.code.nearest import nearest
from storage.code.postings import SENT
from storage.database import Connection, Database, plain

FILE = "SELECT number, path, sha, language, length FROM code_files"
BESIDE = """
SELECT DISTINCT number, path, sha, language, length FROM (
    SELECT b.* FROM unnest(%(folders)s::text[]) AS wanted (folder), LATERAL (
        SELECT * FROM code_files f WHERE repository_id = %(repository)s AND f.folder = wanted.folder
        ORDER BY path LIMIT %(most)s) b
    UNION ALL
    SELECT b.* FROM unnest(%(stems)s::text[]) AS wanted (stem), LATERAL (
        SELECT * FROM code_files f WHERE repository_id = %(repository)s AND f.stem = wanted.stem
        ORDER BY path LIMIT %(most)s) b
) AS files
"""
# Words and names hold no spaces: as one text, hundreds of them are sent in a tenth of the time that an array takes.
POSTINGS = """
SELECT kind::text, term, string_agg(files, ''::bytea ORDER BY segment), string_agg(counts, ''::bytea ORDER BY segment)
FROM code_postings
WHERE repository_id = %(repository)s AND kind = ANY (%(kinds)s::"char"[]) AND term = ANY (string_to_array(%(terms)s, ' '))
GROUP BY kind, term
"""
CHUNKS = """
SELECT f.number, c.kind, c.symbol, c.first_line, c.last_line, c.text, c.signature, c.doc
FROM code_files f JOIN code_chunks c ON c.repository_id = %(repository)s AND c.blob_id = f.blob_id
WHERE f.repository_id = %(repository)s AND f.number = ANY (%(files)s) ORDER BY f.number, c.ordinal
"""
NONE: Numbers = np.empty(0, np.int64)


class PostgresIndex:
    """Fulfils `review.context.index.Index`. Each answer is what is published at that moment; every method may raise Away."""

    def __init__(self, database: Database, organization_id: int, repository_id: int) -> None:
        self._database = database
        self._organization_id = organization_id
        self._repository_id = repository_id

    async def totals(self) -> Totals:
        """How much there is."""
        rows = await self._rows("SELECT files, words, changesets FROM code_indexes WHERE repository_id = %(repository)s")
        return Totals(*rows[0]) if rows else Totals(0, 0, 0)

    async def files(self, ids: Sequence[int]) -> Sequence[IndexedFile]:
        """Those of these files that there are."""
        rows = await self._rows(f"{FILE} WHERE repository_id = %(repository)s AND number = ANY (%(ids)s)", ids=_ints(ids))
        return [IndexedFile(*row) for row in rows]

    async def at(self, paths: Sequence[str]) -> Sequence[IndexedFile]:
        """The files at these paths, as far as they are indexed."""
        rows = await self._rows(f"{FILE} WHERE repository_id = %(repository)s AND path = ANY (%(paths)s)", paths=_texts(paths))
        return [IndexedFile(*row) for row in rows]

    async def beside(self, paths: Sequence[str], most: int) -> Sequence[IndexedFile]:
        """Files in the same folders, and of the same stem anywhere: of each at most `most`, by path."""
        named = _texts(paths)
        folders, stems = {path.rpartition("/")[0] for path in named}, {stem(path) for path in named} - {""}
        rows = await self._rows(BESIDE, folders=sorted(folders), stems=sorted(stems), most=most)
        return [IndexedFile(*row) for row in rows]

    async def holding(self, words: Sequence[str]) -> Mapping[str, Holders]:
        """By word, the files that hold it and how often."""
        rows = await self._rows(POSTINGS, kinds=["w"], terms=" ".join(_texts(words)))
        files, counts = _numbers([row[2] for row in rows]), _numbers([row[3] for row in rows])
        return {row[1]: Holders(*found) for row, *found in zip(rows, files, counts, strict=True)}

    async def named(self, names: Sequence[str]) -> Mapping[str, Named]:
        """By name, the files that define it and those that use it."""
        rows = await self._rows(POSTINGS, kinds=["d", "u"], terms=" ".join(_texts(names)))
        found: dict[str, dict[str, Numbers]] = {}
        for (kind, name, *_), files in zip(rows, _numbers([row[2] for row in rows]), strict=True):
            found.setdefault(name, {})[kind] = files
        return {name: Named(by.get("d", NONE), by.get("u", NONE)) for name, by in found.items()}

    async def touched(self, paths: Sequence[str]) -> Mapping[str, Numbers]:
        """By path, the numbers of the changesets that touched it, ascending."""
        rows = await self._rows(
            "SELECT path, numbers FROM code_changes WHERE repository_id = %(repository)s AND path = ANY (%(paths)s)",
            paths=_texts(paths),
        )
        return {path: np.array(numbers, np.int64) for path, numbers in rows}

    async def changesets(self, numbers: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        """By number, the paths that these changesets touched."""
        rows = await self._rows(
            "SELECT number, paths FROM code_changesets WHERE repository_id = %(repository)s AND number = ANY (%(numbers)s)",
            numbers=_ints(numbers),
        )
        return {number: tuple(paths) for number, paths in rows}

    async def chunks(self, files: Sequence[int]) -> Mapping[int, Sequence[Chunk]]:
        """By file, its chunks in their order."""
        found: dict[int, list[Chunk]] = {}
        for file, kind, *fields in await self._rows(CHUNKS, files=_ints(files)):
            found.setdefault(file, []).append(Chunk(Kind(kind), *fields))
        return found

    async def embedded_by(self) -> str:
        """The name of the embedder whose vectors serve; empty where there are none."""
        rows = await self._rows("SELECT embedder FROM code_indexes WHERE repository_id = %(repository)s")
        return str(rows[0][0]) if rows else ""

    async def nearest(self, vector: NDArray[np.float32], most: int) -> Sequence[Neighbour]:
        """The chunks that are nearest to this vector of unit length, nearest first; none where vectors have another length.

        A publication may have changed the embedder since the vector was made.
        """
        try:
            async with self._code() as connection:
                return await nearest(connection, self._repository_id, vector, most)
        except DataError:
            return []

    def _code(self) -> AbstractAsyncContextManager[Connection]:
        return self._database.code(self._organization_id, [self._repository_id])

    async def _rows(self, query: Any, **values: Any) -> list[tuple[Any, ...]]:
        async with self._code() as connection:
            cursor = await connection.execute(query, {"repository": self._repository_id} | values, binary=True)
            return await cursor.fetchall()


def _texts(given: Sequence[str]) -> list[str]:
    return [plain(text) for text in given]


def _ints(given: Sequence[int]) -> list[int]:
    """Numbers of files as they are: what other numbers might be asked for, none has."""
    return [int(number) for number in given]


def _numbers(sent: Sequence[bytes]) -> list[Numbers]:
    """The lists of numbers that these bytes are: all are read at once, and each is a part of the whole."""
    whole = np.frombuffer(b"".join(sent), SENT).astype(np.int64)
    ends = list(accumulate(len(one) // SENT.itemsize for one in sent))
    return [whole[first:end] for first, end in zip([0, *ends], ends, strict=False)]
