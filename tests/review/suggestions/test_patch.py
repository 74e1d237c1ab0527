"""A suggestion laid on its file, and the file afterwards: as GitHub's button leaves it."""

import pytest

from review.finding import Suggestion
from review.suggestions.patch import Patch, apply_suggestions, as_lines, lay

pytestmark = pytest.mark.unit


def laid(data: bytes, suggestion: Suggestion) -> Patch:
    patch = lay("f", data, suggestion)
    assert isinstance(patch, Patch), patch
    return patch


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
