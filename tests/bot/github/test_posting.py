"""Posting exactly once, by the real client on the sandbox: looks, lost answers, pending reviews, heads that move on."""

import pytest

from handlers import publish
from handlers.publish import Thread
from review.errors import Superseded, TryAgain
from review.marker import Marker
from review.review import Review
from tests.bot.github.conftest import Octo

pytestmark = pytest.mark.integration

POST = "POST /repos/octo/app/pulls/1/reviews"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "LOOKS", (0.01, 0.01))
    monkeypatch.setattr(publish, "REPLICA_LAG", 0.01)


async def thread_of(octo: Octo) -> Thread:
    pull = await octo.host.pull_request(octo.id, "octo/app", 1)
    return Thread(octo.host, octo.id, pull, Marker(b"key", pull.repository.id, 1, pull.base_ref))


def a_review(octo: Octo, thread: Thread) -> Review:
    return Review(octo.pull.head_sha, f"Hello\n\n{thread.marker.mark(octo.pull.head_sha)}")


async def test_a_review_whose_answer_was_lost_is_found_and_not_posted_again(octo: Octo) -> None:
    thread = await thread_of(octo)
    octo.github.fault("POST", "pulls/1/reviews", "lose_answer", times=9)
    made = await thread.post(a_review(octo, thread))
    assert [review.id for review in octo.github.reviews("octo/app", 1)] == [made]
    assert octo.asked().count(POST) == 1


async def test_a_review_that_was_lost_on_its_way_is_for_later_and_stands_once_then(octo: Octo) -> None:
    thread = await thread_of(octo)
    octo.github.fault("POST", "pulls/1/reviews", "lose_request")
    with pytest.raises(TryAgain, match="looked for again"):
        await thread.post(a_review(octo, thread))
    assert (await thread.look()).heads == frozenset()
    await thread.post(a_review(octo, thread))
    assert (await thread.look()).heads == {octo.pull.head_sha}
    assert len(octo.github.reviews("octo/app", 1)) == 1


@pytest.mark.parametrize("mark", ["<!-- refactoriq:head={} mac=00000000000000000000000000000000 -->", ""])
async def test_a_strangers_forged_mark_is_no_review_of_ours(octo: Octo, mark: str) -> None:
    thread = await thread_of(octo)
    await octo.host.post_review(octo.id, "octo/app", 1, Review(octo.pull.head_sha, f"x {mark.format(octo.pull.head_sha)}"))
    assert (await thread.look()).heads == frozenset()


async def test_a_pending_review_left_behind_does_not_block(octo: Octo) -> None:
    thread = await thread_of(octo)
    octo.github.leave_pending_review(octo.pull)
    await thread.look()
    await thread.post(a_review(octo, thread))
    assert [review.state for review in octo.github.reviews("octo/app", 1)] == ["COMMENTED"]


@pytest.mark.parametrize("kind", ["502", "lose_answer", "lose_request"])
async def test_a_pending_review_whose_end_is_unclear_is_looked_at_again(octo: Octo, kind: str) -> None:
    thread = await thread_of(octo)
    octo.github.leave_pending_review(octo.pull)
    octo.github.fault("DELETE", "reviews", kind)
    with pytest.raises(TryAgain):
        await thread.look()
    await thread.look()
    assert octo.github.reviews("octo/app", 1) == []


async def test_nothing_is_posted_on_an_old_head_or_a_closed_pull_request(octo: Octo) -> None:
    thread = await thread_of(octo)
    review = a_review(octo, thread)
    octo.github.push(octo.pull, {"app.py": "a = 9\n"})
    with pytest.raises(Superseded, match="moved on"):
        await thread.post(review)
    octo.github.close(octo.pull)
    with pytest.raises(Superseded, match="closed"):
        await (await thread_of(octo)).post(a_review(octo, thread))
    assert octo.github.reviews("octo/app", 1) == []
    assert POST not in octo.asked()
