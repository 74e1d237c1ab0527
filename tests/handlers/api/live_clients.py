"""What the tests of the WebSocket share: the application on a real port, real clients, and analyses to follow."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bot.patience import PATIENT
from handlers.middleware import Guarded
from storage.live import Live
from tests.builders_api import Api, Person


@dataclass(slots=True)
class Served:
    """The API behind uvicorn's own protocols; `live` is another process that works on analyses."""

    api: Api
    port: int
    live: Live

    def url(self, analysis_id: Any, query: str = "") -> str:
        return f"ws://127.0.0.1:{self.port}/ws/analysis/{analysis_id}{query}"

    def follow(self, person: Person, analysis_id: int, **options: Any) -> connect:
        """A client in their name."""
        headers = {"Authorization": f"Bearer {person.tokens['access_token']}"}
        return connect(self.url(analysis_id), additional_headers=headers, **options)

    async def refused(self, analysis_id: Any, query: str = "", **options: Any) -> tuple[int, str]:
        """The HTTP status and the code that such a client is refused with."""
        try:
            async with connect(self.url(analysis_id, query), **options):
                raise AssertionError("it was let in")
        except InvalidStatus as error:
            return error.response.status_code, json.loads(error.response.body or b"{}")["error"]["code"]

    def analysis(self, person: Person, **columns: Any) -> int:
        """An analysis of theirs, running unless it is said."""
        given = {
            "organization_id": person.home, "subject": "upload", "upload_id": 1, "requested_by": person.id,
            "status": "running", "progress": 5, "message": "Reading the files...",
        } | columns  # fmt: skip
        names, places = ", ".join(given), ", ".join("%s" for _ in given)
        return int(self.api.sql(f"INSERT INTO analyses ({names}) VALUES ({places}) RETURNING id", tuple(given.values()))[0][0])

    async def progress(self, analysis_id: int, percent: int, message: str = "Analyzing a.py...") -> None:
        """A worker gets on."""
        await self.live.tell(f"analysis:{analysis_id}", {"type": "progress", "progress": percent, "message": message})

    async def end(self, analysis_id: int, status: str = "completed", error: str = "", *, told: bool = True) -> None:
        """A worker is done; `told=False` where Redis has lost it."""
        self.api.sql("UPDATE analyses SET status = %s, error = %s, progress = 100 WHERE id = %s", (status, error, analysis_id))
        if told:
            await self.live.tell(f"analysis:{analysis_id}", {"type": "end"}, last=True)


@asynccontextmanager
async def served(api: Api) -> AsyncIterator[Served]:
    """That API on a port of loopback."""
    config = uvicorn.Config(Guarded(api.app, lambda e, **_: api.bugs.append(e)), log_config=None, lifespan="off", **PATIENT)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: PATIENT["http"](config, state, {}), "127.0.0.1", 0)
    async with Live.open(api.settings.redis_url.get_secret_value()) as live:
        yield Served(api, server.sockets[0].getsockname()[1], live)
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=5)


async def read(client: ClientConnection, count: int = 1_000) -> list[dict[str, Any]]:
    """What comes, up to the end or so many messages."""
    messages: list[dict[str, Any]] = []
    try:
        while len(messages) < count:
            messages.append(json.loads(await asyncio.wait_for(client.recv(), 15)))
    except ConnectionClosed:
        pass
    return messages


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    """Read to the end; gives the code and the reason that it was closed with."""
    await read(client)
    return client.close_code, client.close_reason
