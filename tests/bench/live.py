"""How soon 500 WebSocket clients of one web process see each step of an analysis, with one who takes nothing among them."""

import asyncio
import gc
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import cast

import httpx
import psycopg
import uvloop

from storage.embedded import EmbeddedServices, embedded_services
from storage.live import Live
from tests.bench.table import held, table
from tests.builders_api import PASSWORD
from tests.processes import answers, environment, free_port, process

GOAL = 0.1
"""Seconds from the worker's word to each client."""

EVERY = 0.2
UNLIMITED = dict.fromkeys(("REQUESTS_PER_MINUTE", "LOGINS_PER_MINUTE", "ANALYSES_PER_HOUR"), "1000000000")
UPGRADE = (
    "GET /ws/analysis/{id} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nAuthorization: Bearer {token}\r\n\r\n"
)


def measure(folder: Path, *, clients: int, steps: int) -> str:
    """The table. Raises AssertionError where a client missed a step."""
    with ExitStack() as stack:
        services = stack.enter_context(embedded_services(folder / "services"))
        port = free_port()
        variables = environment(services, folder, {"GITHUB_WEBHOOK_SECRET": "w" * 32, "PORT": str(port), **UNLIMITED})
        stack.enter_context(process("migrate", variables, folder)).wait()
        web = stack.enter_context(process("web", variables, folder))
        web.wait_for(answers(f"http://127.0.0.1:{port}/api/v1/health/ready"))
        token, id = _analysis(f"http://127.0.0.1:{port}/api/v1", services.database_url)
        opened, latencies, ends = uvloop.run(_follow(port, token, id, clients, steps, services))
        return _figures(clients, steps, opened, latencies, ends)


def _analysis(url: str, database_url: str) -> tuple[str, int]:
    """Somebody's access token, and an analysis of theirs that is running."""
    who = {"email": "mona@example.com", "password": PASSWORD}
    with httpx.Client(base_url=url) as client:
        user = client.post("/auth/register", json=who).json()["data"]["id"]
        token = client.post("/auth/login", json=who).json()["data"]["access_token"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        row = connection.execute(
            "INSERT INTO analyses (organization_id, subject, upload_id, requested_by, status)"
            " SELECT home_id, 'upload', 1, id, 'running' FROM users WHERE id = %s RETURNING id",
            (user,),
        ).fetchone()
    assert row is not None
    return str(token), int(row[0])


@dataclass(slots=True)
class Seen:
    """What all clients have seen: seconds from each word to each client, and when each had the results."""

    latencies: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    opened: int = 0


class Client(asyncio.Protocol):
    """A WebSocket that only listens, which costs far less than the server's part."""

    def __init__(self, request: bytes, seen: Seen) -> None:
        self._request = request
        self._seen = seen
        self._received = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = monotonic()
        self._received += data
        if not self._open:
            head, gap, rest = self._received.partition(b"\r\n\r\n")
            if not gap:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._open, self._received = True, rest
        for message in self._messages():
            self._take(json.loads(message), now)

    def _messages(self) -> Iterator[bytes]:
        """The whole text frames so far; a server's are not masked. What else comes (pings, the close) is not looked at."""
        while len(self._received) >= 4:
            kind, size, start = self._received[0] & 15, self._received[1], 2
            if size == 126:
                size, start = int.from_bytes(self._received[2:4], "big"), 4
            if len(self._received) < start + size:
                return
            body, self._received = self._received[start : start + size], self._received[start + size :]
            if kind == 1:
                yield body

    def _take(self, message: dict[str, str], now: float) -> None:
        if message["type"] == "complete":
            self._seen.ends.append(now)
        elif message["message"]:
            self._seen.latencies.append(now - float(message["message"]))
        else:  # the state that it was in before
            self._seen.opened += 1


async def _follow(
    port: int, token: str, id: int, clients: int, steps: int, services: EmbeddedServices
) -> tuple[float, list[float], list[float]]:
    """Seconds until all were there, from word to client, and from the last word to the results."""
    gc.freeze()  # what is measured is the server's time
    seen, started = Seen(), monotonic()
    request = UPGRADE.format(id=id, token=token).encode()
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", port)) as takes_nothing:
        takes_nothing.sendall(request)
        for _ in range(clients):
            await loop.create_connection(lambda: Client(request, seen), "127.0.0.1", port)
        await _until(lambda: seen.opened == clients)
        opened = monotonic() - started
        async with Live.open(services.redis_url) as live:
            for step in range(steps):
                event = {"type": "progress", "progress": 100 * step // steps, "message": str(monotonic())}
                await live.tell(f"analysis:{id}", event)
                await asyncio.sleep(EVERY)
            await _until(lambda: len(seen.latencies) == clients * steps)
            with psycopg.connect(services.database_url, autocommit=True) as connection:
                connection.execute("UPDATE analyses SET status = 'completed' WHERE id = %s", (id,))
            over = monotonic()
            await live.tell(f"analysis:{id}", {"type": "complete"}, last=True)
            await _until(lambda: len(seen.ends) == clients)
    return opened, seen.latencies, [end - over for end in seen.ends]


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not reached():
            await asyncio.sleep(0.01)


def _figures(clients: int, steps: int, opened: float, latencies: list[float], ends: list[float]) -> str:
    rows = [
        ["each step, ms", *_percentiles(latencies), f"max < {GOAL * 1000:.0f}", held(max(latencies) < GOAL)],
        ["the results, ms", *_percentiles(ends), "", ""],
        ["all of them connected, ms", "", "", f"{opened * 1000:.0f}", "", ""],
    ]
    title = f"Live: {clients} WebSocket clients of one process see {steps} steps"
    return table(title, ["", "p50", "p99", "max", "goal", "held"], rows)


def _percentiles(seconds: list[float]) -> list[str]:
    ordered = sorted(seconds)
    return [f"{ordered[int((len(ordered) - 1) * share)] * 1000:.1f}" for share in (0.5, 0.99, 1.0)]
