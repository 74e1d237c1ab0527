"""A body that nobody reads, over a real connection: the answer is whole, however it is sent, and the connection ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from bot.patience import PatientProtocol
from handlers.browsers import Compressed
from handlers.unread import Unread

pytestmark = pytest.mark.integration


async def refused(request: Request) -> Response:
    return PlainTextResponse("no " * int(request.query_params.get("times", "1")), 401)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = Unread(Compressed(Starlette(routes=[Route("/", refused, methods=["GET", "POST"])])))
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for connection in list(state.connections):
        connection.transport.abort()


@pytest.mark.parametrize("method", ["POST", "HEAD"])
@pytest.mark.parametrize("times", [1, 1000])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_the_answer_is_whole_and_the_connection_ends(port: int, method: str, times: int, encoding: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = f"Host: x\r\nAccept-Encoding: {encoding}\r\nContent-Length: 500000"
    writer.write(f"{method} /?times={times} HTTP/1.1\r\n{headers}\r\n\r\n".encode() + b"x" * 500_000)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert len(body) == (length if method == "POST" else 0)
