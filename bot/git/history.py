"""What the commits of a history touched: one walk through its trees, which needs no file's contents."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.git.errors import NoSuchCommit, understood
from bot.git.objects import Objects
from bot.git.process import Bounds
from review.context.tree import Changeset

BOUNDS = Bounds(seconds=20.0, output=32_000_000)
"""Of the walk: what came until one is met counts."""

MOST_PATHS = 60
"""A commit that touches more files (a rename of everything, new licence headers) does not say that they belong together."""

LATEST = 253_402_300_799
"""The end of the year 9999: a commit may carry any date."""

LOG = ("-c", "log.showRoot=false", "log", "--no-merges", "--no-renames", "--no-show-signature", "--name-only", "-z")
"""Without roots: a first commit says nothing about its files, nor does one whose parents a shallow copy lacks."""

HEADER = re.compile(r"/([0-9a-f]{40,64}) (\d*)")
"""No path begins with a slash."""


async def changesets(objects: Objects, tip: str, most: int, since: str | None = None) -> list[Changeset]:
    """What the newest `most` commits touched that lead to `tip` (not to `since`), newest first; merges are left out.

    Commits of more than MOST_PATHS files count, but are left out too. Raises GitFailed when the tip is not here.
    """
    ends = (tip, "--not", since) if since else (tip,)
    ended = await objects.begun(*LOG, f"--max-count={most}", "--format=/%H %ct", *ends, "--", bounds=BOUNDS)
    if ended.code != 0 and not ended.cut and not await _walkable(objects, tip):
        raise understood(ended.words)
    whole = ended.output[: ended.output.rfind(b"\0") + 1]
    found = list(_parsed(whole.decode(errors="surrogateescape").split("\0")[:-1]))
    complete = found[:-1] if ended.cut else found
    return [one for one in complete if 0 < len(one.paths) <= MOST_PATHS]


async def _walkable(objects: Objects, tip: str) -> bool:
    """Whether the walk only ended where the trees of a partial clone end; then what came is all that there is."""
    try:
        await objects.commits(tip)
    except NoSuchCommit:
        return False
    return True


def _parsed(words: Sequence[str]) -> Iterator[Changeset]:
    """The changesets in the output of LOG: `/SHA DATE`, then (a line end before the first one) the paths."""
    current: Changeset | None = None
    paths: list[str] = []
    for word in words:
        if header := HEADER.fullmatch(word):
            if current is not None:
                yield replace(current, paths=tuple(paths))
            current, paths = Changeset(header[1], min(int(header[2] or 0), LATEST), ()), []
        elif word:
            paths.append(word if paths else word.removeprefix("\n"))
    if current is not None:
        yield replace(current, paths=tuple(paths))
