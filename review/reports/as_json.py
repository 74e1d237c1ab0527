"""The analysis as JSON, for scripts: the fields that `docs/reports.md` lists, and no suggestion but those that hold."""

from dataclasses import asdict
from typing import Any

import orjson

from review.analysis import Dropped
from review.finding import Finding
from review.reports.report import Reported
from review.secrets.blank import blank_secrets


class Json:
    """Fulfils Report."""

    name = "json"
    media_type = "application/json"
    ending = "json"

    def write(self, reported: Reported) -> bytes:
        """See Report. Bytes of a path that are not UTF-8 are written as `\\udcNN`."""
        analysis = reported.analysis
        document = {
            "title": reported.title,
            "subject": reported.subject,
            "finished_at": None if reported.finished_at is None else reported.finished_at.isoformat(),
            "head_sha": analysis.head_sha,
            "partial": analysis.partial,
            "score": reported.score,
            "metrics": dict(reported.metrics),
            "changed_files": len({*analysis.read, *(item.path for item in analysis.skipped)}),
            "changed_lines": analysis.changed_lines,
            "findings": [{"id": issue} | _finding(finding) for issue, finding in reported.findings],
            "dropped": [_dropped(item) for item in analysis.dropped],
            "read": analysis.read,
            "skipped": [asdict(item) for item in analysis.skipped],
            "analyzers": analysis.analyzers,
            "models": analysis.models,
            "usage": [asdict(call) for call in analysis.usage],
            "notes": analysis.notes,
            "context": [asdict(place) for place in analysis.context],
            "no_context": analysis.no_context,
            "timings": analysis.timings,
        }
        return orjson.dumps(_plain(document), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _finding(finding: Finding) -> dict[str, Any]:
    """Its quote may be a password's line: what was one is blanked."""
    written = asdict(finding) | {"quote": blank_secrets(finding.quote)}
    if finding.verified_suggestion is None:
        written["suggestion"] = None
    return written


def _dropped(item: Dropped) -> dict[str, Any]:
    return {**_finding(item.finding), "because": item.because}


def _plain(value: Any) -> Any:
    """The same with text that UTF-8 can carry: no half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
