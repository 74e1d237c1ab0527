"""How far a review has come: a percentage that only rises, and a few words for whoever waits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

FETCHING, READING, ANALYZERS, MODELS, VERIFYING, KEEPING, DONE = 0, 5, 10, 35, 85, 95, 100
"""The percentage at which each step of an analysis begins. Fetching and keeping are not the reviewer's own."""


class Progress(Protocol):
    """Told of each step: how much of the whole is done (0 to 100), and what is done now. Must return at once: it is told of
    every single file."""

    def __call__(self, percent: int, message: str) -> None: ...


def untold(percent: int, message: str) -> None:
    """Nobody waits."""


Looking = Callable[[float, str], None]
"""Told within a step: how much of it is done (0 to 1), and the path of the file that is looked at now."""


def unseen(share: float, path: str) -> None:
    """Nobody waits for these files."""


@dataclass(slots=True)
class Rising:
    """The progress of one work. Never goes back: what is done side by side may end in any order."""

    tell: Progress
    percent: int = field(default=0, init=False)

    def reached(self, percent: float, message: str) -> None:
        """So much is done by now, as far as it is more than before."""
        self.percent = max(self.percent, min(int(percent), DONE))
        self.tell(self.percent, message)

    def files(self, start: int, end: int) -> Looking:
        """For the step between these two percentages."""
        return lambda share, path: self.reached(start + (end - start) * share, f"Analyzing {path}...")
