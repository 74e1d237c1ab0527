"""Builders for the mind's nouns: each test writes down only what matters to it."""

from typing import Any

from review.finding import Category, Finding, Location, Severity, Side


def a_finding(path: str = "app.py", line: int = 1, last: int | None = None, side: Side = Side.RIGHT, **changes: Any) -> Finding:
    """A finding on that line of that file; everything else is ordinary unless it is said."""
    fields: dict[str, Any] = {
        "rule": "B006",
        "severity": Severity.MEDIUM,
        "category": Category.CORRECTNESS,
        "message": "A mutable default is shared between calls.",
        "source": "ruff",
    }
    return Finding(location=Location(path, line, last or line, side), **(fields | changes))
