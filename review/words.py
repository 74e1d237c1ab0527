"""Words that all texts for people share: counted things, and what was found in how many files."""

from collections import Counter
from collections.abc import Sequence

from review.finding import Finding, Severity


def count(number: int, noun: str) -> str:
    """`1 file`, `1,200 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def found_in_files(findings: Sequence[Finding], noun: str = "finding") -> str:
    """`3 findings (1 high, 2 medium) in 2 files`."""
    counts = Counter(finding.severity for finding in findings)
    by_severity = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    files = len({finding.path for finding in findings})
    return f"{count(len(findings), noun)} ({by_severity}) in {count(files, 'file')}"
