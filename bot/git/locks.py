"""Locks between processes (flock): held by an open file, given back by the kernel when their holders die, however they die."""

import asyncio
import contextlib
import fcntl
import os
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

from review.errors import TryAgain

POLL = (0.01, 0.25)
"""Seconds between two tries: first and longest."""


class Hold:
    """A lock that is held until `release`, or until nobody knows of it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.release = weakref.finalize(self, os.close, descriptor)


def try_lock(path: Path, *, shared: bool = False) -> Hold | None:
    """The lock at once, or None when somebody else has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Hold(descriptor)


async def lock(path: Path, *, shared: bool = False, seconds: float = 300.0) -> Hold:
    """The lock, waited for. Raises TryAgain after that many seconds."""
    wait, until = POLL[0], asyncio.get_running_loop().time() + seconds
    while (hold := try_lock(path, shared=shared)) is None:
        if asyncio.get_running_loop().time() > until:
            raise TryAgain(f"Another process has been working on {path.stem} for {seconds:g} seconds.")
        await asyncio.sleep(wait)
        wait = min(wait * 2, POLL[1])
    return hold


@contextlib.asynccontextmanager
async def locked(path: Path, *, seconds: float = 300.0) -> AsyncIterator[Hold]:
    """Alone with what `path` guards."""
    hold = await lock(path, seconds=seconds)
    try:
        yield hold
    finally:
        hold.release()
