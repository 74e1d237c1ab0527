"""What an index would hold of a local checkout's last commit: parsed and counted, and nothing kept."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import monotonic

from bot.git.local import LocalRepository
from handlers.indexing.files import READ_AT_ONCE, Listed, list_files, parse_files
from handlers.indexing.work import OnProgress
from review.context.chunk import ParsedFile


@dataclass(slots=True)
class Size:
    """How much there is of something."""

    files: int = 0
    lines: int = 0
    chunks: int = 0

    def add(self, lines: int, chunks: int) -> None:
        self.files, self.lines, self.chunks = self.files + 1, self.lines + lines, self.chunks + chunks


@dataclass(slots=True)
class IndexedHere:
    """The result: `skipped` and `by_lines` count files by the reason why they are left out, or not cut by their syntax."""

    sha: str
    by_language: defaultdict[str, Size] = field(default_factory=lambda: defaultdict(Size))
    total: Size = field(default_factory=Size)
    skipped: Counter[str] = field(default_factory=Counter)
    by_lines: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, parsed: ParsedFile | str, data: bytes) -> None:
        """Count one file, or the reason why it is none."""
        if isinstance(parsed, str):
            self.skipped[parsed] += 1
            return
        lines, chunks = data.count(b"\n") + (not data.endswith(b"\n")), len(parsed.chunks)
        self.by_language[parsed.language or "other"].add(lines, chunks)
        self.total.add(lines, chunks)
        if parsed.note:
            self.by_lines[parsed.note] += 1


async def index_local(path: Path, on_progress: OnProgress) -> IndexedHere:
    """Parse the files of the checkout's last commit. Raises UserError where there is none, TryAgain when git fails."""
    started, tree = monotonic(), await LocalRepository(path).tree()
    listed, here = await list_files(tree), IndexedHere(tree.sha)
    here.skipped.update(listed.skipped.values())
    files, done = iter(_with_blobs(listed)), 0
    while batch := list(islice(files, READ_AT_ONCE)):
        contents = await tree.read([sha for (sha, _), _ in batch])
        parsed = await asyncio.to_thread(parse_files, batch, contents)
        for ((sha, _), _), file in zip(batch, parsed, strict=True):
            here.add(file, contents.get(sha, b""))
        done += len(batch)
        on_progress("parse", done, len(listed.files))
    here.seconds = monotonic() - started
    return here


def _with_blobs(listed: Listed) -> list[tuple[tuple[str, str], str]]:
    return [((file.blob, file.language), file.path) for file in listed.files]
