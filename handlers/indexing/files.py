"""The files of a commit for the index: which of them are indexed, and those that are new, read, parsed and kept in batches."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import TypeVar

from handlers.indexing.work import Paused, Work
from review.context.chunk import ParsedFile
from review.context.languages import language_of
from review.context.parse import parse, parse_by_lines
from review.context.source_files import why_not_indexed
from review.context.tree import MOST_FILES, Tree
from storage.code.indexes import CodeIndexes
from storage.code.state import ClaimedIndex, IndexedPath

READ_AT_ONCE = 100
"""Files in one batch: at most 100 MB, in general less than one."""

ASKED_AT_ONCE = 5_000
"""Blobs of which Postgres is asked in one go whether it has them."""

PARSE_SECONDS = 240.0
"""For parsing in one attempt; what is left then is cut by lines, which takes a tenth of the time."""

MOST_COPIES = 1_000
"""Paths of one blob: a commit of a few kilobytes can have MOST_FILES of them, each of which costs rows of its own."""

MOST_TEXT = 300_000_000
"""Bytes of text of one repository, a blob counted at each of its paths: words are kept by path. Bounds what one pack, which
may be a thousandth of its contents, can put into Postgres."""

MANY_COPIES = "more copies of one file than are indexed"
MUCH_TEXT = "more code than is indexed of one repository"
TOO_MUCH = "there was too much code to parse all of it"
NOT_READ = "larger than 1 MB, or not readable"
NO_PATH = "its name is not UTF-8"

T = TypeVar("T")

Blob = tuple[str, str]
"""The id of a file's contents, and the language that its name says they are in."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The files of a commit that are to be indexed, and why the others are not, by path.

    `all` says that these are all there are, and not the first MOST_FILES.
    """

    files: tuple[IndexedPath, ...]
    skipped: Mapping[str, str]
    all: bool = True

    def without(self, unfit: Mapping[Blob, str]) -> "Listed":
        """These files, but for those whose contents turned out not to be fit for it."""
        fit = tuple(file for file in self.files if (file.blob, file.language) not in unfit)
        more = {file.path: unfit[blob] for file in self.files if (blob := (file.blob, file.language)) in unfit}
        return Listed(fit, {**self.skipped, **more}, self.all)


async def list_files(tree: Tree) -> Listed:
    """All files of the tree, sorted out by their names alone. Raises TryAgain."""
    files: list[IndexedPath] = []
    skipped: dict[str, str] = {}
    copies: Counter[str] = Counter()
    found = await tree.files()
    for file in found[:MOST_FILES]:
        because = NO_PATH if _not_text(file.path) else why_not_indexed(file.path, None)
        if because:
            skipped[file.path] = because
        elif copies[file.blob] == MOST_COPIES:
            skipped[file.path] = MANY_COPIES
        else:
            copies[file.blob] += 1
            files.append(IndexedPath(file.path, file.blob, language_of(file.path)))
    return Listed(tuple(files), skipped, all=len(found) < MOST_FILES)


def _not_text(path: str) -> bool:
    return not path.isascii() and any("\ud800" <= letter <= "\udfff" for letter in path)


@dataclass(slots=True)
class Keeping:
    """What was found out on the way: how many files were parsed and how many lines they have, and which are unfit."""

    parsed: int = 0
    lines: int = 0
    unfit: dict[Blob, str] = field(default_factory=dict)
    copies: Counter[Blob] = field(default_factory=Counter)
    text: int = 0

    def has_room(self, blob: Blob, size: int) -> bool:
        """Count this text in; beyond MOST_TEXT the blob is unfit, and so is all that comes after it."""
        self.text += size * self.copies[blob]
        if self.text > MOST_TEXT:
            self.unfit[blob] = MUCH_TEXT
        return self.text <= MOST_TEXT


async def keep_missing(indexes: CodeIndexes, claimed: ClaimedIndex, tree: Tree, listed: Listed, work: Work) -> Keeping:
    """Read, parse and keep what no earlier attempt has kept. Raises TryAgain, Superseded, and Paused between two batches."""
    keeping, until = Keeping(copies=Counter((file.blob, file.language) for file in listed.files)), monotonic() + PARSE_SECONDS
    missing = await _missing(indexes, claimed, listed, keeping)
    done = 0
    for batch in _batches(list(missing.items()), READ_AT_ONCE):
        if keeping.text > MOST_TEXT:  # not even read
            keeping.unfit |= {blob: MUCH_TEXT for blob, _ in batch}
            continue
        contents = await tree.read([sha for (sha, _), _ in batch])
        parsed = await asyncio.to_thread(parse_files, batch, contents, until)
        fit = _fit(batch, parsed, keeping)
        await indexes.keep(claimed, fit)
        keeping.parsed += len(fit)
        keeping.lines += sum(data.count(b"\n") for data in contents.values())
        done += len(batch)
        work.on_progress("parse", done, len(missing))
        if done < len(missing) and (because := await work.why_pause()):
            raise Paused(f"{done:,} of {len(missing):,} new files are kept. {because}")
    return keeping


def _fit(
    batch: Sequence[tuple[Blob, str]], parsed: Sequence[ParsedFile | str], keeping: Keeping
) -> list[tuple[str, ParsedFile]]:
    """What is to be kept of a batch; the others are noted as unfit."""
    fit: list[tuple[str, ParsedFile]] = []
    for (blob, _), file in zip(batch, parsed, strict=True):
        if isinstance(file, str):
            keeping.unfit[blob] = file
        elif keeping.has_room(blob, sum(len(chunk.text.encode(errors="replace")) for chunk in file.chunks)):
            fit.append((blob[0], file))
    return fit


async def _missing(indexes: CodeIndexes, claimed: ClaimedIndex, listed: Listed, keeping: Keeping) -> dict[Blob, str]:
    """The blobs that are not kept yet, each with one path where it lies; what is kept is counted in."""
    wanted = {(file.blob, file.language): file.path for file in listed.files}
    for asked in _batches(list(wanted), ASKED_AT_ONCE):
        if keeping.text > MOST_TEXT:  # asking copies what other repositories have
            break
        kept = await indexes.kept(claimed, asked)
        sizes = await indexes.sizes(claimed, asked)
        for blob in (blob for blob in asked if blob in kept):
            wanted.pop(blob, None)
            keeping.has_room(blob, sizes.get(blob, 0))
    return wanted


def parse_files(
    batch: Sequence[tuple[Blob, str]], contents: Mapping[str, bytes], until: float = math.inf
) -> list[ParsedFile | str]:
    """Each file (blob and path) parsed, or the reason why it is not indexed; by lines alone after `until` (monotonic)."""
    return [_parse(path, contents.get(sha), until) for (sha, _), path in batch]


def _parse(path: str, data: bytes | None, until: float) -> ParsedFile | str:
    if data is None:
        return NOT_READ
    if because := why_not_indexed(path, data):
        return because
    return parse(path, data) if monotonic() < until else parse_by_lines(path, data, TOO_MUCH)


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
