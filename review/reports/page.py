"""What the reports for people show: plain text in the order of reading, cut to what one reads, with secrets blanked."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from review.analysis import Usage
from review.clean import is_hidden, visible
from review.finding import Finding, Severity
from review.reports.lines import as_diff
from review.reports.report import Reported
from review.reports.words import coverage, found, incomplete, measured, place
from review.secrets.blank import blank_secrets
from review.words import count

MOST_CHARACTERS = 4_000
"""Of one message, of one quote."""
MOST_ROWS = 60
"""Of one quote or suggestion."""
MOST_CITED = 5
MOST_FILES = 20
"""Files that are listed with their scores, worst first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One finding. `suggested` are a diff's lines, `quote` the code where nothing is suggested; `cites` are places."""

    issue: str
    severity: str
    category: str
    rule: str
    help_url: str
    place: str
    message: str
    quote: str
    suggested: tuple[str, ...]
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownFile:
    """The findings of one file, worst first."""

    path: str
    findings: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report. `warning` and `unlisted` are sentences, empty where there is nothing to say."""

    title: str
    subject: str
    finished_at: str
    head_sha: str
    headline: str
    warning: str
    score: str
    severities: tuple[tuple[str, int], ...]
    metrics: tuple[tuple[str, str], ...]
    worst_files: tuple[tuple[str, str, str], ...]
    files: tuple[ShownFile, ...]
    unlisted: str
    coverage: tuple[str, ...]
    usage: tuple[tuple[str, str, str, str], ...]


def page(reported: Reported, most: int) -> Page:
    """The report with at most so many findings, the worst ones."""
    analysis = reported.analysis
    counts = Counter(finding.severity for finding in analysis.findings)
    shown = list(reported.findings)[:most]
    left = len(analysis.findings) - len(shown)
    return Page(
        title=_words(reported.title) or "Code review",
        subject=written_out(blank_secrets(reported.subject)),
        finished_at=reported.finished_at.strftime("%Y-%m-%d %H:%M %Z") if reported.finished_at else "",
        head_sha=written_out(analysis.head_sha),
        headline=_capital(found(analysis)),
        warning=incomplete() if analysis.partial else "",
        score="" if reported.score is None else f"{reported.score:g}",
        severities=tuple((severity.value, counts[severity]) for severity in Severity),
        metrics=tuple(row for row in measured(reported) if row[0] != "Score"),
        worst_files=_worst_files(reported),
        files=_by_file(shown),
        unlisted=f"{count(left, 'less severe finding')} more: the JSON and SARIF reports hold all of them." if left else "",
        coverage=(*(_words(row) for row in coverage(analysis)), *_by_lines_only(reported)),
        usage=_usage(reported),
    )


def written_out(text: str) -> str:
    """The text with what shows nothing, or alters how other text is shown, as an escape (`\\x00`, `\\u202e`): in code and
    paths it may be the very thing to see. Line ends and tabs stay."""
    return "".join(c.encode("unicode_escape").decode() if is_hidden(c) and c not in "\n\t" else c for c in text)


def _words(text: str) -> str:
    return visible(blank_secrets(text))[:MOST_CHARACTERS].strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _by_file(shown: Iterable[tuple[str, Finding]]) -> tuple[ShownFile, ...]:
    """The files in the order of their worst finding."""
    files: dict[str, list[Shown]] = {}
    for issue, finding in shown:
        files.setdefault(finding.path, []).append(_shown(issue, finding))
    return tuple(ShownFile(_path(path), tuple(findings)) for path, findings in files.items())


def _shown(issue: str, finding: Finding) -> Shown:
    suggested = as_diff(finding)
    return Shown(
        issue=issue,
        severity=finding.severity.value,
        category=finding.category.value,
        rule=written_out(f"{finding.source} {finding.rule}"),
        help_url=finding.help_url if finding.help_url.startswith("https://") else "",
        place=_path(place(finding)),
        message=_words(finding.message),
        quote="" if suggested else "\n".join(_code(finding.quote.split("\n"))).strip("\n"),
        suggested=tuple(_code(suggested)) if suggested else (),
        cites=tuple(_path(f"{cited.path}:{cited.first_line}") for cited in finding.cites[:MOST_CITED]),
    )


def _path(path: str) -> str:
    return written_out(blank_secrets(path))


def _code(lines: list[str]) -> list[str]:
    """The lines as they are to be seen; of many the first ones."""
    text = blank_secrets("\n".join(line.removesuffix("\r") for line in lines[:MOST_ROWS]))
    kept = written_out(text[:MOST_CHARACTERS]).expandtabs(4).split("\n")
    return [*kept, " …"] if len(lines) > MOST_ROWS or len(text) > MOST_CHARACTERS else kept


def _worst_files(reported: Reported) -> tuple[tuple[str, str, str], ...]:
    """Path, score and highest complexity of the files that score worst."""
    worst = reported.metrics.get("worst_files", [])[:MOST_FILES]
    return tuple((_path(file["path"]), f"{file['score']:g}", str(file["highest_complexity"] or "–")) for file in worst)


def _by_lines_only(reported: Reported) -> list[str]:
    counted = reported.metrics.get("by_lines_only", {})
    return [f"Only the lines of {count(number, 'file')} were counted: {because}." for because, number in counted.items()]


def _usage(reported: Reported) -> tuple[tuple[str, str, str, str], ...]:
    """Model, calls, tokens in and out."""
    calls: dict[str, list[Usage]] = {}
    for call in reported.analysis.usage:
        calls.setdefault(written_out(f"{call.provider} {call.model}"), []).append(call)
    return tuple(
        (model, f"{len(made):,}", f"{sum(c.input_tokens for c in made):,}", f"{sum(c.output_tokens for c in made):,}")
        for model, made in calls.items()
    )
