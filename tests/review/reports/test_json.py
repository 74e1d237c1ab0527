"""JSON: what scripts read, whatever bytes a path holds."""

import json
from datetime import UTC, datetime

import pytest

from review.analysis import Analysis, ContextPlace, Dropped, Skipped, Usage
from review.finding import Suggestion, Verdict
from review.reports.as_json import Json
from review.reports.report import Reported
from tests.builders_review import a_finding
from tests.builders_secrets import MADE_UP
from tests.review.reports.builders import a_mended_finding, an_analysis

pytestmark = pytest.mark.unit


def test_everything_of_an_analysis_is_there_by_name() -> None:
    analysis = an_analysis(
        a_mended_finding(2, 3, "x = 1\ny = 2"),
        dropped=(Dropped(a_finding(rule="E501"), "below the threshold"),),
        skipped=(Skipped("logo.png", "binary"),),
        usage=(Usage("openai", "gpt", 100, 20, 30, 1.5),),
        models=("openai gpt",),
        notes=("A note.",),
        timings={"read": 0.25},
        context=(ContextPlace("pay.py", 3, 9, "pay", "why", 80, 1, cited=True, posted=True),),
        no_context="it took longer than 10 s",
    )
    written = json.loads(Json().write(Reported(analysis)))
    [found] = written["findings"]
    assert found["location"] == {"path": "app.py", "first_line": 2, "last_line": 3, "side": "RIGHT"}
    assert (found["rule"], found["severity"], found["category"], found["source"]) == ("B006", "medium", "correctness", "ruff")
    assert (found["suggestion"]["first_line"], found["suggestion"]["replacement"]) == (2, "x = 1\ny = 2")
    assert (written["dropped"][0]["rule"], written["dropped"][0]["because"]) == ("E501", "below the threshold")
    assert written["skipped"] == [{"path": "logo.png", "because": "binary"}]
    assert (written["usage"][0]["input_tokens"], written["timings"], written["notes"]) == (100, {"read": 0.25}, ["A note."])
    assert [(place["path"], place["posted"]) for place in written["context"]] == [("pay.py", True)]
    assert written["no_context"] == "it took longer than 10 s"
    assert (written["head_sha"], written["partial"], written["changed_lines"]) == ("a" * 40, False, 3)


@pytest.mark.parametrize("verdict", [Verdict.UNTRIED, Verdict.REFUSED])
def test_a_suggestion_that_does_not_hold_is_left_out(verdict: Verdict) -> None:
    analysis = an_analysis(a_finding(suggestion=Suggestion(1, 1, "x", verdict)))
    assert json.loads(Json().write(Reported(analysis)))["findings"][0]["suggestion"] is None


def test_paths_and_words_that_utf8_cannot_carry_are_written_out() -> None:
    analysis = an_analysis(a_finding(path="caf\udce9.py", message="half \ud800 pair"))
    [found] = json.loads(Json().write(Reported(analysis)))["findings"]
    assert found["location"]["path"] == "caf\\udce9.py"
    assert found["message"] == "half \\ud800 pair"


def test_an_empty_analysis_is_a_document_too() -> None:
    written = Json().write(Reported(Analysis("b" * 40)))
    assert json.loads(written)["findings"] == []
    assert written.endswith(b"}\n")


def test_what_is_known_of_an_analysis_that_was_kept_is_told() -> None:
    reported = Reported(
        an_analysis(a_finding(), skipped=(Skipped("logo.png", "binary"),)), title="Before the release",
        subject="octo/hello#7", finished_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), issues=("correctness-001",), score=85.2,
        metrics={"lines_of_code": 7},
    )  # fmt: skip
    written = json.loads(Json().write(reported))
    assert (written["title"], written["subject"]) == ("Before the release", "octo/hello#7")
    assert (written["finished_at"], written["score"]) == ("2026-01-02T03:04:05+00:00", 85.2)
    assert (written["metrics"], written["changed_files"]) == ({"lines_of_code": 7}, 2)
    assert written["findings"][0]["id"] == "correctness-001"


def test_the_password_that_a_finding_speaks_of_is_not_spread() -> None:
    secret = MADE_UP["github-token"]
    document = Json().write(Reported(an_analysis(a_finding(quote=f"key = '{secret}'")))).decode()
    assert secret not in document and "[secret]" in document
