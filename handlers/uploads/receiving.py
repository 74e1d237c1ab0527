"""Receiving: uploads from the request into the object store, with at most two at a time in the processor's hands."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from starlette.requests import Request

from handlers.uploads.bounds import Bounds
from handlers.uploads.receive import receive
from handlers.uploads.spool import Received
from handlers.uploads.unpack import Packed, unpack

AT_ONCE = 2
"""Uploads that are unpacked and packed at the same time in this process; the others wait."""


class Receiving:
    """Takes uploads within these bounds. What is on its way lies in `folder`, in files without a name."""

    def __init__(self, bounds: Bounds, folder: Path) -> None:
        self.bounds = bounds
        self._folder = folder
        self._threads = ThreadPoolExecutor(AT_ONCE, "unpack")

    def body(self, request: Request) -> AbstractAsyncContextManager[Received]:
        """The request's body, until the block ends. Raises Problem."""
        return receive(request, self.bounds, self._folder)

    @asynccontextmanager
    async def packed(self, received: Received) -> AsyncIterator[Packed]:
        """All of it as one zip, until the block ends. Raises Problem."""
        stop = threading.Event()
        work = asyncio.get_running_loop().run_in_executor(self._threads, unpack, received, self.bounds, self._folder, stop)
        try:
            packed = await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([work])  # it still reads from the files that are about to be closed
            if work.exception() is None:
                work.result().file.close()
            raise
        with packed.file:
            yield packed
