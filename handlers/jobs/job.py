"""The form of every job: a Context and the arguments of its delivery in, the outcome as a sentence out."""

from collections.abc import Mapping
from typing import Any, Protocol

from handlers.context import Context


class Job(Protocol):
    """Does one thing. May be done twice (a process died, an answer was lost): the second time must do no harm."""

    async def __call__(self, context: Context, arguments: Mapping[str, Any], /) -> str:
        """The outcome. Raises Superseded (it lost its point), TryAgain, or UserError, Gone, Rejected for good."""
        ...
