"""Reviews of a pull request: all or nothing, one pending for each author, every comment on a line of the diff."""

from tests.sandbox import shapes_pull as shapes
from tests.sandbox.anchors import Unplaced, follow, place
from tests.sandbox.answering import JSON, Answer, Call, Refused, missing, not_found, typed
from tests.sandbox.world import Comment, PullRequest, Review, now

DOCS = "https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request"
LONGEST_BODY = 65_536
STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def refused(*sentences: str) -> Refused:
    """A 422 whose errors are sentences, as the reviews endpoints say it."""
    return Refused(422, "Unprocessable Entity", sentences, docs=DOCS)


def listed(call: Call) -> Answer:
    pull = call.pull
    seen = [review for review in pull.reviews.values() if _visible(call, review)]
    return call.page(seen, lambda review: shapes.review(call.world, pull, review))


def one(call: Call) -> Answer:
    return Answer(200, shapes.review(call.world, call.pull, _review(call)))


def create(call: Call) -> Answer:
    pull = call.pull
    event, body = call.given("event", str), call.given("body", str, "")
    if event is not None and event not in STATES:
        raise Refused(422, f"Invalid request.\n\n{event} is not a member of {list(STATES)}.")
    commit_id = call.given("commit_id", str) or pull.head_sha
    if not pull.has_commit(commit_id):
        raise refused("The commitOID is not part of the pull request")
    if any(review.state == "PENDING" and review.user is call.actor for review in pull.reviews.values()):
        raise refused("User can only have one pending review per pull request")
    review = Review(next(call.world.ids), call.actor, body, "PENDING", commit_id)
    comments = _comments(call, pull, review)
    _check(call, pull, event, body, bool(comments))
    for comment in comments:
        follow(pull, comment)
    pull.reviews[review.id] = review
    pull.comments |= {comment.id: comment for comment in comments}
    if event:
        review.state, review.submitted_at = STATES[event], now()
    return Answer(200, shapes.review(call.world, pull, review))


def _check(call: Call, pull: PullRequest, event: str | None, body: str, commented: bool) -> None:
    if len(body) > LONGEST_BODY:
        raise refused("Body is too long (maximum is 65536 characters)")
    if event == "REQUEST_CHANGES" and not body.strip() and not commented:
        raise refused("Body can't be blank")
    if event == "COMMENT" and not body.strip() and not commented:
        raise refused("Body can't be blank")
    if event in ("APPROVE", "REQUEST_CHANGES") and pull.user is call.actor:
        word = "approve" if event == "APPROVE" else "request changes on"
        raise refused(f"Can not {word} your own pull request")


def _comments(call: Call, pull: PullRequest, review: Review) -> list[Comment]:
    rows = call.given("comments", list, [])
    comments, errors = [], []
    for row in rows:
        body = _comment_body(row)
        try:
            where = place(pull, review.commit_id, row)
        except Unplaced as unplaced:
            errors.append(unplaced.short)
            continue
        comments.append(where.comment(next(call.world.ids), review.id, review.commit_id, call.actor, body))
    if errors:
        raise refused(*dict.fromkeys(errors))
    return comments


def _comment_body(row: JSON) -> str:
    if not isinstance(row, dict):
        raise Refused(422, "Invalid request.\n\nFor 'items', a comment is not an object.")
    known = {"path", "position", "body", "line", "side", "start_line", "start_side"}
    if row.keys() - known:
        raise Refused(422, f'Invalid request.\n\n"{min(row.keys() - known)}" is not a permitted key.')
    absent = [name for name in ("path", "body") if typed(row, name, str) is None]
    if absent:
        raise missing(*absent)
    body: str = row["body"]
    if not body.strip():
        raise refused("Review comments is invalid and Body can't be blank")
    if len(body) > LONGEST_BODY:
        raise refused("Review comments is invalid and Body is too long (maximum is 65536 characters)")
    return body


def edit(call: Call) -> Answer:
    """Only the author may; only the body changes."""
    review, body = _own(call), call.given("body", str)
    if body is None:
        raise missing("body")
    if not body.strip():
        raise refused("Body can't be blank")
    if len(body) > LONGEST_BODY:
        raise refused("Body is too long (maximum is 65536 characters)")
    review.body = body
    return Answer(200, shapes.review(call.world, call.pull, review))


def delete(call: Call) -> Answer:
    pull, review = call.pull, _own(call)
    if review.state != "PENDING":
        raise refused("Can not delete a non-pending pull request review")
    shape = shapes.review(call.world, pull, review)
    del pull.reviews[review.id]
    for comment in [c for c in pull.comments.values() if c.review == review.id]:
        del pull.comments[comment.id]
    return Answer(200, shape)


def submit(call: Call) -> Answer:
    pull, review, event = call.pull, _own(call), call.given("event", str)
    body = call.given("body", str, review.body)
    if event is None:
        raise missing("event")
    if event not in STATES:
        raise Refused(422, f"Invalid request.\n\n{event} is not a member of {list(STATES)}.")
    if review.state != "PENDING":
        raise refused("Can not submit a non-pending pull request review")
    _check(call, pull, event, body, any(c.review == review.id for c in pull.comments.values()))
    review.body, review.state, review.submitted_at = body, STATES[event], now()
    return Answer(200, shapes.review(call.world, pull, review))


def dismiss(call: Call) -> Answer:
    review, message = _review(call), call.given("message", str)
    if message is None:
        raise missing("message")
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise refused("Can not dismiss a commented pull request review")
    review.state = "DISMISSED"
    return Answer(200, shapes.review(call.world, call.pull, review))


def comments(call: Call) -> Answer:
    pull, review = call.pull, _review(call)
    mine = [comment for comment in pull.comments.values() if comment.review == review.id]
    return call.page(mine, lambda comment: shapes.comment(call.world, pull, comment))


def _review(call: Call) -> Review:
    number = call.path["review_id"]
    review = call.pull.reviews.get(int(number)) if number.isdigit() else None
    if review is None or not _visible(call, review):
        raise not_found()
    return review


def _own(call: Call) -> Review:
    review = _review(call)
    if review.user is not call.actor:
        raise Refused(403, "Resource not accessible by integration")
    return review


def _visible(call: Call, review: Review) -> bool:
    """A pending review is seen by its author only."""
    return review.state != "PENDING" or (call.token is not None and review.user is call.actor)
