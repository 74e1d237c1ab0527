"""The analysis as JSON, for scripts: every field by its name in the code, and no suggestion but those that hold."""

from dataclasses import asdict
from typing import Any

import orjson

from review.analysis import Analysis, Dropped
from review.diff import Diff
from review.finding import Finding


class Json:
    """Fulfils Report."""

    name = "json"

    def write(self, analysis: Analysis, diff: Diff) -> bytes:
        """See Report. Bytes of a path that are not UTF-8 are written as `\\udcNN`."""
        document = {
            "head_sha": analysis.head_sha,
            "partial": analysis.partial,
            "changed_files": len(diff.files),
            "changed_lines": analysis.changed_lines,
            "findings": [_finding(finding) for finding in analysis.findings],
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
    written = asdict(finding)
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
