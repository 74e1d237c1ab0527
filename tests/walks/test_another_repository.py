"""A name that passed to another repository: what comes late for the old one neither posts on the new one nor keeps it."""

import pytest

from tests.sandbox.world import PullRequest
from tests.walks.house import House

pytestmark = pytest.mark.walk


async def test_a_late_delivery_of_a_repository_whose_name_was_taken_reviews_nothing(house: House, pull: PullRequest) -> None:
    payload = pull.payload("opened")
    payload["repository"]["id"] += 1_000
    row = await house.settle(await house.deliver("pull_request", payload))
    assert (row.state, row.outcome) == (
        "done",
        f"Skipped: {pull.repository.full_name} is another repository than the one that this delivery was about.",
    )
    assert house.standing(pull) == []
    assert house.sql("SELECT 1 FROM analyses") == []
