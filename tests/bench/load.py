"""A load generator that costs far less than the server: signed deliveries over plain keep-alive sockets, from one process.

`python -m tests.bench.load PORT CONNECTIONS SECONDS PREFIX ACKNOWLEDGED_FILE` prints one line of JSON.
"""

import asyncio
import json
import sys
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import cast

import uvloop

from tests.builders_delivery import SECRET, a_pull_request, a_pull_request_payload, headers_for

VARIANTS = 32
BODY_BYTES = 25_000
WARM_UP = 0.4
"""Seconds that are not counted, so that connections, pools and caches are as they stay."""


class Load:
    """What all connections share: the prepared requests, the numbers, the clock."""

    def __init__(self, connections: int, seconds: float, prefix: str) -> None:
        self.requests = [_prepared(number, prefix) for number in range(VARIANTS)]
        self.numbers = count()
        self.acknowledged: list[int] = []
        self.latencies: list[float] = []
        self.refused = 0
        self.open = connections
        self.begin = perf_counter() + WARM_UP
        self.end = self.begin + seconds
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def closed(self) -> None:
        self.open -= 1
        if self.open == 0:
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """One client that waits for each answer before it sends the next delivery."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class does not say so
        self.send()

    def send(self) -> None:
        self.number = next(self.load.numbers)
        head, rest = self.load.requests[self.number % VARIANTS]
        self.sent = perf_counter()
        self.transport.write(b"%s%d%s" % (head, self.number, rest))

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, gap, body = self.received.partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return
        now = perf_counter()
        if head.startswith(b"HTTP/1.1 202"):
            self.load.acknowledged.append(self.number)
            if self.sent >= self.load.begin:
                self.load.latencies.append(now - self.sent)
        else:
            self.load.refused += 1
        self.received = b""
        if now < self.load.end:
            self.send()
        else:
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.load.closed()


def _length(head: bytes) -> int:
    _, _, rest = head.partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0])


def _prepared(number: int, prefix: str) -> tuple[bytes, bytes]:
    """One request, cut where the delivery's number goes."""
    pull = a_pull_request(number, head={"sha": f"{number:040x}"} | {"repo": a_pull_request()["head"]["repo"]})
    body = json.dumps(a_pull_request_payload("synchronize", pull, number=number)).encode()
    body = json.dumps(
        a_pull_request_payload("synchronize", pull, number=number, padding="x" * (BODY_BYTES - len(body)))
    ).encode()
    headers = headers_for(body, secret=SECRET) | {"content-length": str(len(body)), "accept": "*/*", "host": "127.0.0.1"}
    del headers["x-github-delivery"]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhooks/github HTTP/1.1\r\nx-github-delivery: {prefix}-".encode(), f"\r\n{lines}\r\n".encode() + body


async def run(port: int, connections: int, seconds: float, prefix: str) -> Load:
    """Load the server at this port; returns when every connection has its last answer."""
    load = Load(connections, seconds, prefix)
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: Connection(load), "127.0.0.1", port)
    await load.done
    return load


def main(port: str, connections: str, seconds: str, prefix: str, acknowledged: str) -> None:
    load = uvloop.run(run(int(port), int(connections), float(seconds), prefix))
    Path(acknowledged).write_text("\n".join(f"{prefix}-{number}" for number in load.acknowledged))
    latencies = sorted(load.latencies)
    print(
        json.dumps(
            {
                "per_second": len(latencies) / float(seconds),
                "p50": latencies[len(latencies) // 2] if latencies else 0,
                "p99": latencies[int(len(latencies) * 0.99)] if latencies else 0,
                "acknowledged": len(load.acknowledged),
                "refused": load.refused,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
