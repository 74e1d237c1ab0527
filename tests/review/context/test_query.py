"""What a small change asks: names and words by weight, what it alters, what it loses, and never too much."""

import pytest

from review.context.query import MOST_NAMES, MOST_WORDS, Query, query_of
from review.diff import Diff
from tests.builders_diff import a_diff, a_diff_of

pytestmark = pytest.mark.unit

BEFORE = """import http

LIMIT = 5


class Client:
    def fetch(self, address):
        answer = http.get(address)
        return answer.body

    def close(self):
        self.open = False
"""
AFTER = BEFORE.replace("answer = http.get(address)", "answer = http.request(address, retryPolicy)")


def asked(before: str, after: str, path: str = "src/client.py") -> Query:
    return query_of(a_diff(path, before, after), {path: before.encode()})


def test_a_changed_line_weighs_more_than_those_around_it() -> None:
    query = asked(BEFORE, AFTER)
    assert query.names["retryPolicy"] > query.names["body"] > 0
    assert query.words["retry"] > query.words["body"]
    assert "LIMIT" not in query.names  # too far away


def test_the_definition_around_a_changed_line_is_altered() -> None:
    assert asked(BEFORE, AFTER).altered == {"fetch"}


def test_lines_that_are_only_added_alter_the_definition_that_they_come_into() -> None:
    after = BEFORE.replace("        self.open = False\n", "        self.open = False\n        self.done = True\n")
    assert asked(BEFORE, after).altered == {"close"}


def test_a_function_that_is_added_behind_another_does_not_alter_it() -> None:
    assert asked(BEFORE, BEFORE + "\n    def reopen(self):\n        self.open = True\n").altered == frozenset()


def test_a_constant_whose_line_changes_is_altered() -> None:
    assert asked(BEFORE, BEFORE.replace("LIMIT = 5", "LIMIT = 6")).altered == {"LIMIT"}


def test_names_that_stand_on_removed_lines_only_are_lost() -> None:
    assert asked(BEFORE, AFTER).lost == {"get"}


def test_the_whole_files_at_the_base_tell_what_they_define_and_mention() -> None:
    query = asked(BEFORE, AFTER)
    assert query.defined == {"LIMIT", "Client", "fetch", "close"}
    assert {"http", "LIMIT", "answer"} <= query.mentioned.keys()
    assert query.around["address"] >= 2


def test_a_file_that_is_new_or_not_at_hand_asks_by_its_lines_alone() -> None:
    query = query_of(a_diff("a.py", None, "def fresh():\n    return older()\n"), {})
    assert "older" in query.names
    assert query.altered == frozenset()
    assert query.paths == ("a.py",)


def test_what_two_files_say_weighs_more_than_what_one_says_twice() -> None:
    diff = a_diff_of({"a.py": (b"x\n", b"once(both)\nonce(2)\n"), "b.py": (b"y\n", b"both()\n")})
    query = query_of(diff, {})
    assert query.names["both"] > query.names["once"]


def test_a_renamed_file_is_asked_for_by_its_path_at_the_base() -> None:
    diff = Diff(tuple(a_diff("new.py", "a = 1\n", "a = 2\n").files))
    renamed = type(diff.files[0])("new.py", previous_path="old.py", hunks=diff.files[0].hunks)
    assert query_of(Diff((renamed,)), {"old.py": b"a = 1\n"}).paths == ("old.py",)


def test_a_huge_change_asks_no_more_than_an_index_answers_quickly() -> None:
    lines = "".join(
        f"some_name_{letter}{other} = called{other.upper()}{letter}()\n"
        for letter in "abcdefghijklmnop"
        for other in "qrstuvwxyz" * 3
    )
    query = query_of(a_diff("a.py", "", lines * 20), {})
    assert len(query.words) <= MOST_WORDS
    assert len(query.names) <= MOST_NAMES


def test_a_diff_without_files_asks_nothing() -> None:
    query = query_of(Diff(), {})
    assert query.paths == ()
    assert not query.words
    assert query.text == ""
