"""The analysis as Markdown, for a job summary, a ticket or a mail. Nothing in it acts: no mention, no link of a stranger."""

from collections.abc import Iterator

from review.analysis import Analysis
from review.clean import cleaned, code, fenced
from review.diff import Diff
from review.finding import Finding
from review.reports.lines import as_diff
from review.reports.words import coverage, found, incomplete, place


class Markdown:
    """Fulfils Report."""

    name = "markdown"

    def write(self, analysis: Analysis, diff: Diff) -> bytes:
        """See Report."""
        return ("\n\n".join(_blocks(analysis, diff)) + "\n").encode("utf-8", "backslashreplace")


def _blocks(analysis: Analysis, diff: Diff) -> Iterator[str]:
    yield f"# RefactorIQ: {found(analysis)}"
    if analysis.partial:
        yield f"**{incomplete()}**"
    for finding in analysis.findings:
        yield from _finding(finding, diff)
    yield "## Coverage"
    yield "\n".join(f"- {' '.join(cleaned(row).split())}" for row in coverage(analysis))


def _finding(finding: Finding, diff: Diff) -> Iterator[str]:
    yield f"## {code(place(finding))}"
    rule = code(f"{finding.source} {finding.rule}")
    link = f"[{rule}]({finding.help_url})" if finding.help_url.startswith("https://") else rule
    yield f"**{finding.severity.capitalize()} · {finding.category}** · {link}"
    yield cleaned(finding.message)
    suggested = as_diff(finding, diff)
    if suggested:
        yield fenced("\n".join(suggested), "diff")
