"""The job around an index: it lets reviews go first, hands the rest on, and tries again what an embedder failed at."""

from dataclasses import asdict

import pytest

from handlers.host import Gone
from handlers.indexing import files
from handlers.jobs.index_repository import index_repository
from review.errors import TryAgain
from review.pull_request import Repository
from storage.deliveries import NewDelivery
from storage.queue import QueuedJob
from tests.handlers.indexing.conftest import INSTALLED, Embedders, Shop
from tests.handlers.indexing.test_index import Broken

pytestmark = pytest.mark.integration

ARGUMENTS = {
    "delivery_id": "d-1",
    "installation": asdict(INSTALLED.installation),
    "repository": asdict(INSTALLED.repository),
}


@pytest.fixture
async def delivered(shop: Shop) -> Shop:
    row = NewDelivery("d-1", "push", "", 77, 5005, 9001, None, "a" * 40, "received", job=b"{}")
    await shop.deliveries.remember([row])
    return shop


async def test_the_outcome_is_what_was_indexed(delivered: Shop) -> None:
    assert (await index_repository(delivered.context, ARGUMENTS)).startswith("Indexed octo/shop at ")


async def test_reviews_go_first_and_the_rest_is_another_job(delivered: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "READ_AT_ONCE", 1)
    monkeypatch.setitem(index_repository.__globals__, "TURN", -1.0)
    await delivered.queue.put_many([QueuedJob("d-9", "review_pull_request", {}, "default")])
    outcome = await index_repository(delivered.context, ARGUMENTS)
    assert outcome == "1 of 3 new files are kept. Reviews went first. Another job goes on with it."
    assert (await delivered.queue.lengths())["low"] == 1
    [goes_on, _] = await delivered.deliveries.recent()
    assert (goes_on.event, goes_on.action) == ("refactoriq", "index_repository")
    assert delivered.paths() == []


async def test_when_its_time_is_over_the_rest_is_another_job(delivered: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "READ_AT_ONCE", 1)
    monkeypatch.setitem(index_repository.__globals__, "SECONDS", -1.0)
    assert "The time for one job was over." in await index_repository(delivered.context, ARGUMENTS)
    for _ in range(2):
        await index_repository(delivered.context, ARGUMENTS)
    assert len(delivered.paths()) == 3


async def test_what_an_embedder_failed_at_is_tried_again(delivered: Shop) -> None:
    delivered.embedders = Embedders(Broken())
    with pytest.raises(TryAgain, match="Some have no vectors yet: The embedder is away"):
        await index_repository(delivered.context, ARGUMENTS)
    assert len(delivered.paths()) == 3


async def test_a_repository_that_cannot_be_reached_any_more_is_no_failure(delivered: Shop) -> None:
    async def gone() -> None:
        raise Gone("octo/shop has no commits yet.")

    delivered.on_branch = gone
    outcome = await index_repository(delivered.context, ARGUMENTS)
    assert outcome == "Nothing is indexed of octo/shop: octo/shop has no commits yet."


async def test_a_removed_repository_is_not_indexed(delivered: Shop) -> None:
    await delivered.installations.change_repositories(INSTALLED.installation, [], [Repository(9001, "octo/shop")])
    assert (await index_repository(delivered.context, ARGUMENTS)).startswith("Skipped: the app was removed")
