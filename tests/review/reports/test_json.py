"""JSON: what scripts read, whatever bytes a path holds."""

import json

import pytest

from review.analysis import Analysis, ContextPlace, Dropped, Skipped, Usage
from review.diff import Diff
from review.finding import Suggestion, Verdict
from review.reports.as_json import Json
from tests.builders_review import a_finding
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
    written = json.loads(Json().write(analysis, Diff()))
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
    assert json.loads(Json().write(analysis, Diff()))["findings"][0]["suggestion"] is None


def test_paths_and_words_that_utf8_cannot_carry_are_written_out() -> None:
    analysis = an_analysis(a_finding(path="caf\udce9.py", message="half \ud800 pair"))
    [found] = json.loads(Json().write(analysis, Diff()))["findings"]
    assert found["location"]["path"] == "caf\\udce9.py"
    assert found["message"] == "half \\ud800 pair"


def test_an_empty_analysis_is_a_document_too() -> None:
    written = Json().write(Analysis("b" * 40), Diff())
    assert json.loads(written)["findings"] == []
    assert written.endswith(b"}\n")
