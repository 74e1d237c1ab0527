"""An installation without a GitHub App: its worker analyzes uploads, and what takes GitHub fails with a sentence."""

import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.github.absent import HOW, NoGitHub
from handlers.host import CodeHost, Source
from handlers.put_jobs import OwnJob, put_own_jobs
from review.errors import UserError
from review.pull_request import Installation, Repository
from storage.deliveries import Deliveries
from storage.installations import Installed
from storage.queue import Queue
from tests.builders_api import Api, open_api

pytestmark = pytest.mark.integration


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(database_url, redis_url, tmp_path, github_app_id="", github_private_key="") as opened:
        yield opened


async def test_a_job_that_takes_github_fails_with_the_sentence_that_names_the_settings(api: Api) -> None:
    tenants = await api.organization()
    installed = Installed(Installation(101, 100, "octo-100"), Repository(9001, "octo/hello"))
    arguments = {
        "installation": {"id": 101, "account_id": 100, "account": "octo-100"},
        "repository": {"id": 9001, "full_name": "octo/hello"},
    }
    job = OwnJob("index-1", "index_repository", arguments, "low", tenants[0].organization_id, installed)
    async with Queue.open(api.settings.redis_url.get_secret_value()) as queue:
        await put_own_jobs(Deliveries(api.database), queue, [job])
    assert await api.work() == {}
    assert api.sql("SELECT state, outcome FROM deliveries") == [("failed", HOW)]


@pytest.mark.parametrize(
    "method",
    [name for protocol in (CodeHost, Source) for name, _ in inspect.getmembers(protocol, inspect.iscoroutinefunction)],
)
async def test_whatever_is_asked_of_github_is_answered_so(method: str) -> None:
    asked = getattr(NoGitHub(), method)
    nothing = [None] * len(inspect.signature(asked).parameters)
    with pytest.raises(UserError, match="GITHUB_APP_ID and GITHUB_PRIVATE_KEY"):
        await asked(*nothing)
