"""200,000 files: indexed in the time and the memory that a worker has, and what is beyond them is said."""

import resource
from collections.abc import Iterator

import pytest

from handlers.indexing.index import Indexed
from handlers.indexing.work import Paused
from review.context.tree import MOST_FILES
from tests.builders import git
from tests.handlers.indexing.conftest import Shop, shop

pytestmark = pytest.mark.slow

__all__ = ["shop"]


def stream(files: int) -> Iterator[bytes]:
    """A commit of so many files, each its own, as git's fast-import reads it."""
    yield b"commit refs/heads/main\nmark :1\ncommitter A <a@example.com> 1760000000 +0000\ndata 5\nLarge\ndeleteall\n"
    for n in range(files):
        data = b"def work_%d(value):\n    return value + %d\n" % (n, n)
        yield b"M 100644 inline part%d/file%d.py\ndata %d\n%s\n" % (n // 500, n, len(data), data)


async def test_more_files_than_are_looked_at(shop: Shop) -> None:
    git(shop.path, "fast-import", "--quiet", "--force", stdin=b"".join(stream(MOST_FILES + 10)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    indexed = await until_done(shop)
    assert indexed.state.files == MOST_FILES
    assert f"Only the first {MOST_FILES:,} files were looked at." in str(indexed)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    assert grown < 400, f"{grown:.0f} MB"


async def until_done(shop: Shop) -> Indexed:
    """As often as a job would be put again."""
    for _ in range(5):
        try:
            return await shop.index()
        except Paused:
            continue
    raise AssertionError("never done")
