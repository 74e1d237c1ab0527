"""Large changes: thousands of files and findings are placed, merged, verified and known again without a wait."""

from time import perf_counter

import pytest

from review.anchor import Anchor, anchor
from review.dedupe import merged
from review.finding import Finding, Suggestion, Verdict
from review.fingerprint import fingerprinted
from review.verify import verify_all
from tests.builders_diff import Ends, a_diff_of
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

FUNCTION = "def f{n}(a):\n    b = a + {n}\n    return b\n\n\n"
SECONDS = 5.0
"""Ten times what it takes: only what grows with the square of the change is meant to fail."""


def settled(files: dict[str, Ends], findings: list[Finding]) -> tuple[list[Finding], float]:
    """What the engine does with findings after the tools, and how long that took."""
    diff = a_diff_of(files)
    head = {path: after for path, (_, after) in files.items() if after is not None}
    started = perf_counter()
    kept, dropped = merged(fingerprinted(findings, head, diff))
    done = verify_all(kept, head, diff)
    assert all(isinstance(anchor(finding, diff), Anchor) for finding in done)
    assert dropped == []
    return done, perf_counter() - started


def a_fix(path: str, number: int, line: int) -> Finding:
    return a_finding(path, line, rule=f"R{number}", suggestion=Suggestion(line, line, f"    b = {number} + a"))


def test_a_thousand_findings_in_one_file_of_ten_thousand_lines() -> None:
    text = "".join(FUNCTION.format(n=n) for n in range(2_000))
    findings = [a_fix("app.py", n, 5 * n + 2) for n in range(1_000)]
    done, seconds = settled({"app.py": (None, text.encode())}, findings)
    assert seconds < SECONDS
    assert {finding.suggestion.verdict for finding in done if finding.suggestion} == {Verdict.VERIFIED}


def test_a_thousand_findings_in_three_thousand_files() -> None:
    before, after = FUNCTION.format(n=1).encode(), FUNCTION.format(n=2).encode()
    files: dict[str, Ends] = {f"d{n % 50}/f{n}.py": (before, after) for n in range(3_000)}
    done, seconds = settled(files, [a_fix(path, n, 2) for n, path in enumerate(list(files)[::3])])
    assert seconds < SECONDS
    assert {finding.suggestion.verdict for finding in done if finding.suggestion} == {Verdict.VERIFIED}
    assert len({finding.fingerprint for finding in done}) == 1_000
