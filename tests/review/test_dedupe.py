"""Dedupe: the same thing is said once."""

from time import perf_counter

import pytest

from review.dedupe import TWIN, merged
from review.finding import Category, Severity, Side, Suggestion
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit


def test_a_model_and_an_analyzer_on_the_same_line_and_category_become_one() -> None:
    kept, dropped = merged([a_finding(source="openai", rule="mutable-default"), a_finding(severity=Severity.HIGH)])
    assert [(f.source, f.also) for f in kept] == [("ruff", ("openai:mutable-default",))]
    assert [(d.finding.source, d.because) for d in dropped] == [("openai", TWIN)]


def test_the_survivor_takes_over_the_suggestion_it_lacks() -> None:
    fix = Suggestion(1, 1, "x")
    kept, _ = merged([a_finding(severity=Severity.HIGH), a_finding(source="openai", suggestion=fix)])
    assert kept[0].suggestion == fix


@pytest.mark.parametrize(
    "other",
    [
        a_finding(line=9, source="openai"),
        a_finding(path="b.py", source="openai"),
        a_finding(side=Side.LEFT, source="openai"),
        a_finding(category=Category.SECURITY, source="openai"),
        a_finding(rule="F401"),
        a_finding(line=1, last=40, source="openai"),
    ],
)
def test_different_things_stay_apart(other: object) -> None:
    kept, dropped = merged([a_finding(), other])  # type: ignore[list-item]
    assert len(kept) == 2
    assert dropped == []


def test_a_model_that_says_it_twice_in_other_words_says_it_once() -> None:
    kept, _ = merged([a_finding(source="openai", rule="one-slug"), a_finding(source="openai", rule="another", last=2)])
    assert [f.rule for f in kept] == ["another"]


def test_the_survivor_is_known_by_the_fingerprints_of_all() -> None:
    group = [
        a_finding(source=s, fingerprint=f, twins=t)
        for s, f, t in [("ruff", "a", ()), ("openai", "b", ("c", "a")), ("anthropic", "b", ())]
    ]
    (kept,), _ = merged(group)
    assert set(kept.fingerprints) == {"a", "b", "c"}
    assert len(kept.fingerprints) == 3


def test_a_thousand_findings_in_a_file_are_no_trouble() -> None:
    """Each is held only against those that share a line with it."""
    findings = [a_finding(line=n, last=n + 1, rule=f"R{n}") for n in range(1, 5000)]
    started = perf_counter()
    assert len(merged(findings)[0]) == len(findings)
    assert perf_counter() - started < 2


def test_the_same_rule_twice_on_a_line_is_one() -> None:
    kept, dropped = merged([a_finding(), a_finding()])
    assert len(kept) == 1
    assert len(dropped) == 1
