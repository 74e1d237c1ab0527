"""Serve an ASGI application on loopback from a thread: up in milliseconds, down at once, connections cut on request."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


class Protocol(HttpToolsProtocol):
    """uvicorn's own protocol, with a way to cut the connection in `scope["sandbox.cut"]`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["sandbox.cut"] = self.transport.abort  # type: ignore[typeddict-unknown-key]


async def cut(scope: Scope) -> None:
    """Close the connection without another byte; returns when uvicorn has noticed."""
    scope["sandbox.cut"]()
    await asyncio.sleep(0.01)


async def hang(receive: Callable[[], Awaitable[Any]]) -> None:
    """Answer nothing; returns when the caller has given up or the server is stopped."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Serving:
    """One application on one port of 127.0.0.1. `start` gives the address; `stop` cuts what is still open."""

    def __init__(self, app: App, port: int = 0) -> None:
        self._app = app
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio switches off Nagle's delay only when TCP is named
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=f"sandbox:{self.port}", daemon=True)

    def start(self) -> str:
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the sandbox's server did not start within 10 s")
        return self.url

    def stop(self) -> None:
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
        self._socket.close()

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        config = uvicorn.Config(
            self._app, http=Protocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[self._socket])
        self._started.set()
        dates = asyncio.create_task(_keep_dates(server))
        await self._stopping.wait()
        await _close(server, dates)


async def _keep_dates(server: uvicorn.Server) -> None:
    """uvicorn renews the Date header in its main loop, which does not run here."""
    while True:
        await server.on_tick(0)
        await asyncio.sleep(1)


async def _close(server: uvicorn.Server, *others: asyncio.Task[None]) -> None:
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    tasks = [*server.server_state.tasks, *others]
    await asyncio.wait(tasks, timeout=0.02)  # whoever only waits for its caller ends by itself
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)


def wait_until_told() -> None:
    """Wait for SIGINT or SIGTERM, or until the process that started this one is gone: nothing is left running."""
    told, parent = threading.Event(), os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    while not told.wait(0.5) and os.getppid() == parent:
        pass
