"""The form of every report, and what it is given: an analysis, and what is known of its occasion and its outcome."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from review.analysis import Analysis
from review.diff import Diff
from review.finding import Finding


@dataclass(frozen=True, slots=True)
class Reported:
    """What a report tells of. Everything in it may have been written by a stranger.

    `diff` is the change where it is at hand; of an analysis that was kept it is empty, and deleted code then has no place in
    the head. `title` is what people call the analysis, `subject` what was looked at (`octo/hello#7`, `upload 3`). `issues` are
    the names of the findings, in their order (`security-001`), where they have any; `score` and `metrics` are what
    `review.score` gives.
    """

    analysis: Analysis
    diff: Diff = field(default_factory=Diff)
    title: str = ""
    subject: str = ""
    finished_at: datetime | None = None
    issues: tuple[str, ...] = ()
    score: float | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def findings(self) -> Iterator[tuple[str, Finding]]:
        """Each finding with its name, worst first."""
        return zip(self.issues or ("",) * len(self.analysis.findings), self.analysis.findings, strict=True)


class Report(Protocol):
    """One format. Stateless."""

    name: str
    """What `--format` and `?format=` call it."""
    media_type: str
    ending: str
    """Of its file's name."""

    def write(self, reported: Reported) -> bytes:
        """The whole document. Raises UserError where it cannot be made within its bounds."""
        ...
