"""Markdown: for people, with the suggested change as a diff, and nothing in it that acts."""

import pytest
from markdown_it import MarkdownIt

from review.analysis import Analysis, Skipped
from review.finding import Side, Suggestion, Verdict
from review.reports.as_markdown import Markdown
from review.reports.report import Reported
from tests.builders_review import a_finding
from tests.review.reports.builders import a_mended_finding, an_analysis

pytestmark = pytest.mark.unit


def written(analysis: Analysis) -> str:
    return Markdown().write(Reported(analysis)).decode()


def test_a_review_reads_from_the_headline_to_the_coverage() -> None:
    analysis = an_analysis(
        a_mended_finding(2, 2, "def f(items=None):", "def f(items=[]):\n", help_url="https://docs.example/B006"),
        skipped=(Skipped("logo.png", "binary"), Skipped("big.png", "binary")),
        notes=("No model looked at this change: no key is set.",),
    )
    assert written(analysis) == (
        "# RefactorIQ: 1 finding (1 medium) in 1 file\n\n"
        "## `app.py:2`\n\n"
        "**Medium · correctness** · [`ruff B006`](https://docs.example/B006)\n\n"
        "A mutable default is shared between calls.\n\n"
        "```diff\n-def f(items=[]):\n+def f(items=None):\n```\n\n"
        "## Coverage\n\n"
        "- Read: 1 file, 3 changed lines.\n"
        "- Analyzers: ruff. Models: none.\n"
        "- No model looked at this change: no key is set.\n"
        "- Not read (binary): logo.png, big.png.\n"
    )


def test_lines_that_stay_are_shown_as_context() -> None:
    mended = a_mended_finding(1, 3, "a = 1\r\nc = 3\r", "a = 1\nb = 2\nc = 3\n")
    assert "```diff\n a = 1\n-b = 2\n c = 3\n```" in written(an_analysis(mended))


def test_a_suggestion_that_deletes_shows_what_goes() -> None:
    assert "```diff\n-b = 2\n```" in written(an_analysis(a_mended_finding(2, 2, "", "b = 2\n")))
    assert "```diff\n-\n```" in written(an_analysis(a_mended_finding(2, 2, "", "\n")))


@pytest.mark.parametrize("verdict", [Verdict.UNTRIED, Verdict.REFUSED])
def test_a_suggestion_that_does_not_hold_is_not_shown(verdict: Verdict) -> None:
    analysis = an_analysis(a_finding(suggestion=Suggestion(1, 1, "broken(", verdict)))
    assert "broken(" not in written(analysis)


def test_an_incomplete_review_says_so_above_all() -> None:
    document = written(an_analysis(partial=True, notes=("bandit failed.",)))
    assert document.startswith("# RefactorIQ: nothing to report\n\n**This review is not complete: see the coverage below.**")


def test_deleted_lines_are_called_so() -> None:
    assert "## `app.py:7 (deleted)`" in written(an_analysis(a_finding(line=7, side=Side.LEFT)))


def test_of_many_skipped_files_thirty_are_named_and_the_others_counted() -> None:
    skipped = tuple(Skipped(f"{number}.png", "binary") for number in range(1, 101))
    document = written(an_analysis(skipped=skipped))
    assert "30.png and 70 more." in document and "31.png" not in document


def test_hostile_paths_code_and_words_neither_act_nor_break_out() -> None:
    fence = "`" * 3
    hostile = a_mended_finding(1, 1, f"x = 1\n{fence}\n<img src=x>\n@everyone", path="app.py")
    named = a_finding(path="`<b>\n# @team [x](https://evil.example)`.py", message="![x](https://evil.example) @team <script>")
    analysis = an_analysis(hostile, named, skipped=(Skipped("@org/team", "binary"),))
    document = Markdown().write(Reported(analysis, title="# @team <b>", subject="[x](https://evil.example)")).decode()
    tokens = MarkdownIt("commonmark").parse(document)
    inline = [child for token in tokens for child in token.children or ()]
    assert [token.type for token in tokens if token.type == "html_block"] == []
    assert {child.type for child in inline} <= {
        "text",
        "code_inline",
        "strong_open",
        "strong_close",
        "text_special",
        "softbreak",
    }
    assert all("@" not in child.content for child in inline if child.type == "text")


def test_what_is_known_of_an_analysis_that_was_kept_is_told() -> None:
    metrics = {"lines_of_code": 1200, "complexity": 2.5, "highest_complexity": 14, "maintainability": 61.0}
    reported = Reported(
        an_analysis(a_finding()), title="Before the release", subject="octo/hello#7", issues=("correctness-001",), score=85.2,
        metrics=metrics,
    )  # fmt: skip
    document = Markdown().write(reported).decode()
    assert "Before the release · octo/hello#7" in document.replace("`", "")
    assert "`ruff B006` · correctness-001" in document
    assert "- Score: 85.2 of 100\n- Lines of code: 1,200\n- Mean complexity of a function: 2.5\n" in document
    assert "- Maintainability index: 61 of 100" in document
