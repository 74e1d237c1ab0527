"""MemoryIndex: the Index of one commit, made from its Tree and kept in memory, for a checkout that no database knows."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from review.context.chunk import Chunk, ParsedFile
from review.context.embedders.embedder import Embedder
from review.context.index import Holders, IndexedFile, Named, Neighbour, Numbers, Totals
from review.context.languages import language_of
from review.context.parse import parse, parse_by_lines
from review.context.source_files import why_not_indexed
from review.context.tree import Changeset, Tree, TreeFile
from review.context.words import stem

AT_ONCE = 64
"""Files that are read and parsed between two looks at the clock and at the memory."""

MOST_ENTRIES = 2_000_000
"""Words and names, counted once for each file that holds them: some 300 MB. A million lines of code have about as many."""

MOST_TEXT = 60_000_000
"""Characters of the chunks' text: 60 MB, and up to four times that if not Latin. Long lines hold much and few words."""

NO_TIME = "no time left to parse it"

Parsed = dict[tuple[str, str], ParsedFile]
"""By blob and language. Whoever asks about many commits keeps it: each blob is parsed once."""

Vectors = dict[tuple[str, str], NDArray[np.float32]]
"""By blob and language, one row for each chunk."""


class MemoryIndex:
    """Fulfils review.context.index.Index. Files come and go by `put` and `drop`; the history is `remember`ed whole."""

    def __init__(self) -> None:
        self._files: dict[int, IndexedFile] = {}
        self._ids: dict[str, int] = {}
        self._parsed: dict[int, ParsedFile] = {}
        self._words: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._defined: defaultdict[str, set[int]] = defaultdict(set)
        self._used: defaultdict[str, set[int]] = defaultdict(set)
        self._folders: defaultdict[str, set[int]] = defaultdict(set)
        self._stems: defaultdict[str, set[int]] = defaultdict(set)
        self._length = 0
        self._entries = 0
        self._text = 0
        self._next = 1
        self._touched: dict[str, list[int]] = {}
        self._changesets: tuple[Changeset, ...] = ()
        self._embedder = ""
        self._vectors: dict[int, NDArray[np.float32]] = {}

    @property
    def full(self) -> bool:
        """Whether it holds as much as one process should."""
        return self._entries >= MOST_ENTRIES or self._text >= MOST_TEXT

    def paths(self) -> Mapping[str, str]:
        """The blob of each file that is indexed, by path."""
        return {file.path: file.blob for file in self._files.values()}

    def put(self, path: str, blob: str, parsed: ParsedFile) -> int:
        """Hold this file, in the place of what was at its path; gives its id."""
        self.drop(path)
        file = IndexedFile(self._next, path, blob, parsed.language, parsed.length)
        self._next += 1
        self._files[file.id], self._ids[path], self._parsed[file.id] = file, file.id, parsed
        for word, times in parsed.words.items():
            self._words[word][file.id] = times
        for held, key in self._sets(file, parsed):
            held[key].add(file.id)
        self._length += file.length
        self._entries += len(parsed.words) + len(parsed.references)
        self._text += _text(parsed)
        return file.id

    def drop(self, path: str) -> None:
        """Forget the file at this path, if there is one."""
        number = self._ids.pop(path, None)
        if number is None:
            return
        file, parsed = self._files.pop(number), self._parsed.pop(number)
        for word in parsed.words:
            del self._words[word][number]
        for held, key in self._sets(file, parsed):
            held[key].discard(number)
        self._vectors.pop(number, None)
        self._length -= file.length
        self._entries -= len(parsed.words) + len(parsed.references)
        self._text -= _text(parsed)

    def _sets(self, file: IndexedFile, parsed: ParsedFile) -> Iterator[tuple[defaultdict[str, set[int]], str]]:
        yield self._folders, file.path.rpartition("/")[0]
        yield self._stems, stem(file.path)
        yield from ((self._defined, definition.name) for definition in parsed.definitions)
        yield from ((self._used, name) for name in parsed.references)

    def remember(self, changesets: Sequence[Changeset]) -> None:
        """Hold this history, newest first as a Tree gives it, in the place of any other."""
        self._changesets = tuple(reversed(changesets))
        self._touched = {}
        for number, changeset in enumerate(self._changesets, 1):
            for path in dict.fromkeys(changeset.paths):
                self._touched.setdefault(path, []).append(number)

    async def embed(self, embedder: Embedder, known: "Vectors") -> None:
        """Give every file its vectors. `known` are those of blobs that came before, and is added to."""
        self._embedder = embedder.name
        for number in self._files.keys() - self._vectors.keys():
            key = (self._files[number].blob, self._files[number].language)
            if key not in known:
                known[key] = await embedder.embed([f"{one.symbol}\n{one.text}" for one in self._parsed[number].chunks])
            self._vectors[number] = known[key]

    async def totals(self) -> Totals:
        return Totals(len(self._files), self._length, len(self._changesets))

    async def files(self, ids: Sequence[int]) -> Sequence[IndexedFile]:
        return [self._files[number] for number in ids if number in self._files]

    async def at(self, paths: Sequence[str]) -> Sequence[IndexedFile]:
        return [self._files[self._ids[path]] for path in paths if path in self._ids]

    async def beside(self, paths: Sequence[str], most: int) -> Sequence[IndexedFile]:
        folders = {path.rpartition("/")[0] for path in paths}
        groups = [self._folders.get(folder, set()) for folder in folders]
        groups += [self._stems.get(one, set()) for one in {stem(path) for path in paths} if one]
        by_path = (sorted(group, key=lambda number: self._files[number].path) for group in groups)
        return [self._files[number] for number in sorted({number for group in by_path for number in group[:most]})]

    async def holding(self, words: Sequence[str]) -> Mapping[str, Holders]:
        return {word: _holders(held) for word in words if (held := self._words.get(word))}

    async def named(self, names: Sequence[str]) -> Mapping[str, Named]:
        found = ((name, self._defined.get(name, set()), self._used.get(name, set())) for name in names)
        return {name: Named(_numbers(defined), _numbers(used)) for name, defined, used in found if defined or used}

    async def touched(self, paths: Sequence[str]) -> Mapping[str, Numbers]:
        return {path: np.array(self._touched[path], np.int64) for path in paths if path in self._touched}

    async def changesets(self, numbers: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        return {one: self._changesets[one - 1].paths for one in numbers if 0 < one <= len(self._changesets)}

    async def chunks(self, files: Sequence[int]) -> Mapping[int, Sequence[Chunk]]:
        return {number: self._parsed[number].chunks for number in files if number in self._parsed}

    async def embedded_by(self) -> str:
        return self._embedder

    async def nearest(self, vector: NDArray[np.float32], most: int) -> Sequence[Neighbour]:
        if not self._vectors:
            return []
        matrix = np.concatenate(list(self._vectors.values()))
        places = [(number, chunk) for number, rows in self._vectors.items() for chunk in range(len(rows))]
        cosines = matrix @ vector
        best = np.argsort(-cosines, kind="stable")[:most]
        return [Neighbour(*places[int(at)], float(cosines[at])) for at in best]


def _text(parsed: ParsedFile) -> int:
    return sum(len(chunk.text) for chunk in parsed.chunks)


def _holders(held: Mapping[int, int]) -> Holders:
    files = np.fromiter(held.keys(), np.int64, len(held))
    counts = np.fromiter(held.values(), np.int64, len(held))
    order = np.argsort(files)
    return Holders(files[order], counts[order])


def _numbers(ids: Iterable[int]) -> Numbers:
    return np.array(sorted(ids), np.int64)


async def memory_index(tree: Tree, *, changesets: int, deadline: float, parsed: Parsed | None = None) -> MemoryIndex:
    """An index of this tree and its newest changesets. Raises TryAgain when the repository cannot be read just now.

    At `deadline` (by `time.monotonic`), or when it is full, it is done with what it has: the files that come last by path are
    missing then, and those that it was at may be cut by lines.
    """
    index = MemoryIndex()
    await follow(index, tree, changesets=changesets, deadline=deadline, parsed=parsed)
    return index


async def follow(index: MemoryIndex, tree: Tree, *, changesets: int, deadline: float, parsed: Parsed | None = None) -> None:
    """Make an index hold this tree and its history, whatever it held before; only what differs is read and parsed."""
    known = parsed if parsed is not None else {}
    index.remember(await tree.changesets(changesets))
    before = index.paths()
    wanted = {file.path: file for file in await tree.files() if not why_not_indexed(file.path, None)}
    for path in before.keys() - wanted.keys():
        index.drop(path)
    new = [file for file in wanted.values() if before.get(file.path) != file.blob]
    for file in new:  # what is not reached in time is missing, not there as it was before
        index.drop(file.path)
    for first in range(0, len(new), AT_ONCE):
        if index.full or time.monotonic() > deadline:
            return
        await _put(index, tree, new[first : first + AT_ONCE], known, deadline)


async def _put(index: MemoryIndex, tree: Tree, files: Sequence[TreeFile], known: Parsed, deadline: float) -> None:
    unknown = {(file.blob, language_of(file.path)): file for file in files}
    unknown = {key: file for key, file in unknown.items() if key not in known}
    contents = await tree.read(sorted({blob for blob, _ in unknown})) if unknown else {}
    wanted = {
        key: (file.path, contents[file.blob])
        for key, file in unknown.items()
        if file.blob in contents and not why_not_indexed(file.path, contents[file.blob])
    }
    parsed = await asyncio.to_thread(_parsed, wanted, deadline)
    known.update((key, one) for key, one in parsed.items() if one.note != NO_TIME)  # the next commit may have the time
    for file in files:
        key = (file.blob, language_of(file.path))
        if one := known.get(key) or parsed.get(key):
            index.put(file.path, file.blob, one)
        else:
            index.drop(file.path)


def _parsed(wanted: Mapping[tuple[str, str], tuple[str, bytes]], deadline: float) -> Parsed:
    """All of them, two at a time: while one waits for its syntax tree, which another process reads, one is cut here.

    Nobody can cancel the thread that this runs in, so it hurries by itself once the deadline is past.
    """

    def parsed(one: tuple[str, bytes]) -> ParsedFile:
        return parse_by_lines(*one, NO_TIME) if time.monotonic() > deadline else parse(*one)

    with ThreadPoolExecutor(2) as two:
        return dict(zip(wanted, two.map(parsed, wanted.values()), strict=True))
