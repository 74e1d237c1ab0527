"""An analysis of a change to one file, for reports: the diff is what git itself says of the two texts."""

from pathlib import Path
from typing import Any

from review.analysis import Analysis
from review.diff import Diff
from review.finding import Finding, Suggestion, Verdict
from review.parse_diff import parse_diff
from tests.builders import Content, a_repository
from tests.builders_review import a_finding


def a_diff_of(folder: Path, base: dict[str, Content], head: dict[str, Content]) -> Diff:
    """What `head` changes in `base`, by git."""
    return parse_diff(a_repository(folder, base, head).diff())


def a_diff_of_a_new_file(data: bytes) -> Diff:
    """The diff that adds `app.py`, in git's own form."""
    lines = data.split(b"\n")
    body = b"".join(b"+" + line + b"\n" for line in lines[:-1])
    body += b"+" + lines[-1] + b"\n\\ No newline at end of file\n" if lines[-1] else b""
    count = len(lines) - (not lines[-1])
    head = b"diff --git a/app.py b/app.py\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/app.py\n"
    return parse_diff(head + b"@@ -0,0 +1,%d @@\n" % count + body)


def an_analysis(*findings: Finding, **changes: Any) -> Analysis:
    """A complete analysis of `app.py` with these findings."""
    fields: dict[str, Any] = {"read": ("app.py",), "analyzers": ("ruff",), "changed_lines": 3}
    return Analysis(head_sha="a" * 40, findings=findings, **(fields | changes))


def a_mended_finding(first: int, last: int, replacement: str, replaced: str = "", **changes: Any) -> Finding:
    """A finding whose verified suggestion replaces those lines, which were `replaced`."""
    suggestion = Suggestion(first, last, replacement, Verdict.VERIFIED, replaced=replaced)
    return a_finding(line=first, last=last, suggestion=suggestion, fingerprint="f" * 32, **changes)
