"""A change is cut into pieces that lose nothing; what is too much for any piece is named."""

from collections.abc import Iterable

import pytest

from review.diff import Hunk
from review.models.condense import condensed
from review.models.pieces import LARGEST, MOST_HALVINGS, MOST_TOKENS, PIECES, SMALLEST, Piece, cut_into_pieces
from review.models.shown import ShownFile
from tests.builders_models import numbered, shown_file

pytestmark = pytest.mark.unit


def a_new_file(path: str, tokens: int) -> ShownFile:
    """A file of about that many tokens, with an empty line after every twenty."""
    lines = [f"value_{number:05} = compute({number:05})" if number % 20 else "" for number in range(1, tokens // 9 + 1)]
    return shown_file(path, "\n".join(lines) + "\n")


def texts(files: Iterable[ShownFile]) -> list[tuple[str, int | None, str]]:
    return [(file.path, line.new, line.text) for file in files for hunk in file.hunks for line in hunk.lines]


def of_pieces(pieces: Iterable[Piece]) -> list[tuple[str, int | None, str]]:
    return [text for piece in pieces for text in texts(piece.files)]


def test_small_files_are_seen_together() -> None:
    files = [a_new_file(f"{number}.py", 300) for number in range(20)]
    pieces, left_out = cut_into_pieces(files)
    assert ([piece.files for piece in pieces], left_out) == ([tuple(files)], [])


def test_nothing_at_all_is_no_piece() -> None:
    assert cut_into_pieces([]) == ([], [])


def test_a_file_that_fits_is_not_torn_apart() -> None:
    files = [a_new_file(f"{number}.py", 3_000) for number in range(7)]
    pieces, _ = cut_into_pieces(files)
    assert [[file.path for file in piece.files] for piece in pieces] == [
        ["0.py", "1.py"],
        ["2.py", "3.py"],
        ["4.py", "5.py"],
        ["6.py"],
    ]


@pytest.mark.parametrize("sizes", [[20_000], [9_000] * 9, [200] * 300, [60_000, 100, 60_000], [1_000, 90_000]])
def test_every_line_is_in_one_piece_and_no_piece_is_too_large(sizes: list[int]) -> None:
    files = [a_new_file(f"{place:03}.py", size) for place, size in enumerate(sizes)]
    pieces, left_out = cut_into_pieces(files)
    assert (of_pieces(pieces), left_out) == (texts(files), [])
    assert max(piece.tokens for piece in pieces) <= LARGEST


def test_a_large_change_is_cut_into_as_many_pieces_as_can_be_asked_at_once() -> None:
    files = [a_new_file(f"{number:03}.py", 2_500) for number in range(40)]
    pieces, _ = cut_into_pieces(files)
    assert PIECES - 3 <= len(pieces) <= PIECES


def test_a_huge_hunk_is_cut_at_an_empty_line() -> None:
    pieces, _ = cut_into_pieces([a_new_file("huge.py", 3 * SMALLEST)])
    assert [piece.files[0].hunks[-1].lines[-1].text for piece in pieces[:-1]] == [""] * (len(pieces) - 1)


def test_what_is_beyond_any_budget_is_left_out_by_whole_files_the_large_ones_first() -> None:
    files = [shown_file("large.py", f"{'x' * 999}\n" * (MOST_TOKENS // 280)), a_new_file("small.py", 1_000)]
    pieces, left_out = cut_into_pieces(files)
    assert [file.path for file in left_out] == ["large.py"]
    assert of_pieces(pieces) == texts(files[1:])


def test_a_large_change_does_without_its_documentation_and_a_small_one_does_not() -> None:
    prose = a_new_file("docs/guide.md", 5_000)
    assert cut_into_pieces([prose, a_new_file("a.py", 5_000)])[1] == []
    assert cut_into_pieces([prose, a_new_file("a.py", 110_000)])[1] == [prose]


def test_halves_hold_the_same_lines_as_the_whole() -> None:
    whole = Piece((a_new_file("a.py", 900), a_new_file("b.py", 4_000)))
    halves = whole.halves()
    assert halves
    assert of_pieces(halves) == of_pieces([whole])
    assert max(half.tokens for half in halves) < whole.tokens * 0.7


def test_halving_ends() -> None:
    pieces, rounds = [Piece((a_new_file("a.py", 16_000),))], 0
    while pieces:
        pieces = [half for piece in pieces for half in piece.halves() or ()]
        rounds += 1
    assert rounds == MOST_HALVINGS + 1


def test_a_piece_of_one_line_cannot_be_halved() -> None:
    assert Piece((shown_file("a.txt", "x" * 1_000 + "\n"),)).halves() is None


def test_a_small_change_is_shown_with_all_its_context() -> None:
    files = [shown_file("a.py", numbered(30).replace("line 15\n", "changed\n"), numbered(30))]
    assert condensed(files) == files


BIG = a_new_file("big.py", 45_000)


def large_with(head: str, base: str) -> tuple[Hunk, ...]:
    """The hunks of that file, as part of a large change."""
    return condensed([BIG, shown_file("a.py", head, base)])[1].hunks


def test_a_large_change_is_shown_with_one_line_of_context() -> None:
    (hunk,) = large_with(numbered(30).replace("line 15\n", "changed\n"), numbered(30))
    assert [line.text for line in hunk.lines] == ["line 14", "line 15", "changed", "line 16"]


def test_lines_between_two_changes_stay_when_they_are_few_and_part_the_hunk_when_they_are_more() -> None:
    head = numbered(40).replace("line 10\n", "a\n").replace("line 14\n", "b\n").replace("line 21\n", "c\n")
    assert [hunk.numbers_right for hunk in map(Numbers, large_with(head, numbered(40)))] == [(9, 15), (20, 22)]


class Numbers:
    def __init__(self, hunk: Hunk) -> None:
        new = [line.new for line in hunk.lines if line.new is not None]
        self.numbers_right = (new[0], new[-1])


def test_in_a_large_change_a_long_run_of_removed_lines_is_shortened_and_added_lines_never() -> None:
    (hunk,) = large_with("first\n" + numbered(60, "new") + "last\n", "first\n" + numbered(50, "old") + "last\n")
    assert sum(line.removed for line in hunk.lines) == 10
    assert sum(line.added for line in hunk.lines) == 60
    assert condensed([BIG])[0] == BIG
