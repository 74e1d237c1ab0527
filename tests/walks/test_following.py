"""Following an analysis on two real web processes at once: one tells what the other one does, and a killed one costs little."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from websockets.asyncio.client import ClientConnection, connect

from storage.embedded import EmbeddedServices
from storage.live import Live
from tests.builders_api import PASSWORD
from tests.processes import Process, answers, environment, free_port, process

pytestmark = [pytest.mark.walk, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Web:
    process: Process
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"


@pytest.fixture
def webs(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[list[Web]]:
    """Two web processes on one Postgres and one Redis."""
    with ExitStack() as stack:
        yield [stack.enter_context(process_of(database_url, redis_url, tmp_path / name)) for name in ("one", "two")]


@contextmanager
def process_of(database_url: str, redis_url: str, folder: Path) -> Iterator[Web]:
    port = free_port()
    folder.mkdir()
    given = {"PORT": str(port), "LOGINS_PER_MINUTE": "1000", "GITHUB_WEBHOOK_SECRET": "w" * 32}
    with process("web", environment(EmbeddedServices(database_url, redis_url), folder, given), folder) as running:
        web = Web(running, port)
        running.wait_for(answers(f"{web.url}/health/ready"))
        yield web


def analysis(web: Web, database_url: str) -> tuple[str, int]:
    """Somebody's access token, and an analysis of theirs that is running."""
    who = {"email": "mona@example.com", "password": PASSWORD}
    with httpx.Client(base_url=web.url, trust_env=False) as client:
        user = client.post("/auth/register", json=who).json()["data"]["id"]
        token = client.post("/auth/login", json=who).json()["data"]["access_token"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        row = connection.execute(
            "INSERT INTO analyses (organization_id, subject, upload_id, requested_by, status, progress)"
            " SELECT home_id, 'upload', 1, id, 'running', 0 FROM users WHERE id = %s RETURNING id",
            (user,),
        ).fetchone()
    assert row is not None
    return token, int(row[0])


def followed(web: Web, token: str, id: int) -> connect:
    headers = {"Authorization": f"Bearer {token}"}
    return connect(f"ws://127.0.0.1:{web.port}/ws/analysis/{id}", additional_headers=headers, proxy=None)


async def message(client: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(client.recv(), 15)))


async def test_clients_of_two_processes_see_the_same_and_come_back_at_the_other_one(
    webs: list[Web], database_url: str, redis_url: str
) -> None:
    one, two = webs
    token, id = analysis(one, database_url)
    async with Live.open(redis_url) as worker, followed(one, token, id) as first, followed(two, token, id) as second:
        assert [(await message(client))["progress"] for client in (first, second)] == [0, 0]
        step = {"type": "progress", "progress": 40, "message": "Analyzing app.py..."}
        await worker.tell(f"analysis:{id}", step)
        assert [await message(client) for client in (first, second)] == [step, step]
        one.process.stop_now()
        async with followed(two, token, id) as again:
            assert await message(again) == step
            with psycopg.connect(database_url, autocommit=True) as connection:
                connection.execute("UPDATE analyses SET status = 'completed' WHERE id = %s", (id,))
            await worker.tell(f"analysis:{id}", {"type": "complete"}, last=True)
            ends = [await message(client) for client in (second, again)]
    assert [(end["type"], end["analysis_id"]) for end in ends] == [("complete", id), ("complete", id)]


async def test_the_figures_of_two_processes_and_a_worker_are_the_same_at_both(
    webs: list[Web], database_url: str, redis_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "worker"
    folder.mkdir()
    given = environment(EmbeddedServices(database_url, redis_url), folder, {"PORT": "0"})
    with process("worker", given, folder):
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(40):
            for web in webs:
                for _ in range(3):
                    await client.get(f"{web.url}/auth/me")
            wanted = 'refactoriq_request_seconds_count{method="GET",path="/api/v1/auth/me",status="401"} 6.0'
            for web in webs:
                while True:
                    page = (await client.get(f"{web.url}/health/metrics")).text
                    roles = [page.count(f'role="{role}"') for role in ("web", "worker")]
                    if wanted in page and roles == [2 * 2, 1 * 2]:  # memory and processor time of each
                        break
                    await asyncio.sleep(0.2)
