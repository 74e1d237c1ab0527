"""Pull requests and reviews, read and posted as GitHub takes them; the sandbox holds each request against its description."""

import pytest

from bot.github.host import FEW, clean, read_pull_request, read_review
from handlers.host import Rejected, Unclear
from review.errors import TryAgain
from review.finding import Side
from review.pull_request import PullRequest, Repository
from review.review import Comment, Review
from tests.bot.github.conftest import Octo
from tests.sandbox.world import Review as Standing

pytestmark = pytest.mark.integration


def a_review(octo: Octo, *comments: Comment, body: str = "Two findings.") -> Review:
    return Review(octo.pull.head_sha, body, comments)


def stand(octo: Octo, count: int, *, by: str = "mona", body: str = "Nice") -> list[int]:
    """So many reviews, posted one after the other; gives their ids."""
    world = octo.github.world
    user = world.bot if by == "bot" else world.user(by)
    made = [
        Standing(next(world.ids), user, body, "COMMENTED", octo.pull.head_sha, "2026-01-01T00:00:00Z") for _ in range(count)
    ]
    octo.pull.reviews |= {review.id: review for review in made}
    return [review.id for review in made]


async def seen(octo: Octo) -> list[int]:
    return [review.id for review in await octo.host.bot_reviews(octo.id, "octo/app", 1)]


async def test_a_pull_request_is_read_as_it_stands(octo: Octo) -> None:
    assert await octo.host.pull_request(octo.id, "octo/app", 1) == PullRequest(
        Repository(octo.repository.id, "octo/app", private=True, default_branch="main"), 1, octo.pull.head_sha,
        octo.pull.base_sha, "main", "Änderung", "Why\n", "mona", False, "MEMBER", "open", False, 1,
            octo.pull.head_ref,
    )  # fmt: skip


async def test_a_forks_pull_request_of_a_bot_is_read_with_the_base_repository(octo: Octo) -> None:
    fork = octo.github.fork(octo.repository, "visitor")
    octo.github.open_pull_request(
        "octo/app", {"x": "1\n"}, fork=fork, author="robot[bot]", author_type="Bot", association="NONE", draft=True
    )
    pull = await octo.host.pull_request(octo.id, "octo/app", 2)
    assert (pull.repository.full_name, pull.author, pull.author_is_bot) == ("octo/app", "robot[bot]", True)
    assert (pull.author_association, pull.draft) == ("NONE", True)


def test_only_what_is_needed_must_be_there() -> None:
    least = {"number": 7, "head": {"sha": "h"}, "base": {"sha": "b", "ref": "main", "repo": {"id": 1, "full_name": "o/r"}}}
    pull = read_pull_request({**least, "user": None, "title": None, "body": None})
    assert (pull.author, pull.title, pull.body, pull.repository.private, pull.changed_files) == ("ghost", "", "", True, None)
    for missing in least:
        with pytest.raises(TryAgain, match="no pull request"):
            read_pull_request({key: value for key, value in least.items() if key != missing})
    for broken in ({"base": None}, {"head": {"sha": None}, "number": "x"}, {"base": {"sha": "b", "ref": "m", "repo": None}}):
        with pytest.raises(TryAgain):
            read_pull_request({**least, **broken})


def test_a_review_of_a_deleted_account_is_nobodys() -> None:
    assert read_review({"id": 1, "user": None, "state": "commented"}).by_bot is False
    with pytest.raises(TryAgain):
        read_review({"user": None})


async def test_half_an_answer_is_for_later(octo: Octo) -> None:
    octo.github.fault("GET", "pulls/1$", "malformed", times=9)
    with pytest.raises(TryAgain):
        await octo.host.pull_request(octo.id, "octo/app", 1)
    octo.github.fault("GET", "reviews", "malformed", times=9)
    with pytest.raises(TryAgain):
        await seen(octo)


@pytest.mark.parametrize(
    ("before", "calls"), [(0, 1), (98, 1), (99, 1), (100, 2), (180, 2), (199, 2), (200 + FEW, 2), (290, 2), (299, 2), (750, 2)]
)
async def test_the_newest_reviews_are_found_in_two_calls_however_many_there_are(octo: Octo, before: int, calls: int) -> None:
    stand(octo, before)
    mine = stand(octo, 1, by="bot")
    assert await seen(octo) == mine
    assert sum("reviews" in asked for asked in octo.asked()) == calls


@pytest.mark.parametrize("after", range(0, FEW + 2, 3))
async def test_a_review_of_ours_just_before_a_new_page_is_not_overlooked(octo: Octo, after: int) -> None:
    stand(octo, 299)
    mine = stand(octo, 1, by="bot")
    stand(octo, after)
    assert await seen(octo) == (mine if after < FEW else [])
    assert sum("reviews" in asked for asked in octo.asked()) == (3 if 0 < after < FEW else 2)


