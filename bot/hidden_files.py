"""Questions with known answers out of a repository's history: a commit without one of its files, at the commit before it."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.git.history import changesets
from bot.git.objects import Objects
from bot.git.tree import GitTree
from review.context.languages import language_of, languages
from review.context.source_files import why_not_indexed
from review.context.tree import LARGEST_FILE, Changeset, TreeFile
from review.diff import Diff
from review.parse_diff import parse_diff

FEWEST, MOST = 2, 6
"""Source files that a fitting commit changes."""

NEWEST = 4_000
"""Commits, merges not counted, among which fitting ones are looked for."""

HISTORY = 12_000
"""Commits whose paths are read for all questions together."""

HEADER = re.compile(r"/([0-9a-f]{40,64}) ([0-9a-f]{40,64})")
LOG = ("log", "--no-merges", "--no-renames", "--raw", "-z", "--no-abbrev", f"--max-count={NEWEST}", "--format=/%H %P")
UPDATED = "M"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that fits: its only parent, and by path the source files that it changes with git's letter for how."""

    sha: str
    parent: str
    changes: Mapping[str, str]

    @property
    def hidden(self) -> str:
        """The file that is to be found, always the same one: chosen by the commit's id among those that were there before."""
        there = sorted(path for path, letter in self.changes.items() if letter == UPDATED)
        return there[zlib.crc32(self.sha.encode()) % len(there)]


@dataclass(frozen=True, slots=True)
class HiddenFile:
    """One question: the change without the hidden file, its other files at the base, and the tree that they stand in."""

    commit: Commit
    diff: Diff
    base: Mapping[str, bytes]
    tree: "TreeBefore"


@dataclass(frozen=True, slots=True)
class TreeBefore:
    """The tree of a commit's parent. Its history comes out of one walk for all questions, which is what takes long."""

    git: GitTree
    history: Mapping[str, Changeset]

    @property
    def sha(self) -> str:
        """See Tree."""
        return self.git.sha

    async def files(self) -> Sequence[TreeFile]:
        """See Tree."""
        return await self.git.files()

    async def blobs(self, paths: Sequence[str]) -> Mapping[str, str]:
        """See Tree."""
        return await self.git.blobs(paths)

    async def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """See Tree."""
        return await self.git.read(blobs)

    async def changesets(self, most: int) -> Sequence[Changeset]:
        """See Tree."""
        listed = await self.git.objects.git("rev-list", "--no-merges", f"--max-count={most}", self.sha)
        return [self.history[sha] for sha in listed.decode().split() if sha in self.history]

    async def changesets_since(self, sha: str, most: int) -> Sequence[Changeset] | None:
        """See Tree."""
        return await self.git.changesets_since(sha, most)


async def fitting_commits(objects: Objects, tip: str, most: int) -> list[Commit]:
    """Commits that change two to six source files, one of which was there before; spread over the history, oldest first."""
    output = await objects.git(*LOG, tip)
    fitting = list(_fitting(output.decode(errors="surrogateescape").split("\0")))
    chosen = fitting if len(fitting) <= most else [fitting[at * len(fitting) // most] for at in range(most)]
    return chosen[::-1]


async def all_changesets(objects: Objects, tip: str) -> Mapping[str, Changeset]:
    """What each commit up to the tip touched, by its id."""
    return {one.sha: one for one in await changesets(objects, tip, HISTORY)}


async def hide_file(objects: Objects, commit: Commit, history: Mapping[str, Changeset]) -> HiddenFile:
    """The question that this commit makes. Raises GitFailed when its files are not here."""
    tree = TreeBefore(GitTree(objects, commit.parent), history)
    whole = parse_diff(await objects.diff(commit.parent, commit.sha))
    shown = [file for file in whole.files if file.path in commit.changes and file.path != commit.hidden]
    paths = [file.previous_path or file.path for file in shown]
    blobs = await tree.blobs(paths)
    contents = await objects.blobs(sorted(set(blobs.values())), LARGEST_FILE)
    base = {path: contents[blob] for path, blob in blobs.items() if blob in contents}
    return HiddenFile(commit, Diff(tuple(shown)), base, tree)


def _fitting(fields: Sequence[str]) -> Iterator[Commit]:
    for sha, parent, changes in _commits(fields):
        source = {path: letter for path, letter in changes.items() if is_source(path)}
        if FEWEST <= len(source) <= MOST and UPDATED in source.values():
            yield Commit(sha, parent, source)


def _commits(fields: Sequence[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each commit of LOG's output that has one parent: `/SHA PARENT`, then `:MODES IDS LETTER` and the path by turns."""
    sha = parent = letter = ""
    changes: dict[str, str] = {}
    for word in fields:
        field = word.lstrip("\n")
        if header := HEADER.fullmatch(field):
            if sha:
                yield sha, parent, changes
            sha, parent, changes = header[1], header[2], {}
        elif field.startswith(":"):
            letter = field.rpartition(" ")[2]
        elif field and letter:
            changes[word], letter = letter, ""
        elif field.startswith("/"):
            if sha:
                yield sha, parent, changes
            sha = ""
    if sha:
        yield sha, parent, changes


def is_source(path: str) -> bool:
    """Whether the file is code that is indexed, of a language whose definitions are known."""
    known = languages().get(language_of(path))
    return known is not None and bool(known.kinds) and not why_not_indexed(path)
