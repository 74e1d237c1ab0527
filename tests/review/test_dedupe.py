"""Dedupe: the same thing is said once."""

import pytest

from review.dedupe import merged
from review.finding import Category, Severity, Side, Suggestion
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit


def test_a_model_and_an_analyzer_on_the_same_line_and_category_become_one() -> None:
    kept, dropped = merged([a_finding(source="openai", rule="mutable-default"), a_finding(severity=Severity.HIGH)])
    assert [(f.source, f.also) for f in kept] == [("ruff", ("openai:mutable-default",))]
    assert [d.because for d in dropped] == ["the same as ruff B006"]


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


def test_the_same_rule_twice_on_a_line_is_one() -> None:
    kept, dropped = merged([a_finding(), a_finding()])
    assert len(kept) == 1
    assert len(dropped) == 1
