"""Models that answer late, badly or not at all: the analyzers' review stands all the same, and says so."""

import pytest

from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import KEYS, LEAK, WRONG_SUM, says_wrong_sum
from tests.walks.house import House

pytestmark = pytest.mark.walk


@pytest.fixture
def pull(thinking_house: House, repository: Repository) -> PullRequest:
    """A change with one thing for an analyzer and one for a model."""
    thinking_house.models.answer(findings=[says_wrong_sum()])
    return thinking_house.github.open_pull_request(repository, LEAK | WRONG_SUM)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("prose", "the answer was not the JSON that was asked for"),
        ("malformed", "the answer was not the JSON that was asked for"),
        ("empty", "empty"),
        ("cut", "cut"),
        ("401", "the API key was not accepted"),
        ("404", "there is no model `gpt-5.1` for this key"),
        ("quota", "the account has no quota left"),
        ("refusal", "refused"),
    ],
)
async def test_models_of_no_use_leave_the_analyzers_review_and_the_reason(
    thinking_house: House, pull: PullRequest, kind: str, says: str
) -> None:
    thinking_house.models.fault(kind, times=50)
    row = await thinking_house.review(pull)
    assert row.state == "done"
    [review] = thinking_house.standing(pull)
    assert [comment.path for comment in thinking_house.github.comments(pull.repository, pull.number)] == ["config.js"]
    assert "No model answered: `openai`: " in review.body
    assert says in review.body
    assert "**This review is not complete:**" in review.body
    assert all(key not in review.body for key in KEYS.values())


@pytest.mark.parametrize("kind", ["401", "404", "quota", "prose", "500"])
async def test_where_openai_fails_anthropic_answers_and_the_review_says_so(
    thinking_house: House, pull: PullRequest, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.models.calls.TRIES", 1)
    thinking_house.models.fault(kind, times=50, provider="openai")
    await thinking_house.review(pull)
    [review] = thinking_house.standing(pull)
    assert "`anthropic` answered in place of `openai`" in review.body
    assert len(thinking_house.github.comments(pull.repository, pull.number)) == 2
    assert "This review is not complete" not in review.body


async def test_models_slower_than_the_deadline_are_not_waited_for(
    thinking_house: House, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.reviewer.MODEL_DEADLINE", 1.0)
    thinking_house.models.fault("hang", times=50)
    row = await thinking_house.review(pull)
    [review] = thinking_house.standing(pull)
    assert row.state == "done"
    assert "No model answered" in review.body
    assert "**This review is not complete:**" in review.body


async def test_a_busy_model_is_asked_again_and_nothing_is_said_of_it(thinking_house: House, pull: PullRequest) -> None:
    thinking_house.models.fault("429", seconds=0.1)
    await thinking_house.review(pull)
    [review] = thinking_house.standing(pull)
    assert len(thinking_house.github.comments(pull.repository, pull.number)) == 2
    assert "answered in place" not in review.body


async def test_what_a_model_says_of_code_that_is_not_there_is_never_posted(thinking_house: House, pull: PullRequest) -> None:
    invented = [
        says_wrong_sum(path="src/ghost.js"),
        says_wrong_sum(line=900, quote="  return divide(a, b);"),
        says_wrong_sum(path="../../etc/passwd", quote="root"),
    ]
    thinking_house.models.answer(findings=[*invented, {"nonsense": True}, says_wrong_sum(line=40)])
    await thinking_house.review(pull)
    comments = thinking_house.github.comments(pull.repository, pull.number)
    assert sorted((comment.path, comment.line) for comment in comments) == [("config.js", 1), ("src/sum.js", 2)]
    assert "ghost.js" not in str([review.body for review in thinking_house.standing(pull)])


async def test_the_key_found_in_the_change_reaches_no_model(thinking_house: House, pull: PullRequest) -> None:
    await thinking_house.review(pull)
    assert len(thinking_house.models.requests) == 1
    assert "Q7XJ3M5N2P4R6T7V" not in str(thinking_house.models.requests[0].body)
