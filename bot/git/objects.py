"""Read what a git directory holds: commits, diffs, trees, blobs. Only plumbing commands, and never over the network."""

import os
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.git.errors import GitTooMuch, NoSuchCommit, understood
from bot.git.process import Bounds, Ended, run
from bot.git.safety import git_program, offline_environment

OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
REGULAR = frozenset({"100644", "100755"})
SYMLINK = "120000"
ABSENT = "000000"

SECONDS = 60.0
"""How long one reading command may take."""

LONGEST_DIFF = 60_000_000
"""Bytes of a diff; beyond, nothing of it is read."""

MOST_ENTRIES = 40_000
"""Files of one change: more than anybody reviews, and each costs memory in every step."""

MOST_AT_ONCE = 128_000_000
"""Bytes of all files of one reading together."""

ARGUMENTS = 60_000
"""Bytes of paths in one argument list: far below any system's limit."""

LONGEST_PATH = 4_096
"""Bytes of a path that is looked up: no file system knows a longer one."""

DIFF = (
    "diff-tree", "-r", "-p", "-M", "-U3", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative",
    "--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=none",
)  # fmt: skip
"""As GitHub compares: three lines of context, renames found, submodules as their commit."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path that differs between two trees: its mode and blob at both ends (mode ABSENT where it is not)."""

    path: str
    old_mode: str
    new_mode: str
    old_id: str
    new_id: str


@dataclass(frozen=True, slots=True)
class Objects:
    """A bare git directory, as something to read from."""

    path: Path

    async def git(self, *arguments: str, given: bytes = b"", output: int = LONGEST_DIFF, fine: Container[int] = (0,)) -> bytes:
        """The output of one git command. Raises a kind of GitFailed when it ends with a code that is not `fine`."""
        ended = await self._run(arguments, Bounds(SECONDS, output), given)
        if ended.code not in fine:
            raise understood(ended.words or f"git {arguments[0]} ended with {ended.code}")
        return ended.output

    async def begun(self, *arguments: str, bounds: Bounds) -> Ended:
        """What one git command wrote until it ended, or met a bound. Raises nothing, however it ended."""
        return await self._run(arguments, bounds, partly=True)

    async def _run(self, arguments: Sequence[str], bounds: Bounds, given: bytes = b"", *, partly: bool = False) -> Ended:
        command = [git_program(), f"--git-dir={self.path}", *arguments]
        return await run(command, offline_environment(), bounds, given, partly=partly)

    async def commits(self, *revisions: str) -> list[str]:
        """The full id of the commit behind each revision. Raises NoSuchCommit, and GitFailed where it cannot be read."""
        found = []
        for revision in revisions:
            ask = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
            sha = (await self.git(*ask, fine=(0, 1))).decode().strip()
            if not OBJECT_ID.fullmatch(sha):  # nothing; or several, for a range
                raise NoSuchCommit(f"there is no commit {revision}")
            found.append(sha)
        return found

    async def merge_bases(self, one: str, other: str) -> list[str]:
        """The best common ancestors, best first; none where the histories have nothing in common."""
        return (await self.git("merge-base", "--all", one, other, fine=(0, 1))).decode().split()

    async def is_ancestor(self, old: str, new: str) -> bool:
        """Whether the history of `new`, as far as it is here, contains `old`."""
        if await self.missing([old]):
            return False
        return old in await self.merge_bases(old, new)

    async def between(self, one: str, other: str) -> set[str]:
        """The commits reachable from exactly one of the two."""
        return set((await self.git("rev-list", f"{one}...{other}")).decode().split())

    async def entries(self, base: str, head: str) -> list[Entry]:
        """Every path that differs, without looking for renames: no blob is needed for it. Raises GitTooMuch beyond 40,000."""
        output = await self.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", base, head)
        if output.count(b"\0") // 2 > MOST_ENTRIES:
            raise GitTooMuch(f"The change touches more than {MOST_ENTRIES:,} files.")
        fields = output.decode(errors="surrogateescape").split("\0")
        entries = []
        for about, path in zip(fields[0::2], fields[1::2], strict=False):
            old_mode, new_mode, old_id, new_id, _ = about.removeprefix(":").split()
            entries.append(Entry(path, old_mode, new_mode, old_id, new_id))
        return entries

    async def diff(self, base: str, head: str) -> bytes:
        """The unified diff of two commits or trees. Raises GitTooMuch beyond 60 MB."""
        return await self.git(*DIFF, base, head)

    async def blob_at(self, commit: str, path: str) -> str | None:
        """The id of the regular file at `path`, or None."""
        mode, oid = (await self.lookup(commit, [path])).get(path, (ABSENT, ""))
        return oid if mode in REGULAR else None

    async def lookup(self, commit: str, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Mode and object id of those paths that are in the commit's tree."""
        found: dict[str, tuple[str, str]] = {}
        for some in _batches([path for path in paths if _named(path)]):
            output = await self.git("ls-tree", "-z", "--full-tree", commit, "--", *some)
            for line in output.decode(errors="surrogateescape").split("\0")[:-1]:
                about, _, path = line.partition("\t")
                mode, _, oid = about.split()
                found[path] = (mode, oid)
        return found

    async def missing(self, oids: Iterable[str]) -> set[str]:
        """Those objects that are not here."""
        wanted = set(oids)
        if not wanted:
            return wanted
        ask = ("rev-list", "--objects", "--no-walk", "--ignore-missing", "--missing=print", "--stdin")
        output = await self.git(*ask, given=_lines(wanted))
        return wanted - {line.split()[0] for line in output.decode(errors="replace").splitlines() if line.split()}

    async def blobs(self, oids: Sequence[str], largest: int) -> dict[str, bytes]:
        """The contents of those blobs that are at most `largest` bytes long (and together at most 128 MB)."""
        if not oids:
            return {}
        chosen, total = [], 0
        sizes = await self.git("cat-file", "--batch-check", "--buffer", given=_lines(dict.fromkeys(oids)))
        for line in sizes.decode().splitlines():
            oid, kind, *size = line.split()
            if kind == "blob" and int(size[0]) <= largest and total + int(size[0]) <= MOST_AT_ONCE:
                chosen.append(oid)
                total += int(size[0])
        if not chosen:
            return {}
        return _contents(await self.git("cat-file", "--batch", "--buffer", given=_lines(chosen), output=MOST_AT_ONCE * 2))


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()


def _contents(output: bytes) -> dict[str, bytes]:
    """The blobs in the output of `cat-file --batch`: a line `id type size`, the bytes, a newline."""
    found, at = {}, 0
    while at < len(output):
        end = output.index(b"\n", at)
        oid, _, size = output[at:end].split()
        found[oid.decode()] = output[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
    return found


def _named(path: str) -> bool:
    """Whether a path can name something in a tree; a model or a stranger may ask for anything."""
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return 0 < len(raw) <= LONGEST_PATH and b"\0" not in raw and not {b"", b".", b".."} & set(raw.split(b"/"))


def _batches(paths: Sequence[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    size = 0
    for path in paths:
        if batch and size + len(path) > ARGUMENTS:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += len(path) * 4 + 1
    if batch:
        yield batch
