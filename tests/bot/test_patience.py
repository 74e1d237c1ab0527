"""A connection whose headers never end is hung up on; one that is used or kept open is not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from bot import patience
from bot.patience import PatientProtocol

pytestmark = pytest.mark.integration

WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def answering(_: Any, __: Any, send: Any) -> None:
    await asyncio.sleep(0.3)  # longer than headers may take here
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(patience, "HEADER_SECONDS", 0.2)
    config = uvicorn.Config(answering, log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for connection in list(state.connections):
        connection.transport.abort()


async def said_to(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("start", [b"", b"GET / HT", WHOLE[:-2]])
async def test_headers_that_never_end_are_hung_up_on(port: int, start: bytes) -> None:
    assert await said_to(port, start) == b""


async def test_headers_that_come_drop_by_drop_are_too(port: int) -> None:
    assert await said_to(port, *(WHOLE[i : i + 1] for i in range(len(WHOLE))), pause=0.05) == b""


async def test_an_answer_may_take_its_time_and_the_connection_serves_again(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(WHOLE)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(2) == b"ok"
        await asyncio.sleep(0.3)
    writer.close()


async def test_what_is_no_http_is_refused_in_our_own_form(port: int) -> None:
    head, _, body = (await said_to(port, b"NONSENSE\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "malformed"
