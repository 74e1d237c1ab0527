"""The PDF report: typeset from strings, none of which is ever read as Typst, within bounds."""

import json
import re
import time
from typing import Any

import pytest
import typst

from review.reports import as_pdf
from review.reports.as_pdf import COLUMNS, MOST_FINDINGS, Pdf
from review.reports.report import Reported
from tests.builders_review import a_finding
from tests.review.reports.builders import a_mended_finding, an_analysis
from tests.review.reports.hostile import HTML, TYPST, a_large_report, hostile_report

pytestmark = pytest.mark.integration

PAGE = re.compile(rb"/Type\s*/Page\b")


def pages(document: bytes) -> int:
    return len(PAGE.findall(document))


def shown(reported: Reported, monkeypatch: pytest.MonkeyPatch) -> str:
    """All text that stands in the typeset document, by Typst's own account of it."""
    given: list[str] = []

    def noted(_template: bytes, data: str, _at: object) -> bytes:
        given.append(data)
        return b""

    monkeypatch.setattr(as_pdf, "typeset", noted)
    Pdf().write(reported)
    document = typst.Compiler(str(as_pdf.TEMPLATE), sys_inputs={"data": given[0]}, ignore_system_fonts=True)
    found = [json.loads(document.query(selector)) for selector in ("heading", "par", "raw", "table", "list")]
    return "\n".join(texts(found)).replace("\u200b", "")  # the places to break in long words


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for key, item in value.items() if key != "text" or not own for text in texts(item)]
    return [text for item in value for text in texts(item)] if isinstance(value, list) else []


def test_a_report_is_a_pdf_with_pages_that_says_when_it_was_made() -> None:
    reported = hostile_report()
    document = Pdf().write(reported)
    assert document.startswith(b"%PDF-1.7") and document.rstrip().endswith(b"%%EOF")
    assert pages(document) >= 1
    assert b"D:20260102000000" in document
    assert Pdf().write(reported) == document


def test_hostile_words_are_shown_and_nothing_of_them_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(hostile_report(), monkeypatch)
    assert text.count(TYPST) > 5 and text.count(HTML) > 5
    assert "root:" not in text
    assert "a\\x00b\\x1b[31m\\u202egnp" in text
    assert "שלום עולם 漢字 😀" in text


def test_it_holds_what_the_page_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    mended = a_mended_finding(2, 2, "x = 2", "x = 1\n", message="Wrong.")
    metrics = {"lines_of_code": 1200, "worst_files": [{"path": "app.py", "score": 44.9, "highest_complexity": 12}]}
    text = shown(
        Reported(an_analysis(mended), title="Release", subject="octo/hello#7", issues=("x-001",), score=85.2, metrics=metrics),
        monkeypatch,
    )
    for words in ("Release", "app.py:2", "Wrong.", "-x = 1", "+x = 2", "1,200", "44.9", "Read: 1 file, 3 changed lines."):
        assert words in text


def test_long_lines_of_code_are_broken_and_nothing_of_them_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "".join(chr(97 + number % 26) for number in range(3 * COLUMNS))
    text = shown(Reported(an_analysis(a_mended_finding(1, 1, line, "short\n"))), monkeypatch)
    rows = list(dict.fromkeys(row for row in text.split("\n") if row.startswith("+")))
    assert "".join(row[1:] for row in rows) == line and max(map(len, rows)) == COLUMNS


def test_of_ten_thousand_findings_the_worst_are_shown_within_bounds() -> None:
    started = time.monotonic()
    document = Pdf().write(a_large_report(10_000))
    assert time.monotonic() - started < 30
    assert MOST_FINDINGS / 10 < pages(document) < MOST_FINDINGS
    assert len(document) < 5_000_000


@pytest.mark.parametrize("word", ["x" * 4_000, "漢" * 4_000, "\u0301" * 4_000, "א" * 4_000, "()" * 2_000, "😀" * 2_000])
def test_words_without_end_are_typeset_too(word: str) -> None:
    assert pages(Pdf().write(Reported(an_analysis(a_finding(path=word, message=word, quote=word)), title=word))) < 20


def test_an_empty_analysis_is_a_document_too() -> None:
    assert pages(Pdf().write(Reported(an_analysis()))) == 1
