"""The cached repositories of one machine: DATA_DIR/repositories/<host>/<id>.git, least recently used removed first.

`<id>.git` serves the reviews, `<id>-branch.git` the index of the default branch, `<id>-commit.git` analyses of a ref.

Beside each directory stand two empty-looking files that are never removed: `<id>.use`, locked by whoever reads (shared) or
removes (alone), its time the last use and its text the size; and `<id>.write`, locked by the one who fetches.
"""

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.git.locks import Hold, lock, try_lock

MOST_BYTES = 10_000_000_000
MOST_PACKS = 150
"""A copy with more packs than this is slow to search: it is started anew, which costs one cold fetch."""

HALF_DONE = 3600
"""Seconds after which a folder under a temporary name is nobody's work any more."""

CONFIGURATION = """\
[core]
\trepositoryformatversion = 1
\tbare = true
[extensions]
\tpartialClone = origin
[remote "origin"]
\tpromisor = true
\tpartialclonefilter = blob:none
"""
"""Without address and token: both come with each fetch."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one repository is kept."""

    path: Path

    @property
    def use_lock(self) -> Path:
        return self.path.with_suffix(".use")

    @property
    def write_lock(self) -> Path:
        return self.path.with_suffix(".write")

    @property
    def packs(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return sum(entry.name.endswith(".pack") for entry in os.scandir(self.path / "objects" / "pack"))
        return 0

    def prepare(self) -> None:
        """Make the empty repository where there is none. Only under the write lock."""
        if (self.path / "config").is_file():
            return
        self.remove()
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=self.path.parent))
        for folder in ("objects/pack", "objects/info", "refs/heads"):
            (new / folder).mkdir(parents=True)
        (new / "HEAD").write_text("ref: refs/heads/none\n")
        (new / "config").write_text(CONFIGURATION)
        new.rename(self.path)

    def sweep(self) -> None:
        """Remove what a killed git left behind: lock files and half packs. Only under the write lock."""
        for folder, _, names in os.walk(self.path):
            for name in names:
                if name.endswith(".lock") or name.startswith("tmp_"):
                    (Path(folder) / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the directory away at once, then delete it. A reader that still uses it fails, and tries again."""
        with contextlib.suppress(FileNotFoundError):
            trash = Path(tempfile.mkdtemp(prefix=".trash-", dir=self.path.parent))
            with contextlib.suppress(FileNotFoundError):
                self.path.rename(trash / "old")
            shutil.rmtree(trash, ignore_errors=True)

    def used(self, size: int | None = None) -> None:
        """Remember that this repository was used now, and how many bytes it has."""
        if size is not None:
            self.use_lock.write_text(str(size))
        os.utime(self.use_lock)

    def measured(self) -> int:
        """The bytes of all its files."""
        size = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    size += (Path(folder) / name).stat().st_size
        return size


class Repositories:
    """All cached repositories under `folder`, together at most `most_bytes` (those in use are never removed)."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    def place(self, host: str, repository_id: int, copy: str = "") -> Place:
        """`host` is a name with or without a port; the id is the host's own and survives renames.

        `copy` names another copy of the same repository, which is fetched into on its own.
        """
        folder = self.folder / (re.sub(r"[^A-Za-z0-9.-]", "_", host).lstrip(".") or "_")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # private code of all tenants
        folder.mkdir(exist_ok=True)
        return Place(folder / f"{repository_id}{copy and '-'}{copy}.git")

    async def in_use(self, place: Place) -> Hold:
        """A hold that keeps the repository from being removed. Started anew first where it has too many packs."""
        if place.packs > MOST_PACKS and (alone := try_lock(place.use_lock)) is not None:
            await asyncio.to_thread(place.remove)
            alone.release()
        hold = await lock(place.use_lock, shared=True)
        place.used()
        return hold

    async def trim(self, place: Place) -> None:
        """Measure `place` after a fetch, then remove the least recently used ones until all fit."""
        await asyncio.to_thread(self._trim, place)

    def _trim(self, place: Place) -> None:
        place.used(place.measured())
        self._clear_trash()
        known = sorted(self._known(), key=lambda found: found[0])
        total = sum(size for _, size, _ in known)
        for _, size, other in known:
            if total <= self.most_bytes:
                return
            alone = try_lock(other.use_lock)
            if alone is not None:
                other.remove()
                alone.release()
                total -= size

    def _clear_trash(self) -> None:
        """Delete what a process that died in `prepare` or `remove` left half done."""
        for half in (*self.folder.glob("*/.trash-*"), *self.folder.glob("*/.new-*")):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - half.stat().st_mtime > HALF_DONE:
                    shutil.rmtree(half, ignore_errors=True)

    def _known(self) -> Iterator[tuple[float, int, Place]]:
        """Last use, size and place of each repository."""
        for use_lock in self.folder.glob("*/*.use"):
            place = Place(use_lock.with_suffix(".git"))
            if place.path.is_dir():
                text = use_lock.read_text()
                yield use_lock.stat().st_mtime, int(text) if text.isdigit() else place.measured(), place
