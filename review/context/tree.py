"""The files and the history of one commit, as an index is made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

LARGEST_FILE = 1_000_000
"""Bytes of a file that is still read."""

MOST_FILES = 200_000
"""Files of one commit that are looked at."""

MOST_HISTORY = 5_000
"""The newest commits of a history that tell what changes together."""


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A regular file; `blob` is git's id of its contents."""

    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class Changeset:
    """What one commit touched; `sha` is its id, `at` its date in seconds since 1970."""

    sha: str
    at: int
    paths: tuple[str, ...]


class Tree(Protocol):
    """One commit. Every method may raise TryAgain when the repository cannot be reached just now."""

    @property
    def sha(self) -> str:
        """The commit's id."""
        ...

    async def files(self) -> Sequence[TreeFile]:
        """All regular files, by path; no contents are fetched for it. As many as MOST_FILES means that there are more."""
        ...

    async def blobs(self, paths: Sequence[str]) -> Mapping[str, str]:
        """The blob of each of these paths that is a regular file; the others are absent."""
        ...

    async def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of those blobs that are not larger than LARGEST_FILE, fetched in one go where they are not here.

        Together at most some 100 MB come back: ask for a few thousand at a time.
        """
        ...

    async def changesets(self, most: int) -> Sequence[Changeset]:
        """What the newest commits up to this one touched, newest first, at most that many; merges are left out.

        As far as the history is here: a shallow copy has little, and that is no error.
        """
        ...

    async def changesets_since(self, sha: str, most: int) -> Sequence[Changeset] | None:
        """Those of `changesets` that came after that commit; None where it is not one of this one's ancestors.

        Then the history was rewritten, or goes back less far than that commit: nothing that was known of it holds.
        """
        ...
