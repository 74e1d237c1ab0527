"""A change under review: what is different, and a way to read its files at both ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from review.context.tree import Tree
from review.diff import Diff


class End(StrEnum):
    """Which end of the change: BASE is the merge base that the diff starts from, HEAD the newest commit."""

    BASE = "base"
    HEAD = "head"


class Checkout(Protocol):
    """Reads files of a change without running or following anything in it."""

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of those paths that are regular files at that end and within the size bound; others are absent.

        Raises TryAgain when the files cannot be reached just now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """Everything the engine is given. `unread` are sentences about what could not be had at all (for the coverage).

    `tree` is the whole base commit, to look around in; None where only the changed files can be read.
    """

    diff: Diff
    checkout: Checkout
    base_sha: str
    head_sha: str
    title: str = ""
    description: str = ""
    unread: tuple[str, ...] = ()
    tree: Tree | None = None