async def test_people_are_left_out_and_other_bots_are_not(octo: Octo) -> None:
    stand(octo, 3)
    octo.github.world.user("robot[bot]", "Bot")
    other, mine = stand(octo, 1, by="robot[bot]"), stand(octo, 2, by="bot", body="<!-- marker -->")
    found = await octo.host.bot_reviews(octo.id, "octo/app", 1)
    assert [review.id for review in found] == other + mine
    assert {(review.state, review.by_bot) for review in found} == {("COMMENTED", True)}


async def test_our_own_pending_review_is_seen_and_taken_away(octo: Octo) -> None:
    left = octo.github.leave_pending_review(octo.pull, "half")
    with pytest.raises(Rejected, match="one pending review"):
        await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo))
    (found,) = await octo.host.bot_reviews(octo.id, "octo/app", 1)
    assert (found.id, found.state) == (left.id, "PENDING")
    await octo.host.delete_pending_review(octo.id, "octo/app", 1, left.id)
    assert await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo)) == octo.github.reviews("octo/app", 1)[0].id


async def test_a_review_is_posted_whole_with_its_comments(octo: Octo) -> None:
    comments = (
        Comment("app.py", 1, "On the new line."),
        Comment("app.py", 3, "On the old line.", Side.LEFT),
        Comment("app.py", 3, "On lines 2 and 3.", Side.RIGHT, 2, "fingerprint"),
        Comment("app.py", 2, "A single line, however it came.", Side.RIGHT, 2),
    )
    made = await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo, *comments))
    (review,) = octo.github.reviews("octo/app", 1)
    assert (review.id, review.state, review.body, review.commit_id) == (made, "COMMENTED", "Two findings.", octo.pull.head_sha)
    assert [(c.path, c.line, c.side, c.start_line) for c in octo.github.comments("octo/app", 1)] == [
        ("app.py", 1, "RIGHT", None), ("app.py", 3, "LEFT", None), ("app.py", 3, "RIGHT", 2), ("app.py", 2, "RIGHT", None),
    ]  # fmt: skip
    assert octo.asked()[-1] == "POST /repos/octo/app/pulls/1/reviews"
    assert sum(asked.startswith("POST /repos") for asked in octo.asked()) == 1


async def test_a_review_without_comments_is_posted_too(octo: Octo) -> None:
    await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo, body="Nothing found."))
    assert octo.github.comments("octo/app", 1) == []


async def test_bytes_that_no_json_holds_are_replaced_and_never_stop_a_review(octo: Octo) -> None:
    odd = "caf\udce9 \0 \ud83d 日本 \U0001f600 \u202e"
    await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo, Comment("app.py", 1, odd), body=odd))
    told = "caf?  ? 日本 \U0001f600 \u202e"
    assert clean(odd) == told
    assert octo.github.reviews("octo/app", 1)[0].body == told
    assert octo.github.comments("octo/app", 1)[0].body == told


@pytest.mark.parametrize("path", ["ä ö.py", 'quo"te.py', "tab\there.py", "a?b#c%d.py"])
async def test_a_comment_finds_a_path_with_odd_characters(octo: Octo, path: str) -> None:
    pull = octo.github.open_pull_request("octo/app", {path: "x = 1\n"})
    review = Review(pull.head_sha, "Hello", (Comment(path, 1, "Look."),))
    await octo.host.post_review(octo.id, "octo/app", pull.number, review)
    assert octo.github.comments("octo/app", pull.number)[0].path == path


async def test_a_comment_outside_the_diff_loses_the_review_with_githubs_words(octo: Octo) -> None:
    with pytest.raises(Rejected, match="GitHub says"):
        await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo, Comment("app.py", 99, "Nowhere.")))
    assert octo.github.reviews("octo/app", 1) == []


async def test_a_body_at_the_limit_is_taken_and_over_it_refused(octo: Octo) -> None:
    await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo, body="x" * 65_536))
    with pytest.raises(Rejected, match="too long"):
        await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo, body="x" * 65_537))


@pytest.mark.parametrize("kind", ["lose_answer", "502", "malformed"])
async def test_a_post_whose_answer_cannot_be_read_is_unclear_and_done_once(octo: Octo, kind: str) -> None:
    octo.github.fault("POST", "reviews", kind, times=9)
    with pytest.raises(Unclear):
        await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo))
    assert len(octo.github.reviews("octo/app", 1)) == (0 if kind == "502" else 1)
    assert octo.asked().count("POST /repos/octo/app/pulls/1/reviews") == 1


async def test_a_body_is_replaced(octo: Octo) -> None:
    made = await octo.host.post_review(octo.id, "octo/app", 1, a_review(octo))
    await octo.host.edit_review(octo.id, "octo/app", 1, made, "Nothing \udcffnew.")
    assert octo.github.reviews("octo/app", 1)[0].body == "Nothing ?new."


async def test_a_review_of_somebody_else_cannot_be_edited(octo: Octo) -> None:
    (theirs,) = stand(octo, 1)
    with pytest.raises(Rejected):
        await octo.host.edit_review(octo.id, "octo/app", 1, theirs, "Mine now")


async def test_the_login_is_the_slug_of_the_app(octo: Octo) -> None:
    assert await octo.host.app_login() == octo.github.bot_login
