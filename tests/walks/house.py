"""The whole house in the test's own loop: the real web application, a real queue, and jobs done one after the other."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import structlog
from redis.asyncio import Redis
from rq import Queue as RqQueue
from rq.job import Job

from bot.logs import report
from bot.settings import Settings, read_settings
from bot.web import WEBHOOK, Doors
from bot.worker import attempt
from handlers.middleware import Guarded
from storage.database import Database
from storage.deliveries import Deliveries, RememberedDelivery
from storage.queue import QUEUES, Json
from tests.app import running
from tests.sandbox import payloads
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.sandbox.world import PullRequest, Review

SECRET_KEY = "a secret key that only tests use, long enough"
FINAL = frozenset({"ignored", "done", "superseded", "failed"})
"""The states in which nothing more is going to happen to a delivery."""


def environment(
    github: SandboxGitHub, models: SandboxModels, database_url: str, redis_url: str, data_dir: Path, **more: str
) -> dict[str, str]:
    """The settings of a RefactorIQ on this sandbox, by their names. No model key: those that want one say so in `more`."""
    return {
        "ENVIRONMENT": "test",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(data_dir),
        "GITHUB_APP_ID": github.app_id,
        "GITHUB_PRIVATE_KEY": github.private_key,
        "GITHUB_WEBHOOK_SECRET": github.webhook_secret,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_WEB_URL": github.url,
        "OPENAI_BASE_URL": models.openai_base_url,
        "ANTHROPIC_BASE_URL": models.anthropic_base_url,
        "LOG_FORMAT": "json",
        "HTTPS_PROXY": "",
        **more,
    }


@dataclass(slots=True)
class House:
    """RefactorIQ, as a person on GitHub meets it: deliveries go in, reviews stand there, and records tell what happened."""

    github: SandboxGitHub
    models: SandboxModels
    settings: Settings
    client: httpx.AsyncClient
    deliveries: Deliveries
    redis: Redis
    log: list[dict[str, Any]]
    """Every log line so far, of the web application and of the jobs, with what is bound to it."""
    put_off: dict[str, float] = field(default_factory=dict)
    """By delivery, the seconds after which a job asked to be tried again."""

    async def send(self, event: str, payload: dict[str, Any], id: str | None = None) -> httpx.Response:
        """One signed webhook; gives the receiver's answer."""
        guid = id or str(uuid.uuid4())
        body = json.dumps(payload, ensure_ascii=False).encode(errors="replace")
        headers = payloads.headers(self.github.world, event, guid, self.github.webhook_secret, body)
        return await self.client.post(WEBHOOK, content=body, headers=headers)

    async def deliver(self, event: str, payload: dict[str, Any], id: str | None = None) -> str:
        """One webhook that is accepted; gives its id."""
        answer = await self.send(event, payload, id)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["delivery"])

    async def tell(self, pull: PullRequest, action: str = "opened", **more: Any) -> str:
        """The `pull_request` event of that action, as things stand now; gives the delivery's id."""
        return await self.deliver("pull_request", pull.payload(action, **more))

    async def review(self, pull: PullRequest, action: str = "opened", **more: Any) -> RememberedDelivery:
        """Deliver that event, and work until its delivery has a final state."""
        return await self.settle(await self.tell(pull, action, **more))

    async def work(self) -> None:
        """Do every job that is queued, in the queue's order, until none is left. What puts itself off is in `put_off`."""
        while job := await self.next_job():
            with structlog.contextvars.bound_contextvars():
                seconds = await attempt(self.settings, job["kind"], job["arguments"])
                structlog.contextvars.clear_contextvars()
            bugs = [line.get("exception") for line in self.log if line["event"] == "bug"]
            assert not bugs, bugs[0]
            if seconds is not None:
                self.put_off[str(job["arguments"]["delivery_id"])] = seconds
                self._later.append(job)

    async def settle(self, delivery_id: str, tries: int = 12) -> RememberedDelivery:
        """Work, without waiting where a job puts itself off, until this delivery has a final state."""
        for _ in range(tries):
            await self.work()
            row = await self.row(delivery_id)
            if row.state in FINAL:
                return row
            self._again, self._later = self._later, []
        raise AssertionError(f"no final state after {tries} tries: {row}")

    async def row(self, delivery_id: str) -> RememberedDelivery:
        """What is remembered of that delivery."""
        row = await self.deliveries.get(delivery_id)
        assert row is not None, f"{delivery_id} was never remembered"
        return row

    def standing(self, pull: PullRequest) -> list[Review]:
        """The reviews that anybody can see on that pull request, oldest first."""
        return [review for review in self.github.reviews(pull.repository, pull.number) if review.state != "PENDING"]

    def calls(self) -> list[str]:
        """The REST calls so far, each as `METHOD path`."""
        return [f"{exchange.method} {exchange.path}" for exchange in self.github.rest_requests]

    def sql(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        """One statement on the database, by its owner; gives the rows, if there are any."""
        with psycopg.connect(self.settings.database_url.get_secret_value(), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    async def until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until this is true."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)

    _later: list[dict[str, Any]] = field(default_factory=list)
    _again: list[dict[str, Any]] = field(default_factory=list)

    async def next_job(self) -> dict[str, Any] | None:
        """Take the job that a worker would take next: its kind and arguments."""
        if self._again:
            return self._again.pop(0)
        for queue in QUEUES:
            if id := await self.redis.lpop(RqQueue.redis_queue_namespace_prefix + queue):
                data = await self.redis.hget(Job.redis_job_namespace_prefix + id.decode(), "data")
                _, _, (kind, arguments), _ = Json.loads(data)
                return {"kind": kind, "arguments": arguments}
        return None


@asynccontextmanager
async def open_house(github: SandboxGitHub, models: SandboxModels, given: dict[str, str]) -> AsyncIterator[House]:
    """A house with those settings, from the first delivery to the last."""
    settings = read_settings(**{name.lower(): value for name, value in given.items()})
    redis = Redis.from_url(given["REDIS_URL"])
    lines = _captured_log()
    async with Database.open(given["DATABASE_URL"]) as database, running(Guarded(Doors(settings), report)) as client:
        try:
            yield House(github, models, settings, client, Deliveries(database), redis, lines)
        finally:
            await redis.aclose()
            structlog.reset_defaults()


def _captured_log() -> list[dict[str, Any]]:
    """structlog writes into this list from now on."""
    lines: list[dict[str, Any]] = []

    def keep(_: object, __: str, event: MutableMapping[str, Any]) -> Any:
        lines.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
                    structlog.processors.format_exc_info, keep]
    )  # fmt: skip
    return lines
