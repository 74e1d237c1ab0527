"""What retrieval brings: files in the order in which they matter, and the places worth showing, each with why it is there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file that belongs to a change, best first by `score` (comparable within one answer only)."""

    path: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """A run of lines to be shown with a change, as it stands at the base commit; 1-based and inclusive.

    `why` is a clause that goes on after the place: "defines `retry`, which the change uses".
    """

    path: str
    first_line: int
    last_line: int
    symbol: str
    text: str
    why: str
    score: float


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The answer to one Query. `without` names the sources that had nothing to ask (no index, no history, no vectors)."""

    files: tuple[RankedFile, ...] = ()
    places: tuple[Place, ...] = ()
    without: tuple[str, ...] = ()
