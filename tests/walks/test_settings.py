"""What is switched off for a repository takes effect in the jobs, and each says so."""

import pytest

from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import Repository
from tests.walks.conftest import LEAK, WRONG_SUM
from tests.walks.house import House

pytestmark = pytest.mark.walk


async def test_where_reviews_are_switched_off_nothing_is_posted_until_they_are_on_again(
    house: House, github: SandboxGitHub, repository: Repository
) -> None:
    pull = github.open_pull_request(repository, LEAK)
    await house.review(pull)
    house.sql("""UPDATE repositories SET settings = '{"reviews": false}'""")
    github.push(pull, {"other.js": LEAK["config.js"]})
    row = await house.review(pull, "synchronize")
    assert row.outcome == "Skipped: reviews are switched off in the repository's settings here."
    assert len(house.standing(pull)) == 1
    house.sql("UPDATE repositories SET settings = '{}'")
    assert (await house.review(pull, "synchronize")).state == "done"
    assert len(house.standing(pull)) == 2


async def test_where_models_are_switched_off_only_the_analyzers_look_and_the_review_says_why(
    thinking_house: House, github: SandboxGitHub, repository: Repository
) -> None:
    first = github.open_pull_request(repository, WRONG_SUM)
    await thinking_house.review(first)
    asked = len(thinking_house.models.requests)
    assert asked > 0
    thinking_house.sql("""UPDATE repositories SET settings = '{"models": false}'""")
    second = github.open_pull_request(repository, LEAK)
    await thinking_house.review(second)
    assert len(thinking_house.models.requests) == asked
    [review] = thinking_house.standing(second)
    assert "models are switched off in the repository's settings here" in review.body
    assert [comment.path for comment in github.comments(repository, second.number)] == ["config.js"]
