"""The form of every checkup of `refactoriq doctor`: settings in, lines for a person out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.settings import Settings


class State(StrEnum):
    """WRONG means that something will not work; a WARNING is worth a look."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one setting or service: `sentence` says what to do where it is not ok."""

    state: State
    subject: str
    sentence: str


Checkup = Callable[[Settings], Awaitable[list[Line]]]
"""Looks at one part; changes nothing, raises nothing but UserError, whose text is what to do."""


def ok(subject: str, sentence: str) -> Line:
    """It works."""
    return Line(State.OK, subject, sentence)


def warning(subject: str, sentence: str) -> Line:
    """It works, but not as well as it might."""
    return Line(State.WARNING, subject, sentence)


def wrong(subject: str, sentence: str) -> Line:
    """It does not work."""
    return Line(State.WRONG, subject, sentence)
