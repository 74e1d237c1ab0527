"""The HTML report: one page that needs nothing else, runs nothing, and can be read by everybody."""

import re
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from review.analysis import Skipped
from review.finding import Location, Severity, Side
from review.reports.as_html import MOST_FINDINGS, Html
from review.reports.report import Reported
from tests.builders_review import a_finding
from tests.builders_secrets import MADE_UP
from tests.review.reports.builders import a_mended_finding, an_analysis
from tests.review.reports.hostile import HTML, TYPST, a_large_report, hostile_report

pytestmark = pytest.mark.unit

VOID = {"meta", "img", "br", "link", "input"}


@dataclass
class Read(HTMLParser):
    """A page as a browser would take it apart: elements with their attributes, and the text that is shown."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text += data

    def named(self, *tags: str) -> list[tuple[str, dict[str, str | None]]]:
        return [(tag, attributes) for tag, attributes in self.tags if tag in tags]


def read(reported: Reported) -> Read:
    page = Read()
    page.feed(Html().write(reported).decode())
    page.close()
    assert page.open == []
    return page


def words(page: Read) -> str:
    return " ".join(page.text.split())


def test_the_score_and_the_severities_stand_first_and_the_coverage_last() -> None:
    analysis = an_analysis(
        a_finding("b.py", severity=Severity.HIGH), a_finding("a.py"), skipped=(Skipped("logo.png", "binary"),)
    )
    text = words(read(Reported(analysis, title="Before the release", subject="octo/hello#7", score=70.5)))
    order = ["Before the release", "octo/hello#7", "70.5 score of 100", "1 high 1 medium 0 low", "b.py", "a.py", "binary"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)


def test_findings_are_grouped_by_file_with_their_names_code_and_reasons() -> None:
    found = [
        a_finding("a.py", 3, severity=Severity.HIGH, quote="x = eval(y)", cites=(Location("core.py", 7, 9),)),
        a_finding("b.py", 1),
        a_finding("a.py", 9, side=Side.LEFT),
    ]
    issues = ("security-001", "correctness-001", "correctness-002")
    page = read(Reported(an_analysis(*found), issues=issues))
    assert page.text.count("a.py\n") == 1 and len(page.named("h3")) == 2 and len(page.named("article")) == 3
    text = words(page)
    assert "High · correctness · a.py:3" in text and "x = eval(y)" in text and "depends on core.py:7" in text
    assert text.index("security-001") < text.index("a.py:9 (deleted)") < text.index("b.py:1")


def test_a_suggestion_is_a_diff_whose_sides_are_marked_as_such() -> None:
    page = read(Reported(an_analysis(a_mended_finding(1, 3, "a = 1\nc = 4", "a = 1\nb = 2\nc = 3\n"))))
    assert [tag for tag, _ in page.named("del", "ins")] == ["del", "del", "ins"]
    assert "-b = 2-c = 3+c = 4" in page.text and " a = 1" in page.text


def test_hostile_words_are_shown_and_nothing_of_them_acts() -> None:
    page = read(hostile_report())
    assert page.named("script", "img", "iframe", "object", "link", "a", "form") == []
    assert all(not name.startswith("on") and name not in ("src", "style") for _, attributes in page.tags for name in attributes)
    assert page.text.count(HTML) > 8 and page.text.count(TYPST) > 8
    assert "a\\x00b\\x1b[31m\\u202egnp\\u200b\\ud800" in page.text
    assert not set(page.text) & set("\x00\x1b\u202e\u200b")


def test_it_needs_nothing_from_outside_and_lets_nothing_run() -> None:
    page = read(hostile_report())
    [policy] = [a["content"] for _, a in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None and policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    document = Html().write(Reported(an_analysis(a_finding(help_url="https://docs.example/x?a=1&b=2")))).decode()
    assert "url(" not in document and "@import" not in document
    assert re.findall(r'(?:href|src)="([^"]+)"', document) == ["https://docs.example/x?a=1&amp;b=2"]


def test_it_is_made_for_readers_of_every_kind() -> None:
    page = read(hostile_report())
    assert page.named("html")[0][1] == {"lang": "en"}
    assert {"viewport", "color-scheme"} <= {attributes.get("name") for _, attributes in page.named("meta")}
    assert all("scope" in attributes for _, attributes in page.named("th")) and page.named("th")
    levels = [int(tag[1]) for tag, _ in page.named("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))
    document = Html().write(hostile_report()).decode()
    assert "@media print" in document and "prefers-color-scheme: dark" in document


def test_what_was_not_looked_at_is_told_with_its_reason() -> None:
    analysis = an_analysis(skipped=(Skipped("dist/app.js", "generated"),), notes=("bandit failed.",), partial=True)
    metrics = {"by_lines_only": {"its language is only counted by lines": 3}}
    text = words(read(Reported(analysis, metrics=metrics)))
    assert "This review is not complete" in text and "bandit failed." in text
    assert "Not read (generated): dist/app.js." in text
    assert "Only the lines of 3 files were counted: its language is only counted by lines." in text


def test_a_password_is_blanked_wherever_it_stands() -> None:
    secret = MADE_UP["github-token"]
    mended = a_mended_finding(1, 1, f"key = '{secret}x'", f"key = '{secret}'\n", message=f"The key {secret} is public.")
    document = Html().write(Reported(an_analysis(mended, a_finding(quote=f"key = '{secret}'")), title=f"On {secret}")).decode()
    assert secret not in document and document.count("[secret]") >= 5


def test_of_ten_thousand_findings_the_worst_are_shown_and_the_others_counted() -> None:
    started = time.monotonic()
    document = Html().write(a_large_report(10_000))
    assert len(document) < 5_000_000 and time.monotonic() - started < 20
    page = Read()
    page.feed(document.decode())
    assert len(page.named("article")) == MOST_FINDINGS
    assert "worst.py" in page.text and f"{10_000 - MOST_FINDINGS:,} less severe findings more" in page.text


def test_a_quote_without_end_is_cut() -> None:
    page = read(Reported(an_analysis(a_finding(quote="x = 1\n" * 5_000), a_finding(quote="y" * 100_000))))
    assert page.text.count("x = 1") == 60 and page.text.count("y") < 5_000
    assert page.text.count(" …") == 2


def test_an_empty_analysis_is_a_page_too() -> None:
    text = words(read(Reported(an_analysis())))
    assert text.startswith("Code review at aaaaaaaaaaaa Nothing to report.") and "Findings" not in text
