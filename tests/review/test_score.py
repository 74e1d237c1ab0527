"""The score: whatever is worse never scores better, in whatever order it is told."""

import math
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.finding import Finding, Severity
from review.metrics import FileMetrics, Metrics
from review.score import MOST_LISTED, WEIGHTS, Score, as_record, score
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

PATHS = ["a.py", "b.py", "README.md", "never-measured.py"]

findings = st.lists(
    st.builds(
        lambda path, severity, confidence: a_finding(path, severity=severity, confidence=confidence),
        st.sampled_from(PATHS), st.sampled_from(Severity), st.floats(0, 1),
    ),
    max_size=8,
)  # fmt: skip
complexities = st.lists(st.integers(1, 60), max_size=5).map(tuple)


@st.composite
def measured(draw: st.DrawFn) -> Metrics:
    files = [FileMetrics(path, draw(st.integers(0, 500)), draw(complexities), draw(st.integers(1, 30))) for path in PATHS[:2]]
    return Metrics((*files, FileMetrics("README.md", 0)))


def points(scored: Score) -> float:
    """Where there is nothing to score, all of them: what is added to nothing may only take some away."""
    return 100.0 if scored.overall is None else scored.overall


def never_better(worse: Score, than: Score) -> bool:
    return points(worse) <= points(than) and all(worse.files[path] <= than.files.get(path, 100) for path in worse.files)


@given(findings, measured(), st.sampled_from(PATHS), st.sampled_from(Severity))
def test_another_finding_never_makes_a_score_better(
    found: list[Finding], metrics: Metrics, path: str, severity: Severity
) -> None:
    assert never_better(score([*found, a_finding(path, severity=severity)], metrics), score(found, metrics))


@given(findings.filter(bool), measured(), st.data())
def test_a_more_severe_finding_never_makes_a_score_better(found: list[Finding], metrics: Metrics, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(found) - 1))
    worse = data.draw(st.sampled_from([severity for severity in Severity if severity.at_least(found[at].severity)]))
    raised = [*found[:at], replace(found[at], severity=worse), *found[at + 1 :]]
    assert never_better(score(raised, metrics), score(found, metrics))


@given(findings, measured(), st.data())
def test_more_branches_never_make_a_score_better(found: list[Finding], metrics: Metrics, data: st.DataObject) -> None:
    at, more = data.draw(st.integers(0, 1)), data.draw(st.integers(1, 40))
    file = metrics.files[at]
    if file.functions:
        worse = replace(file, functions=(*file.functions[1:], file.functions[0] + more))
    else:
        worse = replace(file, outside=file.outside + more)
    files = tuple(worse if number == at else old for number, old in enumerate(metrics.files))
    assert never_better(score(found, Metrics(files)), score(found, metrics))


@given(findings, measured(), st.randoms(use_true_random=False))
def test_the_order_of_findings_and_files_does_not_matter(found: list[Finding], metrics: Metrics, random: Random) -> None:
    files, shuffled = list(metrics.files), list(found)
    random.shuffle(files)
    random.shuffle(shuffled)
    assert score(shuffled, Metrics(tuple(files))) == score(found, metrics)


@given(findings, measured(), st.integers(0, 10_000))
def test_a_clean_file_never_makes_the_score_worse(found: list[Finding], metrics: Metrics, lines: int) -> None:
    clean = Metrics((*metrics.files, FileMetrics("clean.py", lines, (1, 10))))
    assert points(score(found, clean)) >= points(score(found, metrics))


@given(st.lists(st.sampled_from(Severity), max_size=2_000), measured())
def test_a_score_lies_between_0_and_100(severities: list[Severity], metrics: Metrics) -> None:
    scored = score([a_finding(severity=severity) for severity in severities], metrics)
    assert 0 <= points(scored) <= 100
    assert all(0 <= one <= 100 for one in scored.files.values())


def test_more_certain_or_more_lines_change_nothing() -> None:
    one = score([a_finding("a.py", confidence=0.1)], Metrics((FileMetrics("a.py", 3),)))
    assert one == score([a_finding("a.py", confidence=1.0)], Metrics((FileMetrics("a.py", 9_000),)))


@pytest.mark.parametrize(
    ("severity", "overall"), [("critical", 44.9), ("high", 67.0), ("medium", 85.2), ("low", 96.1), ("info", 99.0)]
)
def test_one_finding_in_one_file_costs_what_is_published(severity: str, overall: float) -> None:
    found = a_finding("a.py", severity=Severity(severity))
    assert score([found], Metrics((FileMetrics("a.py", 10),))).overall == overall


def test_each_severity_weighs_more_than_the_next() -> None:
    weights = [WEIGHTS[severity] for severity in Severity]
    assert all(worse > better for worse, better in pairwise(weights))


def test_a_function_may_have_ten_branches_and_pays_for_the_others() -> None:
    def of(*functions: int) -> float | None:
        return score([], Metrics((FileMetrics("a.py", 10, functions),))).overall

    assert of(10, 10, 10) == 100.0
    assert of(20) == round(100 * math.exp(-5 / 50), 1)
    assert of(12, 18) == of(20)


def test_the_overall_score_is_the_mean_over_files_however_long_they_are() -> None:
    metrics = Metrics((FileMetrics("bad.py", 10), FileMetrics("good.py", 90_000)))
    assert score([a_finding("bad.py", severity=Severity.HIGH)], metrics).overall == round((100 * math.exp(-0.4) + 100) / 2, 1)


def test_a_finding_in_a_file_without_code_counts_and_does_not_thin_out_the_others() -> None:
    metrics = Metrics((FileMetrics("app.py", 10), FileMetrics("README.md", 0)))
    bad = [a_finding("app.py", severity=Severity.CRITICAL)] * 3
    assert points(score([*bad, a_finding("README.md", severity=Severity.LOW)], metrics)) < points(score(bad, metrics))


def test_where_there_is_no_code_and_no_finding_there_is_no_score() -> None:
    assert score([], Metrics()).overall is None
    assert score([], Metrics((FileMetrics("README.md", 0),))).overall is None
    assert score([a_finding("README.md")], Metrics((FileMetrics("README.md", 0),))).overall == 85.2


def test_the_record_holds_the_three_numbers_and_the_worst_files_first() -> None:
    metrics = Metrics(
        (
            FileMetrics("a.py", 10, (1, 31), maintainability=40.04),
            FileMetrics("b.py", 30, (4,), maintainability=80.0),
            FileMetrics("c.sh", 7, because="its language is only counted by lines"),
        )
    )
    record = as_record(metrics, score([a_finding("c.sh", severity=Severity.CRITICAL)], metrics))
    assert (record["lines_of_code"], record["complexity"], record["highest_complexity"]) == (47, 12.0, 31)
    assert record["maintainability"] == 70.0
    assert record["by_lines_only"] == {"its language is only counted by lines": 1}
    assert [(file["path"], file["score"]) for file in record["worst_files"]] == [("c.sh", 44.9), ("a.py", 81.1)]


def test_of_many_bad_files_the_worst_are_listed() -> None:
    metrics = Metrics(tuple(FileMetrics(f"{number:04}.py", 1, (11 + number,)) for number in range(200)))
    listed = as_record(metrics, score([], metrics))["worst_files"]
    assert [file["path"] for file in listed] == [f"{number:04}.py" for number in range(199, 199 - MOST_LISTED, -1)]
