"""The analysis as SARIF 2.1.0, for code scanning and editors, with fixes that apply exactly.

Regions are whole lines of the head's file. A region without columns ends before its last line's end (3.30.8), as a
suggestion does; one that deletes lines reaches to the beginning of the line after them.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import orjson

from review.analysis import Analysis
from review.clean import visible
from review.diff import Diff, FileDiff, FileStatus
from review.finding import Category, Finding, Severity, Side, Suggestion
from review.reports.lines import head_lines, where_it_stood
from review.reports.report import Reported

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "refactoriq/v1"
ROOT = "%SRCROOT%"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
"""GitHub's code scanning sorts security rules by this number (over 9 critical, 7 high, 4 medium)."""

Json = dict[str, Any]


class Sarif:
    """Fulfils Report."""

    name = "sarif"
    media_type = "application/sarif+json"
    ending = "sarif"

    def write(self, reported: Reported) -> bytes:
        """See Report."""
        analysis, diff = reported.analysis, reported.diff
        rules = {_rule_id(finding): finding for finding in reversed(analysis.findings)}  # worst first: the worst one speaks
        numbers = {rule: number for number, rule in enumerate(rules)}
        run = {
            "tool": {"driver": {"name": "RefactorIQ", "rules": [_rule(rule, found) for rule, found in rules.items()]}},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
            "invocations": [
                {"executionSuccessful": not analysis.partial, "toolExecutionNotifications": list(_notifications(analysis))}
            ],
            "results": [_result(finding, numbers, diff) for finding in analysis.findings],
            "properties": {
                "headSha": analysis.head_sha,
                "changedLines": analysis.changed_lines,
                "filesRead": len(analysis.read),
                "analyzers": list(analysis.analyzers),
                "models": [_text(model) for model in analysis.models],
            },
        }
        log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
        return orjson.dumps(log, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _rule_id(finding: Finding) -> str:
    return _text(f"{finding.source}/{finding.rule}")


def _rule(rule: str, finding: Finding) -> Json:
    properties: Json = {"tags": [finding.category.value]}
    if finding.category is Category.SECURITY:
        properties["security-severity"] = SECURITY_SEVERITY[finding.severity]
    described: Json = {
        "id": rule,
        "name": _text(finding.rule),
        "shortDescription": {"text": rule},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": properties,
    }
    if finding.help_url.startswith("https://"):
        described["helpUri"] = quote(finding.help_url.encode("utf-8", "replace"), safe=":/?#[]@!$&'()*+,;=%")
    return described


def _result(finding: Finding, rules: dict[str, int], diff: Diff) -> Json:
    file = diff.file_of(finding.location)
    result: Json = {
        "ruleId": _rule_id(finding),
        "ruleIndex": rules[_rule_id(finding)],
        "level": LEVELS[finding.severity],
        "message": {"text": _message(finding.message) or _rule_id(finding)},
        "locations": [{"physicalLocation": _place(finding, file)}],
        "properties": _properties(finding),
    }
    if finding.fingerprint:
        result["partialFingerprints"] = {FINGERPRINT: finding.fingerprint}
    suggestion = finding.verified_suggestion
    if suggestion is not None:
        result["fixes"] = [_fix(finding.path, suggestion, file)]
    return result


def _properties(finding: Finding) -> Json:
    properties: Json = {
        "category": finding.category.value,
        "severity": finding.severity.value,
        "confidence": finding.confidence,
        "source": _text(finding.source),
    }
    if finding.also:
        properties["also"] = [_text(rule) for rule in finding.also]
    if finding.location.side is Side.LEFT:
        properties["deletedLines"] = {"first": finding.location.first_line, "last": finding.location.last_line}
    return properties


def _place(finding: Finding, file: FileDiff | None) -> Json:
    """The finding's lines in the head. Deleted code is shown where it stood; a deleted file has no lines to show."""
    place: Json = {"artifactLocation": _artifact(file.path if file else finding.path)}
    location = finding.location
    if location.side is Side.RIGHT:
        place["region"] = {"startLine": location.first_line, "endLine": location.last_line}
    elif file is not None and file.status is not FileStatus.REMOVED:
        line = where_it_stood(file, location.first_line)
        if line is not None:
            place["region"] = {"startLine": line}
    return place


def _fix(path: str, suggestion: Suggestion, file: FileDiff | None) -> Json:
    replacement: Json = {"deletedRegion": _replaced(suggestion, file)}
    if suggestion.replacement:
        text = suggestion.replacement.removesuffix("\r")  # the region ends before the last line's end
        replacement["insertedContent"] = {"text": text}
    change = {"artifactLocation": _artifact(path), "replacements": [replacement]}
    return {"description": {"text": "The suggested change."}, "artifactChanges": [change]}


def _replaced(suggestion: Suggestion, file: FileDiff | None) -> Json:
    first, last = suggestion.first_line, suggestion.last_line
    ends = all(line.ends for line in head_lines(file, last, last)) if file else True
    if suggestion.replacement or not ends:
        return {"startLine": first, "endLine": last}
    return {"startLine": first, "startColumn": 1, "endLine": last + 1, "endColumn": 1}


def _notifications(analysis: Analysis) -> Iterable[Json]:
    """What was not looked at and why, and what else there is to know about this run."""
    for note in analysis.notes:
        yield {"level": "warning", "message": {"text": _message(note)}}
    for item in analysis.skipped:
        place = {"physicalLocation": {"artifactLocation": _artifact(item.path)}}
        yield {"level": "note", "message": {"text": _message(f"Not read: {item.because}.")}, "locations": [place]}
    for dropped in analysis.dropped:
        words = f"{_rule_id(dropped.finding)} is not reported: {dropped.because}."
        yield {"level": "note", "message": {"text": _message(words)}}


def _artifact(path: str) -> Json:
    """A relative URI: every byte but letters, digits and `-._~/` is percent-encoded, those that are not UTF-8 too."""
    return {"uri": quote(path.encode("utf-8", "surrogateescape")), "uriBaseId": ROOT}


def _text(text: str) -> str:
    """Text that JSON can carry and a viewer shows as it stands: no control characters, no half of a surrogate pair."""
    return visible(text)


def _message(text: str) -> str:
    """The same without links: SARIF turns `[words](address)` into one (3.11.6), and this text may be a stranger's."""
    return _text(text).replace("](", "] (")
