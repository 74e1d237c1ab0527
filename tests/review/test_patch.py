"""A suggestion laid on its file, and the file afterwards: as GitHub's button leaves it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.finding import Suggestion
from review.lines import common_end, end_of, line_texts, split_lines
from review.patch import Patch, apply_suggestions, as_lines, lay
from review.suggestion_block import suggestion_block
from tests.builders_diff import PROPERTY
from tests.sandbox.suggestions import _replaced, suggested
from tests.sandbox.world import Comment, User

pytestmark = pytest.mark.unit


def laid(data: bytes, suggestion: Suggestion) -> Patch:
    patch = lay("f", data, suggestion)
    assert isinstance(patch, Patch), patch
    return patch


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [b"\n"]),
        (b"a", [b"a"]),
        (b"a\nb", [b"a\n", b"b"]),
        (b"a\r\nb\rc\n", [b"a\r\n", b"b\rc\n"]),
        (b"a\fb\x0bc\x1cd\x85e\n", [b"a\fb\x0bc\x1cd\x85e\n"]),
        ("a\u2028b\u2029c\n".encode(), ["a\u2028b\u2029c\n".encode()]),
    ],
)
def test_only_a_line_feed_ends_a_line(data: bytes, lines: list[bytes]) -> None:
    assert split_lines(data) == lines
    assert b"".join(split_lines(data)) == data
    assert len(line_texts(data)) == len(lines)


def test_the_ends_of_lines() -> None:
    assert [end_of(line) for line in (b"a\r\n", b"a\n", b"a", b"a\r", b"\r\n", b"")] == [b"\r\n", b"\n", b"", b"", b"\r\n", b""]
    assert common_end([b"a\r\n", b"b\r\n", b"c\n"]) == "\r\n"
    assert common_end([b"a\r\n", b"b\n"]) == common_end([b"a"]) == common_end([]) == "\n"
    assert line_texts(b"caf\xe9\r\n") == ["caf\udce9\r"]


def test_a_patch_knows_its_neighbours() -> None:
    patch = laid(b"a\nb\nc\nd\n", Suggestion(2, 3, "B"))
    assert (patch.before, patch.old, patch.new, patch.after) == (("a",), ("b", "c"), ("B",), ("d",))
    assert patch.applied() == b"a\nB\nd\n"


@pytest.mark.parametrize(
    ("data", "suggestion", "because"),
    [
        (b"\xff\n", Suggestion(1, 1, "a"), "the file is not UTF-8"),
        (b"\xef\xbb\xbfa\n", Suggestion(1, 1, "a"), "the file begins with a byte order mark, which a comment cannot carry"),
        (b"a\n", Suggestion(2, 2, "b"), "the file has no lines 2 to 2"),
        (b"a\n", Suggestion(0, 1, "b"), "the file has no lines 0 to 1"),
        (b"a\nb\n", Suggestion(2, 1, "b"), "the file has no lines 2 to 1"),
        (b"", Suggestion(1, 1, "b"), "the file has no lines 1 to 1"),
        (b"a\r\nb\n", Suggestion(1, 1, "b"), "the file mixes two kinds of line ends"),
    ],
)
def test_where_it_cannot_be_laid_it_says_why(data: bytes, suggestion: Suggestion, because: str) -> None:
    assert lay("f", data, suggestion) == because


@pytest.mark.parametrize(
    ("data", "replacement", "held"),
    [
        (b"a\nb\n", "x\ny", "x\ny"),
        (b"a\r\nb\r\n", "x\ny", "x\r\ny\r"),
        (b"a\r\nb\r\n", "x\r\ny\r", "x\r\ny\r"),
        (b"a\r\nb", "x\ny", "x\r\ny"),
        (b"a\r\nb\r\n", "", ""),
    ],
)
def test_each_line_of_a_replacement_ends_as_the_files_do(data: bytes, replacement: str, held: str) -> None:
    assert laid(data, Suggestion(2, 2, replacement)).replacement == held


def test_lines_of_a_replacement_whatever_their_ends() -> None:
    assert as_lines("") == ()
    assert as_lines("a\r\nb\nc\r") == ("a", "b", "c")
    assert as_lines("a\n") == ("a", "")


def test_a_batch_is_applied_from_below() -> None:
    batch = [Suggestion(1, 1, "A\nA2"), Suggestion(4, 4, ""), Suggestion(2, 3, "BC")]
    assert apply_suggestions(b"a\nb\nc\nd\ne", batch) == b"A\nA2\nBC\ne"
    assert apply_suggestions(b"a\nb", [Suggestion(2, 2, "")]) == b"a\n"


@pytest.mark.parametrize("batch", [[(1, 2), (2, 3)], [(1, 1), (1, 1)], [(0, 1)], [(3, 4)], [(2, 1)]])
def test_overlapping_or_absent_lines_are_an_error(batch: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="not in the file, or another"):
        apply_suggestions(b"a\nb\nc\n", [Suggestion(first, last, "x") for first, last in batch])


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
