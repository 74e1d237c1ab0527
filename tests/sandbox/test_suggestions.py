"""Suggestions on the sandbox: applied verbatim where GitHub's page applies them, refused where its button is off."""

import pytest

from tests.builders import Files
from tests.sandbox.conftest import Octo
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.suggestions import SuggestionRefused, suggested
from tests.sandbox.world import Comment

pytestmark = pytest.mark.integration


def comment_on(octo: Octo, head: Files, line: int, body: str, start: int | None = None, side: str = "RIGHT") -> Comment:
    """One comment on a file `f` of a new pull request."""
    github: SandboxGitHub = octo.github
    pull = github.open_pull_request("octo/app", head)
    given = {"path": "f", "line": line, "side": side, "body": body}
    if start is not None:
        given |= {"start_line": start, "start_side": side}
    answer = octo.api.post(f"/repos/octo/app/pulls/{pull.number}/reviews", json={"event": "COMMENT", "comments": [given]})
    assert answer.status_code == 200, answer.text
    return github.comments("octo/app", pull.number)[0]


def block(text: str, fence: str = "```") -> str:
    return f"Better:\n{fence}suggestion\n{text}{fence}\n"


@pytest.mark.parametrize(
    ("file", "first", "last", "text", "after"),
    [
        (b"a\nb\nc\n", None, 2, "B\n", b"a\nB\nc\n"),
        (b"a\nb\nc\n", 1, 2, "B\n", b"B\nc\n"),
        (b"a\nb\nc\n", None, 2, "", b"a\nc\n"),
        (b"a\nb\nc\n", None, 2, "\n", b"a\n\nc\n"),
        (b"a\nb\nc\n", None, 2, "b\nb2\n", b"a\nb\nb2\nc\n"),
        (b"a\nb", None, 2, "B\n", b"a\nB"),
        (b"a\r\nb\r\nc\r\n", 1, 2, "A\r\nB\n", b"A\r\nB\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", 1, 2, "A\r\nB\r\n", b"A\r\nB\r\nc\r\n"),
        (b"\tif x:\n\t\ty\n", None, 2, "\t\tz\n", b"\tif x:\n\t\tz\n"),
        ("ä\n".encode(), None, 1, "ö\n", "ö\n".encode()),
    ],
)
def test_the_lines_are_replaced_as_they_stand(
    octo: Octo, file: bytes, first: int | None, last: int, text: str, after: bytes
) -> None:
    comment = comment_on(octo, {"f": file}, last, block(text), first)
    assert octo.github.apply_suggestion(comment) == after


def test_a_longer_fence_holds_shorter_ones() -> None:
    assert suggested(block("```\ncode\n```\n", "````")) == [["```", "code", "```"]]
    assert suggested("```python\nx\n```\n") == []
    assert suggested("````\n```suggestion\nx\n```\n````\n") == []
    assert suggested(block("a\n") + block("")) == [["a"], []]


def test_the_page_refuses_what_github_refuses(octo: Octo) -> None:
    octo.github.push_base("octo/app", {"f": "a\nb\nc\n"})
    same = comment_on(octo, {"f": "a\nB\nc\n"}, 2, block("B\n"))
    left = comment_on(octo, {"f": "a\nB2\nc\n"}, 2, block("x\n"), side="LEFT")
    none = comment_on(octo, {"f": "a\nB3\nc\n"}, 2, "no block")
    for comment, words in ((same, "no changes"), (left, "deleted lines"), (none, "no such suggestion")):
        with pytest.raises(SuggestionRefused, match=words):
            octo.github.apply_suggestion(comment)


def test_closed_pending_outdated_and_applied_ones_are_refused(octo: Octo) -> None:
    comment = comment_on(octo, {"f": "a\n"}, 1, block("b\n"))
    pull = octo.github.pull("octo/app", 2)
    octo.github.close(pull)
    with pytest.raises(SuggestionRefused, match="closed"):
        octo.github.apply_suggestion(comment)
    octo.github.reopen(pull)
    pull.reviews[comment.review].state = "PENDING"
    with pytest.raises(SuggestionRefused, match="pending"):
        octo.github.apply_suggestion(comment)
    pull.reviews[comment.review].state = "COMMENTED"
    octo.github.commit_suggestions([comment])
    assert octo.repository.resolve("change-2") == pull.head_sha
    with pytest.raises(SuggestionRefused, match="applied"):
        octo.github.apply_suggestion(comment)
    comment.applied = False
    with pytest.raises(SuggestionRefused, match="Outdated"):
        octo.github.apply_suggestion(comment)


def test_a_batch_applies_together_and_never_twice_to_one_line(octo: Octo) -> None:
    pull = octo.github.open_pull_request("octo/app", {"f": "a\nb\nc\nd\n", "g": "x\n"})
    rows = [("f", 1, None, "A1\nA2\n"), ("f", 4, 3, "D\n"), ("f", 3, None, "C\n"), ("g", 1, None, "y\n")]
    comments = [
        {"path": path, "line": line, "side": "RIGHT", "body": block(text)} | ({"start_line": start} if start else {})
        for path, line, start, text in rows
    ]
    octo.api.post(f"/repos/octo/app/pulls/{pull.number}/reviews", json={"event": "COMMENT", "comments": comments})
    one, two, three, four = octo.github.comments("octo/app", pull.number)
    assert octo.github.apply_suggestions([one, two, four]) == {"f": b"A1\nA2\nb\nD\n", "g": b"y\n"}
    with pytest.raises(SuggestionRefused, match="one suggestion per line"):
        octo.github.apply_suggestions([two, three])
