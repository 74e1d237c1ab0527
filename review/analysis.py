"""What came of looking at a change: findings, coverage, cost, and what was left out and why."""

from dataclasses import dataclass, field

from review.finding import Finding


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, or not wholly, and why (`generated`, `binary`, `larger than 1 MB` …)."""

    path: str
    because: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A finding that is not posted, and why. Kept in the record, counted in the review."""

    finding: Finding
    because: str


@dataclass(frozen=True, slots=True)
class Usage:
    """One call to a model, retries included. Tokens as the provider counted them; `seconds` of wall time."""

    provider: str
    model: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    ok: bool = True
    error: str = ""


@dataclass(frozen=True, slots=True)
class ContextPlace:
    """A place outside of the change that a model was shown with a part of it: base's lines, 1-based and inclusive.

    `piece` counts the parts from 1; `why` is the reason that it was brought for; `cited`: a finding depends on it, `posted`:
    one that is in the analysis' findings.
    """

    path: str
    first_line: int
    last_line: int
    symbol: str
    why: str
    tokens: int
    piece: int
    cited: bool = False
    posted: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """The engine's whole answer about one head.

    `findings` are worst first, each with a fingerprint and at most one verified suggestion; `read` are the paths that were
    looked at; `analyzers` and `models` name who looked; `notes` are sentences for the review (an analyzer that failed,
    an unknown key in the rules, no model answered); `timings` are seconds by step.
    """

    head_sha: str
    findings: tuple[Finding, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    read: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    analyzers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    usage: tuple[Usage, ...] = ()
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    context: tuple[ContextPlace, ...] = ()
    """What the models were shown of the code beyond the change."""
    no_context: str = ""
    """Why they were shown none of it, or not for all parts, where something was in the way; never a reason to be `partial`."""
    changed_lines: int = 0
    partial: bool = False
    """Something that should have looked did not (a model or analyzer failed, a budget ended): not a clean answer."""
