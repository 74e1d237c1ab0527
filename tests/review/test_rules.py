"""Rules: what a repository may say in `.refactoriq.yml`, and what becomes of its mistakes."""

from time import perf_counter

import pytest

from review.finding import Category, Severity
from review.rules import Rules, parse_rules
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

KNOWN = ("ruff", "bandit", "secrets")


def test_a_repository_without_the_file_gets_the_defaults() -> None:
    read = parse_rules(None)
    assert read.rules == Rules()
    assert read.notes == ()


def test_every_documented_key_has_its_effect() -> None:
    read = parse_rules(
        b"""
paths:
  include: [src/**]
  exclude: ["src/generated/"]
severity: low
categories: [security, style]
max_comments: 5
analyzers: {bandit: false, ruff: true}
models: false
context: false
""",
        KNOWN,
    )
    assert read.notes == ()
    assert read.rules == Rules(
        include=("src/**",),
        exclude=("src/generated/",),
        min_severity=Severity.LOW,
        categories=frozenset({Category.SECURITY, Category.STYLE}),
        max_comments=5,
        analyzers_off=frozenset({"bandit"}),
        models=False,
        context=False,
    )


def test_include_and_exclude_work_together() -> None:
    rules = Rules(include=("src/**",), exclude=("src/generated/",))
    assert rules.covers("src/app.py")
    assert not rules.covers("src/generated/app.py")
    assert not rules.covers("docs/app.py")


def test_an_unknown_key_is_reported_and_the_rest_counts() -> None:
    read = parse_rules(b"severty: low\nmax_comments: 3\n", KNOWN)
    assert read.rules.max_comments == 3
    assert read.notes == (
        "`.refactoriq.yml`: unknown key `severty`; known are paths, severity, categories, max_comments, analyzers, models, "
        "context.",
    )


@pytest.mark.parametrize(
    "text",
    [
        "severity: terrible",
        "max_comments: 51",
        "max_comments: true",
        "max_comments: -1",
        "categories: security",
        "paths: [a]",
        "paths: {include: {a: b}}",
        "analyzers: [ruff]",
        "models: perhaps",
        "context: 1",
        "1: 2",
        "[a, b]",
        "{",
        "a: &a [*a]",
        "? [x]\n: y",
    ],
)
def test_a_wrong_value_is_a_sentence_and_never_fatal(text: str) -> None:
    read = parse_rules(text.encode(), KNOWN)
    assert read.rules == Rules()
    assert len(read.notes) == 1
    assert read.notes[0].endswith(".")


def test_of_a_list_of_categories_the_known_ones_count() -> None:
    read = parse_rules(b"categories: [security, magic]", KNOWN)
    assert read.rules.categories == {Category.SECURITY}
    assert "magic" in read.notes[0]


def test_an_unknown_analyzer_is_named() -> None:
    read = parse_rules(b"analyzers: {bandit: false, eslint: false}", KNOWN)
    assert read.rules.analyzers_off == {"bandit"}
    assert "eslint" in read.notes[0]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"x" * 70_000, b"[" * 5_000, b"\x00"])
def test_rubbish_leaves_the_defaults_and_a_note(data: bytes) -> None:
    read = parse_rules(data, KNOWN)
    assert read.rules == Rules()
    assert len(read.notes) == 1


def test_a_finding_below_the_threshold_is_not_wanted_and_says_why() -> None:
    assert "threshold" in Rules().why_unwanted(a_finding(severity=Severity.LOW))
    assert Rules().why_unwanted(a_finding(severity=Severity.MEDIUM)) == ""


def test_style_is_posted_only_when_asked_for() -> None:
    assert "style" in Rules().why_unwanted(a_finding(category=Category.STYLE))


def test_aliases_that_multiply_are_not_followed() -> None:
    levels = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9))
    started = perf_counter()
    read = parse_rules(f"a0: &a0 {{x: 1}}\n{levels}".encode())
    assert perf_counter() - started < 1
    assert read.notes == ("`.refactoriq.yml` is not valid YAML (without aliases); the defaults were used.",)
