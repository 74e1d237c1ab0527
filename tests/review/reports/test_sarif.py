"""SARIF: valid by the standard's own schema, in the head's lines, with fixes that apply exactly."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from jsonschema import Draft4Validator

from review.analysis import Analysis, Dropped, Skipped
from review.diff import Diff
from review.finding import Category, Finding, Severity, Side, Suggestion, Verdict
from review.reports.as_sarif import Sarif
from review.reports.report import Reported
from review.suggestions.patch import apply_suggestions
from tests.builders_review import a_finding
from tests.review.reports.builders import a_diff_of, a_diff_of_a_new_file, a_mended_finding, an_analysis

pytestmark = pytest.mark.integration

SCHEMA = Path(__file__).parents[2] / "data" / "sarif-schema-2.1.0.json"
HOSTILE = "pages/[évil] 100%\x1b[31m #1?.py"


@lru_cache(maxsize=1)
def validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text()))


def sarif(analysis: Analysis, diff: Diff | None = None) -> Any:
    """The document's one run, held against the schema."""
    document = json.loads(Sarif().write(Reported(analysis, diff or Diff())))
    assert [error.message for error in validator().iter_errors(document)] == []
    return document["runs"][0]


def result(finding: Finding, diff: Diff | None = None) -> Any:
    return sarif(an_analysis(finding), diff)["results"][0]


def applied(data: bytes, replacement: Any) -> bytes:
    """The file after a SARIF replacement, by the standard: columns default to whole lines, whose ends are no part of them."""
    text, region = data.decode(), replacement["deletedRegion"]
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    first = starts[region["startLine"] - 1] + region.get("startColumn", 1) - 1
    line = text[starts[region["endLine"] - 1] :].split("\n")[0].removesuffix("\r")
    last = starts[region["endLine"] - 1] + region.get("endColumn", len(line) + 1) - 1
    return (text[:first] + replacement.get("insertedContent", {}).get("text", "") + text[last:]).encode()


def test_an_empty_analysis_is_a_valid_run_without_results() -> None:
    run = sarif(Analysis(head_sha="a" * 40))
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_a_finding_has_its_place_level_rule_and_fingerprint() -> None:
    found = a_finding(
        path="src/app.py", line=3, last=5, rule="S602", severity=Severity.HIGH, category=Category.SECURITY,
        confidence=0.8, fingerprint="c" * 32, help_url="https://docs.example/S602", also=("bandit:B602",),
    )  # fmt: skip
    run = sarif(an_analysis(found))
    written = run["results"][0]
    assert written["ruleId"] == "ruff/S602"
    assert written["level"] == "error"
    assert written["partialFingerprints"] == {"refactoriq/v1": "c" * 32}
    assert written["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/app.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "endLine": 5},
    }
    properties = written["properties"]
    assert (properties["category"], properties["confidence"], properties["source"]) == ("security", 0.8, "ruff")
    assert properties["also"] == ["bandit:B602"]
    rule = run["tool"]["driver"]["rules"][written["ruleIndex"]]
    assert (rule["id"], rule["helpUri"]) == ("ruff/S602", "https://docs.example/S602")
    assert rule["properties"] == {"tags": ["security"], "security-severity": "8.0"}


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note"), ("info", "note")],
)
def test_each_severity_has_its_level(severity: str, level: str) -> None:
    assert result(a_finding(severity=Severity(severity)))["level"] == level


def test_findings_of_one_rule_share_its_entry() -> None:
    run = sarif(an_analysis(a_finding(line=1), a_finding(line=9), a_finding(line=2, rule="F401")))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert sorted(rules) == ["ruff/B006", "ruff/F401"]
    assert [rules[found["ruleIndex"]] for found in run["results"]] == ["ruff/B006", "ruff/B006", "ruff/F401"]


