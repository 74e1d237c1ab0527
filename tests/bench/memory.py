"""The most memory that a process and its children take together."""

import threading
from types import TracebackType

from tests.process_tree import memory, tree


class Peak:
    """Watches from a thread until the block ends; `bytes` is the most that was seen, by PSS: shared pages count once."""

    def __init__(self, pid: int, *, every: float) -> None:
        self.bytes = 0
        self._pid = pid
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self.bytes = max(self.bytes, memory(tree(self._pid)))
