"""What an event may decide: put a job, note something, or ignore the delivery. Deciding needs no network."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from handlers.delivery import Delivery


@dataclass(frozen=True, slots=True)
class PutJob:
    """Work to be done by a worker: `kind` names it in the table of jobs, `arguments` are plain JSON."""

    kind: str
    arguments: dict[str, Any]
    queue: Literal["high", "default", "low"] = "default"


@dataclass(frozen=True, slots=True)
class Noted:
    """Nothing to do, but worth knowing: other jobs look it up. `because` is a sentence."""

    because: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do, ever. `because` is a sentence, and is kept with the delivery."""

    because: str


Decision = PutJob | Noted | Ignored


class Event(Protocol):
    """A function from a delivery of one event to what shall be done about it."""

    def __call__(self, delivery: Delivery, /) -> Decision: ...