@pytest.mark.parametrize("path", ["a b/ünïcode.py", "weird:name.py", "50%.py", "q?x#y.py", HOSTILE, "bad\udcff\udc80.py"])
def test_a_path_is_a_relative_uri_that_names_the_same_bytes(path: str) -> None:
    uri = result(a_finding(path=path))["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii() and uri.isprintable() and ":" not in uri and " " not in uri
    assert unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")


FILES = [b"one\ntwo\nthree\n", b"one\r\ntwo\r\nthree\r\n", b"one\ntwo\nthree", "ä\n\U0001f600two\nthree\n".encode()]


@pytest.mark.parametrize("data", FILES, ids=["LF", "CRLF", "no newline at the end", "beyond ASCII"])
@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 2), (3, 3), (1, 2), (2, 3), (1, 3)])
@pytest.mark.parametrize("new", [(), ("x",), ("x", "", "y")], ids=["deletes", "one line", "three lines"])
def test_a_fix_changes_the_file_exactly_as_the_suggestion_does(
    data: bytes, first: int, last: int, new: tuple[str, ...]
) -> None:
    replacement = ("\r\n" if b"\r\n" in data else "\n").join(new)
    diff = a_diff_of_a_new_file(data)
    [fix] = result(a_mended_finding(first, last, replacement), diff)["fixes"]
    [change] = fix["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "app.py"
    assert applied(data, change["replacements"][0]) == apply_suggestions(data, [Suggestion(first, last, replacement)])


def test_a_suggestion_that_was_not_verified_is_no_fix() -> None:
    for verdict in (Verdict.UNTRIED, Verdict.REFUSED):
        assert "fixes" not in result(a_finding(suggestion=Suggestion(1, 1, "x", verdict)))


def test_deleted_code_is_shown_where_it_stood_in_the_head(tmp_path: Path) -> None:
    base = "".join(f"line {number}\n" for number in range(1, 21))
    head = base.replace("line 1\n", "").replace("line 12\n", "")
    diff = a_diff_of(tmp_path, {"app.py": base}, {"app.py": head})
    found = result(a_finding(line=12, side=Side.LEFT), diff)
    assert found["locations"][0]["physicalLocation"]["region"] == {"startLine": 11}
    assert head.splitlines()[11 - 1] == "line 13"
    assert found["properties"]["deletedLines"] == {"first": 12, "last": 12}


def test_deleted_code_at_the_end_is_shown_at_the_last_line_that_is_left(tmp_path: Path) -> None:
    diff = a_diff_of(tmp_path, {"app.py": "1\n2\n3\n"}, {"app.py": "1\n2\n"})
    found = result(a_finding(line=3, side=Side.LEFT), diff)
    assert found["locations"][0]["physicalLocation"]["region"] == {"startLine": 2}


def test_deleted_code_of_a_renamed_file_is_named_by_the_heads_path(tmp_path: Path) -> None:
    base = "".join(f"line {number}\n" for number in range(1, 21))
    diff = a_diff_of(tmp_path, {"old.py": base}, {"old.py": None, "new.py": base.replace("line 5\n", "")})
    place = result(a_finding(path="old.py", line=5, side=Side.LEFT), diff)["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "new.py"
    assert place["region"] == {"startLine": 5}


def test_a_deleted_file_has_no_lines_to_show(tmp_path: Path) -> None:
    diff = a_diff_of(tmp_path, {"app.py": "1\n"}, {"app.py": None})
    assert "region" not in result(a_finding(side=Side.LEFT), diff)["locations"][0]["physicalLocation"]


def test_what_was_skipped_left_out_and_noted_is_told_with_its_reason() -> None:
    run = sarif(
        an_analysis(
            notes=("bandit failed: it took longer than 30 s.",),
            skipped=(Skipped("web/logo.png", "binary"),),
            dropped=(Dropped(a_finding(rule="E501"), "below the severity threshold (medium)"),),
            partial=True,
        )
    )
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    noted, skipped, dropped = invocation["toolExecutionNotifications"]
    assert noted == {"level": "warning", "message": {"text": "bandit failed: it took longer than 30 s."}}
    assert skipped["message"]["text"] == "Not read: binary."
    assert skipped["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "web/logo.png"
    assert dropped["message"]["text"] == "ruff/E501 is not reported: below the severity threshold (medium)."


def test_a_strangers_words_bring_no_control_characters_no_links_and_no_broken_json() -> None:
    text = result(a_finding(message="see [here](https://evil.example) \x1b[31m\u202e half \ud800 pair"))["message"]["text"]
    assert "](" not in text
    assert text.replace("\n", "").isprintable()
    assert "half" in text and "pair" in text
