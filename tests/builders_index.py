"""Indexes in memory for tests, out of plain dicts of files and lists of what changed together."""

from collections.abc import Mapping, Sequence

from review.context.memory import MemoryIndex
from review.context.parse import parse
from review.context.tree import Changeset


def an_index(files: Mapping[str, str], changesets: Sequence[Sequence[str]] = ()) -> MemoryIndex:
    """An index of these files. `changesets` are the paths of commits, oldest first."""
    index = MemoryIndex()
    for path, text in files.items():
        index.put(path, f"blob of {text}", parse(path, text.encode()))
    index.remember([Changeset(f"{number:040}", number, tuple(paths)) for number, paths in enumerate(changesets)][::-1])
    return index
