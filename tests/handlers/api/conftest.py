"""The fixture `api`: the real web application on a database and a Redis of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders_api import Api, open_api


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API, which must have reported no bug when the test is over."""
    async with open_api(database_url, redis_url, tmp_path) as opened:
        yield opened
        assert opened.bugs == []
