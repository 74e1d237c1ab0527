"""What strangers may have written into an analysis: markup of every kind, signs that hide, and far too much of it."""

from datetime import UTC, datetime

from review.analysis import Skipped, Usage
from review.finding import Severity
from review.reports.report import Reported
from tests.builders_review import a_finding
from tests.review.reports.builders import a_mended_finding, an_analysis

HTML = "</p><script>alert(1)</script><img src=x onerror=alert(2)>&amp;"
TYPST = '#eval("1+1") #read("/etc/passwd") *b* $x^2$ @label <label> = Title'
HIDING = "a\x00b\x1b[31m\u202egnp\u200b\ud800"
HOSTILE = f"{HTML} {TYPST} {HIDING}"


def hostile_report() -> Reported:
    """Each field that a stranger may have written holds all of it."""
    findings = (
        a_finding(
            f"{HOSTILE}.py", message=HOSTILE, quote=HOSTILE, rule=HOSTILE, source=HOSTILE, help_url="javascript:alert(3)"
        ),
        a_mended_finding(1, 1, f"new {HOSTILE}", f"old {HOSTILE}\n", message="שלום עולם 漢字 😀"),
    )
    analysis = an_analysis(
        *findings, skipped=(Skipped(HOSTILE, HOSTILE),), notes=(HOSTILE,), models=(HOSTILE,), usage=(Usage(HOSTILE, HOSTILE),),
        partial=True,
    )  # fmt: skip
    worst = [{"path": HOSTILE, "score": 12.5, "highest_complexity": None}]
    return Reported(
        analysis, title=HOSTILE, subject=HOSTILE, finished_at=datetime(2026, 1, 2, tzinfo=UTC),
        issues=("correctness-001", "correctness-002"), score=12.5, metrics={"worst_files": worst},
    )  # fmt: skip


def a_large_report(findings: int) -> Reported:
    """So many findings, each with code and a long message; the worst is the first."""
    made = [
        a_finding(f"src/file{number // 10}.py", number + 1, severity=Severity.LOW, message="word " * 60, quote="x = 1\n" * 5)
        for number in range(findings - 1)
    ]
    analysis = an_analysis(a_finding("worst.py", severity=Severity.CRITICAL), *made)
    return Reported(analysis, issues=tuple(f"correctness-{number:03}" for number in range(1, findings + 1)))
