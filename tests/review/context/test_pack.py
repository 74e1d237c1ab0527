"""Whatever is packed keeps to its budget, overlaps nothing, and has the line numbers that it says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.context.at_base import unshown
from review.context.chunk import Chunk, Kind
from review.context.pack import FLOOR, MOST_OF_A_FILE, MOST_PLACES, cost, pack
from review.context.places import Weighed
from review.context.retrieved import Place
from review.models.shown_place import show_place
from tests.builders_diff import PROPERTY
from tests.builders_models import unblanked

pytestmark = pytest.mark.unit

Files = tuple[list[Weighed], dict[str, set[int]]]
LEFT_OUT = re.compile(r"\[lines (\d+)-(\d+) are left out\]")


def a_chunk(first: int = 1, lines: int = 10, symbol: str = "f", width: int = 30) -> Chunk:
    """A chunk each of whose lines says its number."""
    text = "\n".join(f"line {number} ".ljust(width, ".") for number in range(first, first + lines))
    return Chunk(Kind.FUNCTION if symbol else Kind.MODULE, symbol, first, first + lines - 1, text)


def weighed(chunk: Chunk, score: float = 1.0, path: str = "a.py", about: str = "") -> Weighed:
    return Weighed(path, chunk, score, "defines `f`, which the change uses", about)


def numbers(place: Place) -> list[int]:
    """The numbers of the lines that are shown, counted from its first line and what its rows say is left out."""
    found, at = [], place.first_line
    for row in place.text.split("\n"):
        gap = LEFT_OUT.fullmatch(row)
        if gap:
            assert int(gap[1]) == at
            at = int(gap[2]) + 1
        else:
            assert row.startswith(f"line {at} ")
            found.append(at)
            at += 1
    return found


@st.composite
def files(draw: st.DrawFn) -> Files:
    """Chunks of some files side by side, and the lines of these files that a diff shows."""
    shown, found = {}, []
    for path in draw(st.lists(st.sampled_from("abcd"), min_size=1, unique=True)):
        shown[path] = draw(st.sets(st.integers(1, 150)))
        first = 1
        for lines in draw(st.lists(st.integers(1, 90), max_size=6)):
            symbol = draw(st.sampled_from(["f", ""]))
            left = unshown(a_chunk(first, lines, symbol, draw(st.integers(10, 200))), shown[path])
            about = f"line {draw(st.integers(first, first + lines))}"
            if left:
                found.append(weighed(left, draw(st.floats(0, 2)), path, about))
            first += lines
    return sorted(found, key=lambda item: -item.score), shown


@PROPERTY
@given(files(), st.integers(0, 4_000))
def test_any_places_keep_to_the_budget_and_overlap_nothing(of: Files, budget: int) -> None:
    chunks, shown = of
    places = pack(chunks, budget)
    assert sum(map(cost, places)) <= budget
    assert sum(show_place(place, unblanked).tokens for place in places) <= budget
    lines = [(place.path, number) for place in places for number in numbers(place)]
    assert len(lines) == len(set(lines))
    assert not any(number in shown[path] for path, number in lines)
    for place in places:
        assert (place.first_line, place.last_line) == (numbers(place)[0], numbers(place)[-1])
        assert place.score >= FLOOR


def test_the_strongest_comes_first_and_a_weak_one_never() -> None:
    strong, stronger, weak = (weighed(a_chunk(), score, path) for score, path in ((0.8, "a"), (1.0, "b"), (FLOOR - 0.01, "c")))
    assert [place.path for place in pack([stronger, strong, weak], 4_000)] == ["b", "a"]


def test_few_places_and_fewer_of_one_file() -> None:
    of_one = [weighed(a_chunk(1 + 3 * number, 3)) for number in range(20)]
    of_many = [weighed(a_chunk(1, 3), path=f"{number}.py") for number in range(30)]
    assert len(pack(of_one, 4_000)) == MOST_OF_A_FILE
    assert len(pack(of_many, 4_000)) == MOST_PLACES


def test_a_long_place_is_cut_down_to_its_signature_and_the_lines_that_matter() -> None:
    (place,) = pack([weighed(a_chunk(100, 90), about="line 150")], 600)
    shown = numbers(place)
    assert shown[:2] == [100, 101]
    assert 150 in shown
    assert len(shown) == 24
    assert "[lines 102-" in place.text
    assert place.text.endswith("-189 are left out]")


def test_no_single_place_eats_the_whole_budget() -> None:
    (first, second) = pack([weighed(a_chunk(1, 60), path="a"), weighed(a_chunk(1, 5), path="b")], 700)
    assert cost(first) <= 350
    assert second.path == "b"


def test_what_stands_outside_of_definitions_is_shown_around_the_line_that_matters_only() -> None:
    (place,) = pack([weighed(a_chunk(1, 60, symbol=""), about="line 40")], 4_000)
    assert 40 in numbers(place)
    assert len(numbers(place)) == 12
    assert place.first_line > 30


def test_a_place_too_large_for_what_is_left_makes_way_for_a_smaller_one() -> None:
    (place,) = pack([weighed(a_chunk(1, 5, width=900), path="a"), weighed(a_chunk(1, 2), path="b")], 200)
    assert place.path == "b"


def test_nothing_fits_into_nothing() -> None:
    assert pack([weighed(a_chunk())], 0) == ()


def test_a_long_place_begins_with_its_signature_and_not_with_the_comment_above() -> None:
    text = "\n".join(
        [
            "/**",
            *(f" * line {n} of what f does" for n in range(20)),
            " */",
            "int f(int a,",
            "      int b) {",
            *["  a += b;"] * 40,
            "}",
        ]
    )
    chunk = Chunk(Kind.FUNCTION, "f", 101, 101 + text.count("\n"), text, signature="int f(int a, int b) {")
    (place,) = pack([Weighed("a.c", chunk, 1.0, "defines `f`, which the change uses", "f")], 300)
    assert (place.first_line, place.text.split("\n")[0]) == (123, "int f(int a,")
