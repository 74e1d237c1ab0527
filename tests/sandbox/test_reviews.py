"""Reviews on the sandbox: every comment on a line of the diff, all or nothing, one pending review, GitHub's limits."""

from typing import Any

import pytest

from tests.builders import Symlink
from tests.sandbox.conftest import Octo, on

pytestmark = pytest.mark.integration


def test_a_review_stands_whole_under_the_bots_name(octo: Octo) -> None:
    answer = octo.review(on(1), on(16, start_line=13, start_side="RIGHT"), on(2, path="gone.py", side="LEFT"))
    review = answer.json()
    assert answer.status_code == 200
    assert (review["user"]["login"], review["user"]["type"], review["state"]) == ("refactoriq[bot]", "Bot", "COMMENTED")
    comments = octo.get(f"/pulls/1/reviews/{review['id']}/comments").json()
    assert [(c["path"], c["side"], c["start_line"], c["line"]) for c in comments] == [
        ("app.py", "RIGHT", None, 1),
        ("app.py", "RIGHT", 13, 16),
        ("gone.py", "LEFT", None, 2),
    ]
    assert comments[0]["diff_hunk"].startswith("@@ -1,4 +1,4 @@\n-import os\n+import sys")
    assert octo.get("/pulls/1/comments").json() == comments


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        (on(8), "Line could not be resolved"),
        (on(400), "Line could not be resolved"),
        (on(1, path="nothing.py"), "Path could not be resolved"),
        (on(1, path="gone.py"), "Line could not be resolved"),
        (on(1, start_line=1, start_side="RIGHT"), "start line must precede the end line."),
        (on(14, start_line=2, start_side="RIGHT"), "start line must be part of the same hunk as the line."),
        (on(16, start_line=8, start_side="RIGHT"), "start line must be part of the same hunk as the line."),
        ({"path": "app.py", "position": 99, "body": "x"}, "Position could not be resolved"),
    ],
)
def test_one_comment_beside_the_diff_loses_the_whole_review(octo: Octo, comment: dict[str, Any], words: str) -> None:
    answer = octo.review(on(1), comment)
    errors = answer.json()["errors"]
    assert answer.status_code == 422
    assert len(errors) == 1 and errors[0].endswith(words)
    assert octo.github.reviews("octo/app", 1) == []
    assert octo.github.comments("octo/app", 1) == []


def test_a_range_may_go_from_a_deleted_line_to_an_added_one(octo: Octo) -> None:
    assert octo.review(on(1, start_line=1, start_side="LEFT")).status_code == 200
    assert octo.review(on(1, side="LEFT", start_line=1, start_side="RIGHT")).status_code == 422


def test_a_position_is_resolved_to_its_line(octo: Octo) -> None:
    octo.review({"path": "app.py", "position": 2, "body": "x"})
    assert [(c.line, c.side) for c in octo.github.comments("octo/app", 1)] == [(1, "RIGHT")]


def test_comments_lack_no_field_and_bring_no_other(octo: Octo) -> None:
    octo.github.accept_violations = True
    assert octo.review(event="APPLAUSE").status_code == 422
    wrong: list[dict[str, Any]] = [
        {"path": "app.py", "body": "x"},
        {"path": "app.py", "line": 1},
        {"line": 1, "body": "x"},
        on(1, subject_type="file"),
        on(1, side="UP"),
        on(1, body=" "),
        {"path": "app.py", "line": "1", "body": "x"},
    ]
    assert [octo.review(comment).status_code for comment in wrong] == [422] * len(wrong)


def test_bodies_are_bounded_and_a_comment_says_something(octo: Octo) -> None:
    assert octo.review(body="x" * 65_536).status_code == 200
    assert octo.review(body="x" * 65_537).status_code == 422
    assert octo.review(on(1, body="x" * 65_537)).status_code == 422
    assert octo.review(body="").status_code == 422
    assert octo.review(on(1), body="").status_code == 200


def test_a_commit_outside_the_pull_request_is_refused(octo: Octo) -> None:
    before = octo.pull.head_sha
    octo.github.push(octo.pull, {"new.py": "three = 3\n"})
    assert octo.review(commit_id=before).status_code == 200
    octo.github.push(octo.pull, {"new.py": "four = 4\n"}, force=True)
    refused = octo.review(commit_id=before)
    assert (refused.status_code, refused.json()["errors"]) == (422, ["The commitOID is not part of the pull request"])


