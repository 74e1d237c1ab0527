"""The files and the history of one commit, out of the object store. Nothing is ever written to a work tree."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.git import history
from bot.git.errors import GitFailed, understood
from bot.git.objects import REGULAR, Objects
from bot.git.process import Bounds
from review.context.tree import LARGEST_FILE, MOST_FILES, Changeset, TreeFile
from review.errors import TryAgain

LISTING = Bounds(output=128_000_000)
"""Of the list of all files: enough for a million."""


@dataclass(frozen=True)
class GitTree:
    """Fulfils review.context.tree.Tree.

    `fetch` brings blobs that are not here yet, all in one fetch; None where there is nothing to fetch from. `held` is
    whatever must live as long as the files are read.
    """

    objects: Objects
    sha: str
    fetch: Callable[[set[str]], Awaitable[None]] | None = None
    held: object = field(default=None, repr=False)

    async def files(self) -> Sequence[TreeFile]:
        ask = ("ls-tree", "-r", "-z", "--full-tree", self.sha)
        with _for_later():
            ended = await self.objects.begun(*ask, bounds=LISTING)
            files = _files(ended.output)
            if (ended.cut or ended.code != 0) and len(files) < MOST_FILES:
                raise understood(ended.words or "The list of files is too long.")
        return files

    async def blobs(self, paths: Sequence[str]) -> Mapping[str, str]:
        wanted = set(paths)
        with _for_later():
            found = await self.objects.lookup(self.sha, wanted)
        return {path: oid for path, (mode, oid) in found.items() if mode in REGULAR and path in wanted}

    async def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        with _for_later():
            missing = await self.objects.missing(blobs)
            if missing and self.fetch is not None:
                await self.fetch(missing)
                missing = await self.objects.missing(missing)
            here = [oid for oid in dict.fromkeys(blobs) if oid not in missing]
            return await self.objects.blobs(here, LARGEST_FILE)

    async def changesets(self, most: int) -> Sequence[Changeset]:
        with _for_later():
            return await history.changesets(self.objects, self.sha, most)

    async def changesets_since(self, sha: str, most: int) -> Sequence[Changeset] | None:
        with _for_later():
            if not await self.objects.is_ancestor(sha, self.sha):
                return None
            return await history.changesets(self.objects, self.sha, most, since=sha)


@contextlib.contextmanager
def _for_later() -> Iterator[None]:
    """What git cannot do just now may pass by itself: another process has started the copy anew, or the host is away."""
    try:
        yield
    except GitFailed as error:
        raise TryAgain(f"The repository could not be read: {error}") from error


def _files(listing: bytes) -> list[TreeFile]:
    """The regular files in the output of `ls-tree`: `MODE KIND ID`, a tab, the path."""
    files = []
    for line in listing[: listing.rfind(b"\0") + 1].decode(errors="surrogateescape").split("\0")[:-1]:
        about, _, path = line.partition("\t")
        mode, _, oid = about.split()
        if mode in REGULAR:
            files.append(TreeFile(path, oid))
            if len(files) == MOST_FILES:
                break
    return files
