"""The analysis as a PDF, for a meeting or an archive: the HTML page's words, typeset by Typst with fonts of its own."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from review.reports.page import page
from review.reports.report import Reported
from review.typeset import typeset

MOST_FINDINGS = 500
"""Some 150 pages."""
COLUMNS = 96
"""Characters of code that a row holds."""
LONG = re.compile(r"\S{48}(?=\S)")
"""What has no place to break within a row."""
CODE = ("quote", "suggested")
"""Is broken by rows instead."""
TEMPLATE = Path(__file__).parent / "report.typ"


class Pdf:
    """Fulfils Report."""

    name = "pdf"
    media_type = "application/pdf"
    ending = "pdf"

    def write(self, reported: Reported) -> bytes:
        """See Report."""
        shown = _breakable(asdict(page(reported, MOST_FINDINGS)))
        for file in shown["files"]:
            for finding in file["findings"]:
                finding["quote"] = _rows(finding["quote"].split("\n")) if finding["quote"] else []
                finding["suggested"] = _rows(finding["suggested"])
        return typeset(TEMPLATE.read_bytes(), json.dumps(shown), reported.finished_at)


def _rows(lines: list[str]) -> list[str]:
    """The lines, broken where they are longer than a row; each part is led by the line's own first character."""
    rows = []
    for line in lines:
        rows.append(line[:COLUMNS])
        rest = range(COLUMNS, len(line), COLUMNS - 1)
        rows += [(line[0] if line[0] in "+-" else " ") + line[start : start + COLUMNS - 1] for start in rest]
    return rows


def _breakable(value: Any) -> Any:
    """The same, with places to break in long words: what runs over the margin cannot be read."""
    if isinstance(value, str):
        return LONG.sub(lambda match: match[0] + "\u200b", value)
    if isinstance(value, dict):
        return {key: item if key in CODE else _breakable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_breakable(item) for item in value]
    return value
