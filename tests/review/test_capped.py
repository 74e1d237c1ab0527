"""Capped: no body is too long for GitHub, and none is cut inside a fence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from review.capped import CUT, capped

pytestmark = pytest.mark.unit


def test_a_short_body_is_left_alone() -> None:
    assert capped("words", "\n\ntail") == "words\n\ntail"


def test_a_long_body_is_cut_at_a_paragraph_and_says_so() -> None:
    body = "\n\n".join(f"paragraph {n}" for n in range(10_000))
    out = capped(body, "\n<!-- mark -->")
    assert len(out) <= 64_000
    assert out.endswith(CUT + "\n<!-- mark -->")
    assert body.startswith(out.removesuffix(CUT + "\n<!-- mark -->") + "\n\n")


def test_a_cut_never_leaves_a_fence_open() -> None:
    body = "before\n\n````\n" + "code\n\n```\n\n" * 5_000 + "````\n\nafter"
    assert capped(body, limit=1_000) == "before" + CUT


def test_astral_characters_count_twice_as_github_counts_them() -> None:
    assert len(capped("a\n\n" + "😀" * 60, limit=110).encode("utf-16-le")) // 2 <= 110


@given(st.lists(st.sampled_from(["```", "````", "~~~", "", "text", "``` py", "more"]), max_size=40), st.integers(60, 200))
def test_whatever_is_kept_is_complete(lines: list[str], limit: int) -> None:
    out = capped("\n".join(lines), "", limit)
    assert len(out) <= limit
    if out.endswith(CUT):
        last = [t for t in MarkdownIt().parse(out) if t.type == "inline"][-1]
        assert "too long for GitHub" in last.content
