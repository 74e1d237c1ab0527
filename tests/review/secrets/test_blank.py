"""Blanked: no secret goes to a model or is posted, and the text around it stays as it was."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.comments import place
from review.finding import Suggestion, Verdict
from review.parse_diff import parse_diff
from review.secrets.blank import blank_secrets
from tests.builders_review import a_finding
from tests.builders_secrets import MADE_UP, letters, private_key

pytestmark = pytest.mark.unit


def test_a_secret_becomes_its_first_characters_and_a_mark() -> None:
    key = "AKIA" + "Q" * 16
    assert blank_secrets(f'key = "{key}"  # mine') == 'key = "AKIA…[secret]"  # mine'


def test_of_a_short_password_less_is_shown() -> None:
    assert blank_secrets('password = "s3cr3tPa55"') == 'password = "s3…[secret]"'


@pytest.mark.parametrize("rule", MADE_UP)
def test_every_kind_is_blanked_and_the_lines_stay(rule: str) -> None:
    text = f"before\n{MADE_UP[rule]}\nafter\n"
    out = blank_secrets(text)
    assert "…[secret]" in out
    assert out.count("\n") == text.count("\n")
    assert out.startswith("before\n")
    assert out.endswith("\nafter\n")
    for hidden in (letters(12), "Q" * 16, "0a1b2c3d0a1b", "IBADANBgkq7h", "NoPqRsTuVw"):
        assert hidden not in out


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_line_of_a_private_key_is_blanked(end: str) -> None:
    lines = blank_secrets(private_key(lines=3, end=end)).split(end)
    assert lines[1:-1] == ["MIIE…[secret]", "…[secret]", "…[secret]"]
    assert lines[0].startswith("-----BEGIN")
    assert lines[-1].startswith("-----END")


def test_a_key_that_replaces_another_is_blanked_in_the_diff_s_lines_too() -> None:
    old, new = (private_key(lines=4).split("\n")[1:-1] for _ in range(2))
    text = "\n".join([private_key().split("\n")[0], *old, *new, private_key().split("\n")[-1]])
    assert "IBADANBgkq" not in blank_secrets(text)


def test_the_last_lines_of_a_key_are_blanked_where_a_diff_shows_no_more() -> None:
    shown = blank_secrets("\n".join([*(f'    "{line}\\\\n"' for line in private_key().split("\n")[3:]), "x = 1"]))
    assert "IBADANBgkq" not in shown
    assert shown.endswith("x = 1")


@given(st.lists(st.sampled_from([*MADE_UP.values(), "x = 1", "password", "://", '"', "…[secret]", "ghp_"]), max_size=8))
def test_blanking_twice_changes_nothing_and_no_line_is_lost(parts: list[str]) -> None:
    text = "\n".join(parts)
    once = blank_secrets(text)
    assert blank_secrets(once) == once
    assert once.count("\n") == text.count("\n")


DIFF = parse_diff(b"diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n")


def test_a_message_is_posted_without_the_secret_that_it_repeats() -> None:
    token = "ghp_" + letters(36)
    (comment,), _ = place([a_finding(message=f"The token {token} is public.")], DIFF, 50)
    assert token not in comment.body
    assert "ghp\\_…" in comment.body or "ghp_…" in comment.body


def test_a_suggestion_that_carries_a_secret_is_not_posted_and_its_finding_is() -> None:
    harmless = Suggestion(1, 1, "x = 3", Verdict.VERIFIED)
    secret = replace(harmless, replacement='x = "' + "ghp_" + letters(36) + '"')
    (with_block,), _ = place([a_finding(suggestion=harmless)], DIFF, 50)
    (without,), _ = place([a_finding(suggestion=secret)], DIFF, 50)
    assert "```suggestion" in with_block.body
    assert "suggestion" not in without.body
    assert letters(12) not in without.body
    assert "mutable default" in without.body
