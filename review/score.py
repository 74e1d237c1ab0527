"""The score of an analysis, 0 to 100, by the formula that `docs/score.md` publishes: what gets worse never scores better.

A file's score is 100·exp(-penalty / 50). Its penalty is the sum of its findings' weights, and half a point for each branch
by which a function exceeds a cyclomatic complexity of 10. The overall score is the mean over the files that hold code; what
other files lose counts as well. No size, no confidence and no model's opinion goes into it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from review.finding import Finding, Severity
from review.metrics import FileMetrics, Metrics

WEIGHTS: Mapping[Severity, float] = {
    Severity.CRITICAL: 40.0,
    Severity.HIGH: 20.0,
    Severity.MEDIUM: 8.0,
    Severity.LOW: 2.0,
    Severity.INFO: 0.5,
}
SCALE = 50.0
"""The penalty at which a file keeps 37 of its 100 points."""
SIMPLE = 10
"""The cyclomatic complexity that a function may have: McCabe's own bound (1976)."""
FOR_EACH_BRANCH = 0.5
MOST_LISTED = 50
"""Files that are kept with their own score, worst first."""


@dataclass(frozen=True, slots=True)
class Score:
    """`overall` is rounded to a tenth, None where there was neither code nor a finding; `files` are not rounded, by path."""

    overall: float | None
    files: Mapping[str, float]


def score(findings: Iterable[Finding], metrics: Metrics) -> Score:
    """The score of these findings, those that are reported, in files that were measured so.

    A finding in a file that holds no code, or that was not measured, is a loss all the same: what a file lacks to 100 is summed
    over all files and divided by the number of those that hold code, so that no finding ever makes the mean look better.
    """
    penalties = {file.path: [_complexity(file)] for file in metrics.files}
    for finding in findings:
        penalties.setdefault(finding.path, []).append(WEIGHTS[finding.severity])
    files = {path: 100 * math.exp(-math.fsum(given) / SCALE) for path, given in penalties.items()}
    with_code = sum(file.is_code for file in metrics.files)
    lost = math.fsum(100 - points for points in files.values())
    if not with_code and not lost:
        return Score(None, files)
    return Score(round(max(0.0, 100 - lost / max(with_code, 1)), 1), files)


def _complexity(file: FileMetrics) -> float:
    return FOR_EACH_BRANCH * sum(max(0, number - SIMPLE) for number in file.complexities)


def as_record(metrics: Metrics, scored: Score) -> dict[str, Any]:
    """What is kept of both, as plain JSON: the three numbers that the API gives, and the files that score worst."""
    worst = sorted((file for file in metrics.files if file.is_code), key=lambda file: (scored.files[file.path], file.path))
    return {
        "lines_of_code": metrics.lines_of_code,
        "complexity": _rounded(metrics.complexity),
        "highest_complexity": metrics.highest_complexity,
        "maintainability": _rounded(metrics.maintainability),
        "files": len(metrics.files),
        "files_with_code": sum(file.is_code for file in metrics.files),
        "by_lines_only": metrics.by_lines_only,
        "worst_files": [_listed(file, scored) for file in worst[:MOST_LISTED] if scored.files[file.path] < 100],
    }


def _listed(file: FileMetrics, scored: Score) -> dict[str, Any]:
    return {
        "path": file.path,
        "score": _rounded(scored.files[file.path]),
        "lines_of_code": file.lines,
        "highest_complexity": max(file.complexities, default=None),
        "maintainability": _rounded(file.maintainability),
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
