"""Checkout on git: files of both ends of a change, read out of the object store. Nothing is ever written to a work tree."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.git.errors import GitFailed
from bot.git.objects import REGULAR, SYMLINK, Entry, Objects
from review.change import End
from review.errors import TryAgain

LARGEST_FILE = 1_000_000
"""Bytes of a file that is still read."""


@dataclass(frozen=True)
class GitCheckout:
    """Fulfils review.change.Checkout.

    `commits` are the two ends, `entries` what differs between them. `fetch` brings blobs that are not here yet, all in one
    fetch; None where there is nothing to fetch from. `held` is whatever must live as long as the files are read.
    """

    objects: Objects
    commits: Mapping[End, str]
    entries: Mapping[str, Entry]
    fetch: Callable[[set[str]], Awaitable[None]] | None = None
    held: object = field(default=None, repr=False)
    largest: int = LARGEST_FILE

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        try:
            oids = await self._oids(end, dict.fromkeys(paths))
            contents = await self.objects.blobs(list(oids.values()), self.largest)
        except GitFailed as error:
            raise TryAgain(f"Files could not be read: {error}") from error
        return {path: contents[oid] for path, oid in oids.items() if oid in contents}

    async def _oids(self, end: End, paths: Mapping[str, None]) -> dict[str, str]:
        """The blob of each path that is a regular file at that end, present here."""
        found = {path: at for path in paths if (at := self._changed(end, path))}
        others = [path for path in paths if path not in found]
        if others:
            found |= await self.objects.lookup(self.commits[end], others)
        oids = {path: oid for path, (mode, oid) in found.items() if mode in REGULAR and path in paths}
        missing = await self.objects.missing(oids[path] for path in others if path in oids) if others else set()
        if missing and self.fetch is not None:
            await self.fetch(missing)
            missing = set()
        return {path: oid for path, oid in oids.items() if oid not in missing}

    def _changed(self, end: End, path: str) -> tuple[str, str] | None:
        """Mode and blob of a path that the change touches; None for any other."""
        entry = self.entries.get(path)
        if entry is None:
            return None
        return (entry.old_mode, entry.old_id) if end is End.BASE else (entry.new_mode, entry.new_id)


def needed_blobs(entries: Sequence[Entry]) -> set[str]:
    """Every blob that a diff of these entries looks into: files and symbolic links, not submodules."""
    sides = [(entry.old_mode, entry.old_id) for entry in entries] + [(entry.new_mode, entry.new_id) for entry in entries]
    return {oid for mode, oid in sides if mode in REGULAR or mode == SYMLINK}
