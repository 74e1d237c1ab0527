"""Many readers at once: GETs over plain keep-alive sockets from one process, each path apart.

`python -m tests.bench.get_load PORT CONNECTIONS SECONDS TOKEN PATH …` prints one line of JSON for each path.
"""

import asyncio
import json
import sys
from time import perf_counter
from typing import cast

import uvloop

WARM_UP = 0.5
"""Seconds that are not counted, so that connections, pools and caches are as they stay."""


class Load:
    """What all connections of one path share."""

    def __init__(self, path: str, token: str, connections: int, seconds: float) -> None:
        lines = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nauthorization: Bearer {token}\r\n\r\n"
        self.request = lines.encode()
        self.latencies: list[float] = []
        self.refused: list[str] = []
        self.open = connections
        self.begin = perf_counter() + WARM_UP
        self.end = self.begin + seconds
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def closed(self) -> None:
        """One connection has had its last answer."""
        self.open -= 1
        if self.open == 0:
            self.done.set_result(None)


class Reader(asyncio.Protocol):
    """One client that waits for each answer before it asks again."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class does not say so
        self.ask()

    def ask(self) -> None:
        """Send it once more."""
        self.sent = perf_counter()
        self.transport.write(self.load.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, gap, body = self.received.partition(b"\r\n\r\n")
        _, _, rest = head.lower().partition(b"content-length: ")
        if not gap or len(body) < int(rest.partition(b"\r\n")[0] or 0):
            return
        now = perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            self.load.refused.append(self.received[:300].decode(errors="replace"))
        elif self.sent >= self.load.begin:
            self.load.latencies.append(now - self.sent)
        self.received = b""
        if now < self.load.end:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.load.closed()


async def run(port: int, connections: int, seconds: float, token: str, path: str) -> Load:
    """Load the server at this port; returns when every connection has its last answer."""
    load = Load(path, token, connections, seconds)
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: Reader(load), "127.0.0.1", port)
    await load.done
    return load


def main(port: str, connections: str, seconds: str, token: str, *paths: str) -> None:
    for path in paths:
        load = uvloop.run(run(int(port), int(connections), float(seconds), token, path))
        latencies = sorted(load.latencies)
        said = {
            "path": path,
            "per_second": len(latencies) / float(seconds),
            "p50": latencies[len(latencies) // 2] if latencies else 0,
            "p99": latencies[int(len(latencies) * 0.99)] if latencies else 0,
            "refused": load.refused[:1],
        }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
