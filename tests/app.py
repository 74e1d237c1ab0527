"""The web application in the test's own loop: started as a server starts it, asked without a socket, stopped."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.types import ASGIApp

Message = MutableMapping[str, Any]


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that application, from its startup to its shutdown."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()
    lifespan = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    living = asyncio.create_task(app(lifespan, told.get, said.put))  # type: ignore[arg-type]
    await _tell("startup", told, said)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://refactoriq.test") as client:
            yield client
    finally:
        await _tell("shutdown", told, said)
        await living


async def _tell(what: str, told: asyncio.Queue[Message], said: asyncio.Queue[Message]) -> None:
    await told.put({"type": f"lifespan.{what}"})
    answer = await asyncio.wait_for(said.get(), 10)
    assert answer["type"] == f"lifespan.{what}.complete", answer
