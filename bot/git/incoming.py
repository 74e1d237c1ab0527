"""Bring objects from the host into one cached repository: what a ref leads to, lone blobs, the files of a whole commit."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.git.errors import GitTooMuch, understood
from bot.git.locks import Hold, locked
from bot.git.objects import Objects
from bot.git.process import Bounds, run
from bot.git.safety import Remote, git_program, online_environment
from review.context.tree import LARGEST_FILE

ALL_HISTORY = 2_147_483_647
"""A depth that means all (git's own number)."""

MOST_BLOBS = 40_000
FEW = 300
"""Blobs of a commit that are asked for one by one; whoever wants more gets all of its files, by one short question."""

FEW_BYTES = 200_000_000
"""What blobs asked for one by one may weigh: nobody knows how large they are before they come."""

FETCH = (
    "fetch", "--quiet", "--force", "--no-tags", "--no-auto-maintenance", "--no-write-fetch-head", "--no-recurse-submodules",
)  # fmt: skip
NO_BLOBS = "--filter=blob:none"
NO_LARGE_BLOBS = f"--filter=blob:limit={LARGEST_FILE + 1}"
NO_NEGOTIATION = {"fetch.negotiationAlgorithm": "noop"}


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetches into one repository, under its write lock, which git itself keeps too: it may outlive this process."""

    objects: Objects
    remote: Remote
    bounds: Bounds
    writing: Hold

    async def refs(self, depth: int, *refspecs: str) -> None:
        """Bring the commits and trees that these lead to, so many generations of them, where not all are here already.

        A depth is always given. Without one, git takes a proxy's page for an old server that has no branches at all.
        """
        await self._run(NO_BLOBS, f"--depth={ALL_HISTORY if self.complete() else depth}", "origin", *refspecs)

    async def blobs(self, oids: Iterable[str]) -> None:
        """Bring those of the blobs that are missing, in one fetch without negotiation."""
        missing = await self.objects.missing(oids)
        if len(missing) > MOST_BLOBS:
            raise GitTooMuch(f"The change touches more than {MOST_BLOBS:,} files' contents.")
        if missing:
            await self._run(NO_BLOBS, "--stdin", "origin", wanted=missing, settings=NO_NEGOTIATION)

    async def files(self, commit: str) -> None:
        """Bring all files of that commit anew, those left out that are larger than LARGEST_FILE."""
        tree = (await self.objects.git("rev-parse", "--verify", f"{commit}^{{tree}}")).decode().strip()
        await self._run(NO_LARGE_BLOBS, "--refetch", "--stdin", "origin", wanted=[tree])

    async def _run(self, *arguments: str, wanted: Iterable[str] = (), settings: dict[str, str] | None = None) -> None:
        command = [git_program(), f"--git-dir={self.objects.path}", *FETCH, *arguments]
        environment = online_environment(self.remote, settings)
        given = "".join(f"{oid}\n" for oid in wanted).encode()
        ended = await run(command, environment, self.bounds, given, held=(self.writing.descriptor,))
        if ended.code != 0:
            raise understood(self.remote.redacted(ended.words) or f"git fetch ended with {ended.code}")

    def complete(self) -> bool:
        """Whether all history is here already, so that only what is new needs asking for."""
        return not self.shallow() and (self.objects.path / "refs" / "refactoriq").is_dir()

    def shallow(self) -> set[str]:
        """The commits whose parents were not fetched."""
        with contextlib.suppress(FileNotFoundError):
            return set((self.objects.path / "shallow").read_text().split())
        return set()


@dataclass(frozen=True, slots=True)
class Later:
    """Fetches blobs that turn out to be wanted after a commit was fetched."""

    write_lock: Path
    objects: Objects
    remote: Remote
    bounds: Bounds

    async def fetch(self, oids: set[str]) -> None:
        """All of them in one fetch."""
        async with locked(self.write_lock) as writing:
            await Fetch(self.objects, self.remote, self.bounds, writing).blobs(oids)


class FilesLater:
    """Fetches the files of one commit when they are read: few by their ids; then all that are small enough, once.

    So it takes few fetches to read everything, in however small portions that is done.
    """

    def __init__(self, later: Later, commit: str) -> None:
        self._later = later
        self._commit = commit
        self._asked = 0
        self._all_here = False

    async def fetch(self, oids: set[str]) -> None:
        """These blobs, except such as are too large to be read anyway."""
        later = self._later
        async with locked(later.write_lock) as writing:
            if self._all_here:
                return
            missing = await later.objects.missing(oids)
            self._asked += len(missing)
            if self._asked <= FEW:
                bounds = Bounds(later.bounds.seconds, file_bytes=min(FEW_BYTES, later.bounds.file_bytes or FEW_BYTES))
                with contextlib.suppress(GitTooMuch):
                    await Fetch(later.objects, later.remote, bounds, writing).blobs(missing)
                    return
            await Fetch(later.objects, later.remote, later.bounds, writing).files(self._commit)
            self._all_here = True
