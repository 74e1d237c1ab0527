"""What every report for people says in the same words: what was found, where, and what was looked at."""

from collections import Counter

from review.analysis import Analysis
from review.finding import Finding, Side
from review.reports.report import Reported
from review.words import count, found_in_files

MOST_LISTED = 30
"""Paths that are listed one by one for one reason."""


def found(analysis: Analysis) -> str:
    """`3 findings (1 high, 2 medium) in 2 files`, or that there is nothing to report."""
    if not analysis.findings:
        return "nothing to report" if analysis.read else "nothing that can be reviewed"
    return found_in_files(analysis.findings)


def incomplete() -> str:
    """The warning over an analysis that is `partial`."""
    return "This review is not complete: see the coverage below."


def place(finding: Finding) -> str:
    """`path:line`, as editors and terminals take it; deleted lines are numbered in the base, and it says so."""
    deleted = " (deleted)" if finding.location.side is Side.LEFT else ""
    return f"{finding.path}:{finding.location.first_line}{deleted}"


def measured(reported: Reported) -> list[tuple[str, str]]:
    """The score and the metrics by what people call them; none of those that are not known. `docs/score.md` explains them."""
    metrics = reported.metrics
    known = [
        ("Score", reported.score, "{:g} of 100"),
        ("Lines of code", metrics.get("lines_of_code"), "{:,}"),
        ("Mean complexity of a function", metrics.get("complexity"), "{:g}"),
        ("Highest complexity of a function", metrics.get("highest_complexity"), "{:,}"),
        ("Maintainability index", metrics.get("maintainability"), "{:g} of 100"),
    ]
    return [(name, form.format(value)) for name, value, form in known if value is not None]


def coverage(analysis: Analysis) -> list[str]:
    """Sentences about what was read and by whom, and what was not and why."""
    skipped: dict[str, list[str]] = {}
    for item in analysis.skipped:
        skipped.setdefault(item.because, []).append(item.path)
    dropped = Counter(item.because for item in analysis.dropped)
    left_out = ", ".join(f"{number} ({because})" for because, number in sorted(dropped.items()))
    return [
        f"Read: {count(len(analysis.read), 'file')}, {count(analysis.changed_lines, 'changed line')}.",
        f"Analyzers: {', '.join(analysis.analyzers) or 'none'}. Models: {', '.join(analysis.models) or 'none'}.",
        *analysis.notes,
        *(f"Not read ({because}): {_some(paths)}." for because, paths in skipped.items()),
        *([f"Not reported: {left_out}."] if left_out else []),
    ]


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - MOST_LISTED:,} more" if len(paths) > MOST_LISTED else ""
    return ", ".join(paths[:MOST_LISTED]) + more
