"""Any words at all in any place: no body is too long, ends in a fence, calls anybody or loses its mark."""

import re

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from review.analysis import Analysis, Dropped, Skipped
from review.capped import MAX_BODY
from review.comments import write_note, write_review, write_update
from review.finding import Suggestion, Verdict
from review.marker import Marker
from tests.builders_diff import PROPERTY, a_diff
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

HEAD = "0123456789abcdef0123456789abcdef01234567"
MARKER = Marker(b"key", 7, 1, "main")
TEXT = "".join(f"line {number}\n" for number in range(1, 31))
DIFF = a_diff("app.py", TEXT, TEXT.replace("line 5\n", "five\n"))

WORDS = st.lists(
    st.sampled_from([
        "word", "\n\n", "\n", "```", "````\n", "~~~", "`", "- ", "1. ", "> ", "@octocat", "@org/team", "#12", "o/r#3", "GH-7",
        "<!-- x -->", "<img>", "</details>", "![i](http://x)", "[l](http://x)", "https://x.y", "www.x.y", "$a$", "\u202e", "\0",
        "| a |", "    code", "LONG", "`" * 7, "*b*", "\\", "&lt;", "\r\n", "\ud800", "FOXES", "```suggestion\nx\n```",
    ]),
    max_size=20,
).map(" ".join)  # fmt: skip


def grown(text: str) -> str:
    """The text at its full length: kept short until here, for hypothesis writes down each example."""
    return text.replace("LONG", "a" * 3_000).replace("FOXES", "🦊" * 1_000)


def sound(text: str) -> str:
    """A replacement as it may be once it is verified: no unpaired surrogate."""
    return grown(text).replace("\ud800", "")


def outside_code(body: str) -> str:
    """The body without fenced blocks, code spans and our own marks."""
    kept, fence = [], ""
    for line in body.split("\n"):
        match = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if not fence and match and not (match[1][0] == "`" and "`" in line[match.end() :]):
            fence = match[1]
        elif fence and re.fullmatch(rf" {{0,3}}{fence[0]}{{{len(fence)},}}\s*", line):
            fence = ""
        elif not fence:
            kept.append(line)
    assert fence == "", "the body ends inside a fence"
    return re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)|<!-- refactoriq:\S+( mac=\w+)? -->", "", "\n".join(kept))


@settings(PROPERTY, max_examples=60, phases=(Phase.generate,))  # shrinking long texts takes minutes
@given(st.lists(st.tuples(WORDS, WORDS, st.integers(1, 30)), max_size=40), WORDS, WORDS)
def test_no_body_is_too_long_ends_in_a_fence_or_calls_anybody(
    all_said: list[tuple[str, str, int]], path: str, note: str
) -> None:
    findings = [
        a_finding(line=line, message=grown(said), rule=rule, suggestion=Suggestion(5, 5, sound(said), Verdict.VERIFIED))
        for said, rule, line in all_said
    ]
    skipped = tuple(Skipped(f"{path}{number}", note) for number in range(40))
    dropped = tuple(Dropped(finding, note) for finding in findings)
    analysis = Analysis(HEAD, tuple(findings), dropped, (path,), skipped, ("ruff",), (note,), notes=(note,) * 5)
    review = write_review(analysis, DIFF, MARKER) or write_note(analysis, MARKER)
    bodies = [review.body, write_update(review.body, analysis, MARKER, 2), *(comment.body for comment in review.comments)]
    for body in bodies:
        assert len(body.encode("utf-16-le")) // 2 <= MAX_BODY
        words = outside_code(body)
        assert not re.search(r"(?<![\w`])@\w|(?<!\\)<(?!/?details|/?summary|!-- refactoriq)|!\[|\]\((?!https://)", words), words
        assert not re.search(r"#\d|https?://|www\.", words), words
    assert MARKER.heads(review.body) == {HEAD}
