"""Patterns mean what they mean to git, and none is slow on any path."""

import random
from time import perf_counter

import pathspec
import pytest

from review.patterns import compiled, matches
from review.rules import parse_rules

pytestmark = pytest.mark.unit

PIECES = ("a", "b", "?", "/", "**/", "[ab]", "*a*", "*", r"\*", "*?", "**")


def test_they_match_what_pathspec_matches() -> None:
    chance = random.Random(7)
    for _ in range(3_000):
        pattern = "".join(chance.choices(PIECES, k=chance.randint(1, 6)))
        path = "/".join("".join(chance.choices("aab*", k=chance.randint(1, 4))) for _ in range(chance.randint(1, 4)))
        try:
            found = matches((pattern,), path)
        except ValueError:
            continue
        assert found == pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(path), (pattern, path)


def test_what_is_in_no_set_is_no_slash() -> None:
    assert matches(("a[!b]c",), "axc")
    assert not matches(("a[!b]c",), "a/c")


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 30 + "*b", "*[ab]" * 30 + "*c", "*[!b]" * 30 + "*/b", "*?" * 30 + "/b", "*" * 40 + "b", "a/**/a/**/b",
     "**/*a*/**/*b", "*a\\*" * 20 + "*", "*aa" * 20 + "b", "*a/" * 30 + "b"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["a" * 4_000, "a/" * 2_000 + "c", "aa/" * 1_300, "ab" * 2_000])
def test_no_pattern_is_slow_on_any_path(pattern: str, path: str) -> None:
    started = perf_counter()
    try:
        matches((pattern,), path.strip("/"))
    except ValueError as refused:
        assert "wildcards" in str(refused)
    assert perf_counter() - started < 2


def test_a_pattern_that_would_be_slow_is_named() -> None:
    read = parse_rules(b"paths: {exclude: ['a/**/a/**/a/**/b']}")
    assert read.rules.exclude == ()
    assert "or one too slow: a/**/a/**/a/**/b" in read.notes[0]
    with pytest.raises(ValueError, match="wildcards"):
        compiled(("a/**/a/**/a/**/b",))
