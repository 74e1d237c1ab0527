"""The fixture `door`: the real web application on a database of its own, with the secrets that a test names."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from starlette.types import ASGIApp

from bot.settings import read_settings
from bot.web import WEBHOOK, Doors
from handlers.middleware import Guarded
from storage.database import Database
from storage.deliveries import Deliveries, RememberedDelivery
from storage.queue import Queue
from tests.app import running
from tests.builders_delivery import SECRET, headers_for


@dataclass(frozen=True, slots=True)
class Door:
    """The application, a client of it, and what stands behind it. `bugs` are the errors that it reported."""

    app: ASGIApp
    client: httpx.AsyncClient
    deliveries: Deliveries
    queue: Queue
    bugs: list[BaseException]

    async def post(self, body: bytes, headers: dict[str, str] | None = None, **changes: str) -> httpx.Response:
        """A webhook with these bytes, signed unless `headers` are given; `changes` replace single headers."""
        given = headers_for(body) if headers is None else headers
        return await self.client.post(WEBHOOK, content=body, headers=given | changes)

    async def remembered(self) -> list[RememberedDelivery]:
        """All deliveries, newest first."""
        return await self.deliveries.recent()

    async def queued(self) -> int:
        return sum((await self.queue.lengths()).values())


OpenDoor = Callable[..., Awaitable[Door]]


@pytest.fixture
async def open_door(database_url: str, redis_url: str) -> AsyncIterator[OpenDoor]:
    """Opens a door whose settings are changed by what is given."""
    async with AsyncExitStack() as stack:

        async def opened(**changes: str) -> Door:
            settings = read_settings(
                **{
                    "environment": "test",
                    "database_url": database_url,
                    "redis_url": redis_url,
                    "github_webhook_secret": SECRET,
                    **changes,
                }
            )
            bugs: list[BaseException] = []
            app = Guarded(Doors(settings), lambda error, **_: bugs.append(error))
            client = await stack.enter_async_context(running(app))
            database = await stack.enter_async_context(Database.open(database_url))
            queue = await stack.enter_async_context(Queue.open(redis_url))
            return Door(app, client, Deliveries(database), queue, bugs)

        yield opened


@pytest.fixture
async def door(open_door: OpenDoor) -> Door:
    """A door with one secret."""
    return await open_door()
