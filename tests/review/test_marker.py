"""Marker: the bot knows its own reviews again, and takes nobody else's for its own."""

import pytest

from review.marker import Marker, without_marks

pytestmark = pytest.mark.unit

HEAD = "a" * 40


def test_a_marked_body_names_its_head() -> None:
    marker = Marker(b"key", 1, 2, "main")
    assert marker.heads(f"text\n{marker.mark(HEAD)}\n{marker.mark('b' * 40)}") == {HEAD, "b" * 40}


@pytest.mark.parametrize(
    "other",
    [
        Marker(b"other", 1, 2, "main"),
        Marker(b"key", 9, 2, "main"),
        Marker(b"key", 1, 9, "main"),
        Marker(b"key", 1, 2, "release"),
    ],
)
def test_a_mark_of_another_key_repository_pull_request_or_base_does_not_count(other: Marker) -> None:
    assert Marker(b"key", 1, 2, "main").heads(other.mark(HEAD)) == set()


def test_the_key_is_never_printed() -> None:
    assert "key" not in repr(Marker(b"secretkey", 1, 2, "main")).replace("key=", "")


def test_marks_can_be_taken_out_of_a_body() -> None:
    assert without_marks(f"words {Marker(b'k', 1, 2, 'main').mark(HEAD)}\n") == "words"
