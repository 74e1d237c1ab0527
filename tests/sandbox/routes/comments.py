"""Comments on lines of the diff, one at a time, and the pull request's conversation."""

from tests.sandbox import shapes_pull as shapes
from tests.sandbox.anchors import Unplaced, follow, place
from tests.sandbox.answering import Answer, Call, Refused, invalid, missing, not_found
from tests.sandbox.routes.reviews import LONGEST_BODY
from tests.sandbox.world import Comment, IssueComment, PullRequest, Review, now

KIND = "PullRequestReviewComment"


def listed(call: Call) -> Answer:
    pull = call.pull
    return call.page(_seen(pull), lambda comment: shapes.comment(call.world, pull, comment))


def _seen(pull: PullRequest) -> list[Comment]:
    return [c for c in pull.comments.values() if c.review not in pull.reviews or pull.reviews[c.review].state != "PENDING"]


def create(call: Call) -> Answer:
    """Each comment made here is a review of its own, submitted at once."""
    pull, body = call.pull, _body(call, KIND)
    answered = call.given("in_reply_to", int)
    if answered is not None:
        return _reply(call, answered, body)
    commit_id, path = call.given("commit_id", str), call.given("path", str)
    if commit_id is None or path is None:
        raise missing(*[name for name, value in (("commit_id", commit_id), ("path", path)) if value is None])
    if not pull.has_commit(commit_id):
        raise invalid(KIND, "commit_id", "custom", "commit_id is not part of the pull request")
    review = _review_for(call, commit_id)
    comment = _placed(call, review, body, path)
    pull.reviews[review.id], pull.comments[comment.id] = review, comment
    follow(pull, comment)
    shape = shapes.comment(call.world, pull, comment)
    return Answer(201, shape, {"location": shape["url"]})


def _review_for(call: Call, commit_id: str) -> Review:
    if any(review.state == "PENDING" and review.user is call.actor for review in call.pull.reviews.values()):
        raise invalid("PullRequestReview", "user_id", "custom", "user_id can only have one pending review per pull request")
    return Review(next(call.world.ids), call.actor, "", "COMMENTED", commit_id, now())


def _placed(call: Call, review: Review, body: str, path: str) -> Comment:
    pull, number = call.pull, next(call.world.ids)
    if call.given("subject_type", str) == "file":
        if pull.changes.file(path) is None:
            raise invalid(KIND, "pull_request_review_thread.path", "invalid")
        sha = review.commit_id
        return Comment(
            number, review.id, call.actor, body, path, sha, sha, subject_type="file", position=1, original_position=1
        )
    try:
        where = place(pull, review.commit_id, call.body)
    except Unplaced as unplaced:
        field = f"pull_request_review_thread.{unplaced.field}"
        raise Refused(
            422,
            "Validation Failed",
            [
                {"resource": KIND, "code": "custom", "field": field, "message": f"{field} {unplaced.long}"},
                {"resource": KIND, "code": "missing_field", "field": "pull_request_review_thread.diff_hunk"},
            ],
        ) from None
    return where.comment(number, review.id, review.commit_id, call.actor, body)


def reply(call: Call) -> Answer:
    number = call.path["comment_id"]
    return _reply(call, int(number) if number.isdigit() else 0, _body(call, KIND))


def _reply(call: Call, answered: int, body: str) -> Answer:
    pull, first = call.pull, call.pull.comments.get(answered)
    if first is None or first.in_reply_to is not None:
        raise not_found()
    review = _review_for(call, first.commit_id)
    names = set(Comment.__slots__) - {"id", "review", "user", "body", "in_reply_to", "created_at", "updated_at", "applied"}
    place_of_first = {name: getattr(first, name) for name in names}
    comment = Comment(
        id=next(call.world.ids), review=review.id, user=call.actor, body=body, in_reply_to=first.id, **place_of_first
    )
    pull.reviews[review.id], pull.comments[comment.id] = review, comment
    shape = shapes.comment(call.world, pull, comment)
    return Answer(201, shape, {"location": shape["url"]})


def one(call: Call) -> Answer:
    pull, comment = _found(call)
    return Answer(200, shapes.comment(call.world, pull, comment))


def edit(call: Call) -> Answer:
    pull, comment = _own(call)
    comment.body, comment.updated_at = _body(call, KIND), now()
    return Answer(200, shapes.comment(call.world, pull, comment))


def delete(call: Call) -> Answer:
    pull, comment = _own(call)
    del pull.comments[comment.id]
    return Answer(204)


def _found(call: Call) -> tuple[PullRequest, Comment]:
    for pull in call.repository.pulls.values():
        for comment in _seen(pull):
            if str(comment.id) == call.path["comment_id"]:
                return pull, comment
    raise not_found()


def _own(call: Call) -> tuple[PullRequest, Comment]:
    pull, comment = _found(call)
    if comment.user is not call.actor:
        raise Refused(403, "Resource not accessible by integration")
    return pull, comment


def _body(call: Call, kind: str) -> str:
    body = call.given("body", str)
    if body is None:
        raise missing("body")
    if not body.strip():
        raise invalid(kind, "body", "missing_field")
    if len(body) > LONGEST_BODY:
        raise invalid(kind, "body", "custom", "body is too long (maximum is 65536 characters)")
    return str(body)


def talk(call: Call) -> Answer:
    pull = call.pull
    return call.page(list(pull.talk.values()), lambda said: shapes.issue_comment(call.world, pull, said))


def say(call: Call) -> Answer:
    pull = call.pull
    said = IssueComment(next(call.world.ids), call.actor, _body(call, "IssueComment"))
    pull.talk[said.id] = said
    shape = shapes.issue_comment(call.world, pull, said)
    return Answer(201, shape, {"location": shape["url"]})


def say_again(call: Call) -> Answer:
    pull, said = _said(call)
    said.body, said.updated_at = _body(call, "IssueComment"), now()
    return Answer(200, shapes.issue_comment(call.world, pull, said))


def unsay(call: Call) -> Answer:
    pull, said = _said(call)
    del pull.talk[said.id]
    return Answer(204)


def _said(call: Call) -> tuple[PullRequest, IssueComment]:
    for pull in call.repository.pulls.values():
        for said in pull.talk.values():
            if str(said.id) == call.path["comment_id"]:
                if said.user is not call.actor:
                    raise Refused(403, "Resource not accessible by integration")
                return pull, said
    raise not_found()
