"""The form of every report: what came of looking at a change, as a document for people or for other programs."""

from typing import Protocol

from review.analysis import Analysis
from review.diff import Diff


class Report(Protocol):
    """One format. Stateless."""

    name: str
    """What `--format` calls it."""

    def write(self, analysis: Analysis, diff: Diff) -> bytes:
        """The whole document. Everything in the analysis may have been written by a stranger."""
        ...
