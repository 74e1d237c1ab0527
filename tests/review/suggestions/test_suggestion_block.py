"""The block that becomes a button: what is in it comes out again as it went in, whatever it holds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.finding import Suggestion
from review.suggestions.patch import Patch, lay
from review.suggestions.suggestion_block import suggestion_block
from tests.builders_diff import PROPERTY
from tests.sandbox.suggestions import _replaced, suggested
from tests.sandbox.world import Comment, User

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("x = 1", "```suggestion\nx = 1\n```"),
        ("", "```suggestion\n```"),
        ("```\na\n```", "````suggestion\n```\na\n```\n````"),
        ("a ````` b", "``````suggestion\na ````` b\n``````"),
        ("  indented\n\tx  ", "```suggestion\n  indented\n\tx  \n```"),
        ("a\r\nb\r", "```suggestion\na\r\nb\r\n```"),
        ("~~~\n~~~suggestion", "```suggestion\n~~~\n~~~suggestion\n```"),
    ],
)
def test_nothing_closes_a_block_from_inside(text: str, block: str) -> None:
    assert suggestion_block(Suggestion(1, 1, text)) == block
    assert suggested(block) == [text.split("\n") if text else []]


LINE = st.text(st.sampled_from("a`~ \tx\u2028\f"), max_size=8)


@settings(PROPERTY, max_examples=200)
@given(
    st.lists(LINE, min_size=1, max_size=6),
    st.lists(LINE, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.data(),
)
def test_a_block_applied_by_the_sandbox_gives_the_patchs_file(
    lines: list[str], new: list[str], end: str, ends: bool, data: st.DataObject
) -> None:
    """Whatever stands in it, fences included. A file and its suggestion come out as Patch.applied() says."""
    text = end.join(lines) + (end if ends or not lines[-1] else "")
    first = data.draw(st.integers(1, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    patch = lay("f", text.encode(), Suggestion(first, last, "\n".join(new)))
    if not isinstance(patch, Patch) or patch.new == ("",) or patch.applied() == text.encode():
        return
    body = f"Words.\n\n{suggestion_block(Suggestion(first, last, patch.replacement))}\n\nMore words."
    assert len(suggested(body)) == 1
    fields: Any = {
        "id": 1,
        "review": 1,
        "user": User(1, "x"),
        "body": body,
        "path": "f",
        "commit_id": "",
        "original_commit_id": "",
    }
    comment = Comment(**fields, side="RIGHT", line=last, original_line=last, start_line=first, original_start_line=first)
    assert _replaced(text.encode(), comment, 0) == patch.applied()
