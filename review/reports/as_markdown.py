"""The analysis as Markdown, for a job summary, a ticket or a mail. Nothing in it acts: no mention, no link of a stranger."""

from collections.abc import Iterator

from review.clean import cleaned, code, fenced
from review.finding import Finding
from review.reports.lines import as_diff
from review.reports.report import Reported
from review.reports.words import coverage, found, incomplete, measured, place
from review.secrets.blank import blank_secrets


class Markdown:
    """Fulfils Report."""

    name = "markdown"
    media_type = "text/markdown; charset=utf-8"
    ending = "md"

    def write(self, reported: Reported) -> bytes:
        """See Report."""
        return ("\n\n".join(_blocks(reported)) + "\n").encode("utf-8", "backslashreplace")


def _blocks(reported: Reported) -> Iterator[str]:
    analysis = reported.analysis
    yield f"# RefactorIQ: {found(analysis)}"
    occasion = [_line(text) for text in (reported.title, reported.subject) if text]
    if occasion:
        yield " · ".join(occasion)
    if analysis.partial:
        yield f"**{incomplete()}**"
    for issue, finding in reported.findings:
        yield from _finding(issue, finding)
    if rows := measured(reported):
        yield "## Score and metrics"
        yield "\n".join(f"- {name}: {value}" for name, value in rows)
    yield "## Coverage"
    yield "\n".join(f"- {_line(row)}" for row in coverage(analysis))


def _line(text: str) -> str:
    """Cleaned, on one line."""
    return " ".join(cleaned(text).split())


def _finding(issue: str, finding: Finding) -> Iterator[str]:
    yield f"## {code(place(finding))}"
    rule = code(f"{finding.source} {finding.rule}")
    link = f"[{rule}]({finding.help_url})" if finding.help_url.startswith("https://") else rule
    name = f" · {issue}" if issue else ""
    yield f"**{finding.severity.capitalize()} · {finding.category}** · {link}{name}"
    yield cleaned(blank_secrets(finding.message))
    suggested = as_diff(finding)
    if suggested:
        yield fenced(blank_secrets("\n".join(suggested)), "diff")