def test_only_one_review_may_be_pending_and_it_is_seen_by_its_author_only(octo: Octo) -> None:
    pending = octo.review(on(1), event=None).json()
    assert "submitted_at" not in pending
    assert octo.review().json()["errors"] == ["User can only have one pending review per pull request"]
    assert octo.get("/pulls/1/comments").json() == []
    assert len(octo.get("/pulls/1/reviews").json()) == 1
    submitted = octo.api.post(f"/repos/octo/app/pulls/1/reviews/{pending['id']}/events", json={"event": "COMMENT"})
    assert submitted.json()["state"] == "COMMENTED"
    assert len(octo.get("/pulls/1/comments").json()) == 1


def test_pending_reviews_can_be_deleted_and_submitted_ones_only_edited(octo: Octo) -> None:
    left = octo.github.leave_pending_review(octo.pull)
    assert octo.api.delete(f"/repos/octo/app/pulls/1/reviews/{left.id}").status_code == 200
    review = octo.review().json()
    path = f"/repos/octo/app/pulls/1/reviews/{review['id']}"
    assert octo.api.delete(path).status_code == 422
    assert octo.api.put(path, json={"body": "Better."}).json()["body"] == "Better."
    assert octo.get(f"/pulls/1/reviews/{review['id']}").json()["body"] == "Better."


def test_nobody_approves_an_own_pull_request(octo: Octo) -> None:
    octo.github.open_pull_request("octo/app", {"x": "y"}, author="refactoriq[bot]", author_type="Bot")
    path = "/repos/octo/app/pulls/2/reviews"
    assert octo.api.post(path, json={"event": "APPROVE"}).status_code == 422
    assert octo.api.post("/repos/octo/app/pulls/1/reviews", json={"event": "APPROVE"}).json()["state"] == "APPROVED"


def test_a_push_carries_comments_along_or_makes_them_outdated(octo: Octo) -> None:
    octo.review(on(1), on(2, path="new.py"), on(16, start_line=15, start_side="RIGHT"))
    octo.github.push(octo.pull, {"new.py": "zero = 0\none = 1\ntwo = 2\n", "app.py": "import re\n"})
    told = octo.get("/pulls/1/comments").json()
    assert [(c["path"], c["line"], c["original_line"]) for c in told] == [
        ("app.py", None, 1),
        ("new.py", 3, 2),
        ("app.py", None, 16),
    ]
    assert told[1]["commit_id"] == octo.pull.head_sha
    assert told[0]["position"] is None


def test_single_comments_are_reviews_of_their_own_and_say_what_is_wrong_in_objects(octo: Octo) -> None:
    path, commit = "/repos/octo/app/pulls/1/comments", {"commit_id": octo.pull.head_sha}
    assert octo.api.post(path, json=on(1) | commit).status_code == 201
    whole = octo.api.post(path, json={"path": "app.py", "body": "x", "subject_type": "file"} | commit)
    assert (whole.status_code, whole.json()["line"]) == (201, None)
    wrong = octo.api.post(path, json=on(8) | commit)
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "pull_request_review_thread.line"
    assert len(octo.github.reviews("octo/app", 1)) == 2
    first = octo.github.comments("octo/app", 1)[0]
    reply = octo.api.post(f"{path}/{first.id}/replies", json={"body": "Indeed."})
    assert reply.json()["in_reply_to_id"] == first.id


def test_files_without_lines_take_no_comments(octo: Octo) -> None:
    octo.github.push_base("octo/app", {"bin": b"\0\1\2", "old.py": "a = 1\nb = 2\nc = 3\n"})
    head = {"bin": b"\0\1\3", "old.py": None, "moved.py": "a = 1\nb = 2\nc = 3\n", "link": Symlink("app.py")}
    octo.github.open_pull_request("octo/app", head)
    path = "/repos/octo/app/pulls/2/reviews"
    answers = [
        octo.api.post(path, json={"event": "COMMENT", "comments": [on(1, path=name)]}) for name in ("bin", "moved.py", "link")
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 200]


def test_the_conversation_takes_comments(octo: Octo) -> None:
    path = "/repos/octo/app/issues/1/comments"
    said = octo.api.post(path, json={"body": "Hello 🌍"}).json()
    octo.github.say(octo.pull, "Hi")
    assert [row["body"] for row in octo.api.get(path).json()] == ["Hello 🌍", "Hi"]
    edit = f"/repos/octo/app/issues/comments/{said['id']}"
    assert octo.api.patch(edit, json={"body": "Bye"}).json()["body"] == "Bye"
    assert octo.api.delete(edit).status_code == 204
    assert octo.api.post(path, json={"body": "x" * 65_537}).status_code == 422
