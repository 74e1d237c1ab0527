"""A finding: what is wrong, where, how bad, who says so, and what would mend it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst; sorts findings and compares thresholds."""
        return list(Severity).index(self)

    def at_least(self, other: "Severity") -> bool:
        return self.rank <= other.rank


class Category(StrEnum):
    CORRECTNESS = "correctness"
    SECURITY = "security"
    PERFORMANCE = "performance"
    MAINTAINABILITY = "maintainability"
    STYLE = "style"
    TESTS = "tests"
    DOCS = "docs"


class Side(StrEnum):
    """Which half of a diff, in GitHub's words: LEFT is the base, RIGHT the head."""

    LEFT = "LEFT"
    RIGHT = "RIGHT"


@dataclass(frozen=True, slots=True)
class Location:
    """Whole lines of one file, 1-based and inclusive; `path` is relative to the repository's root.

    RIGHT lines are numbered in the head's file, LEFT lines (of deleted code) in the base's.
    """

    path: str
    first_line: int
    last_line: int
    side: Side = Side.RIGHT


class Verdict(StrEnum):
    """What came of trying a suggestion on the head's file."""

    UNTRIED = "untried"
    VERIFIED = "verified"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The text that replaces the lines first_line..last_line of the head's file, as GitHub applies it.

    `replacement` holds whole lines joined with `\\n`, nothing after the last; where the file's lines end with `\\r\\n` each
    keeps its `\\r`, the last one too (an empty string deletes the lines). Before it is verified, any line ends will do.
    It may cover other lines than its finding's location.
    `verdict` is set by `review.verify`; `because` says why a refused one is not shown; `replaced` holds the lines that a
    verified one replaces, each ended with `\\n` alone, so that they can be shown where the file is not at hand.
    """

    first_line: int
    last_line: int
    replacement: str
    verdict: Verdict = Verdict.UNTRIED
    because: str = ""
    replaced: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a change.

    `rule` is stable within its source (`F401`, `B602`, a model's short slug); `source` is the analyzer's or the model
    provider's name; `confidence` runs from 0 to 1; `quote` is the code it speaks of, verbatim; `fingerprint` is the same
    for the same finding on a later push (set by `review.fingerprint`); `twins` are other fingerprints by which it may be
    known again, those of the findings that were merged into it among them.
    """

    rule: str
    location: Location
    severity: Severity
    category: Category
    message: str
    source: str
    confidence: float = 1.0
    quote: str = ""
    suggestion: Suggestion | None = None
    fingerprint: str = ""
    help_url: str = ""
    also: tuple[str, ...] = field(default=())
    """`source:rule` of the findings that were merged into this one."""
    twins: tuple[str, ...] = ()
    cites: tuple[Location, ...] = ()
    """The places outside of the change that it depends on, as they stand in the base."""

    @property
    def path(self) -> str:
        return self.location.path

    @property
    def verified_suggestion(self) -> Suggestion | None:
        """The suggestion where it was tried and holds: no other is ever shown."""
        suggestion = self.suggestion
        return suggestion if suggestion is not None and suggestion.verdict is Verdict.VERIFIED else None

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Its own fingerprint and its twins': a finding was told before when any of them was."""
        return (self.fingerprint, *self.twins)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Most severe first; then by certainty, path and line, so that the order never depends on chance."""
    return sorted(findings, key=severity_order)


def severity_order(finding: Finding) -> tuple[int, float, str, int, str, str, str]:
    """The key by which findings are sorted worst first."""
    f, place = finding, finding.location
    return f.severity.rank, -f.confidence, place.path, place.first_line, f.rule, f.source, f.message
