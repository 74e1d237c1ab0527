"""Builders for the API's tests: the real application, people who are signed in, and the organizations that they see."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import structlog
from redis.asyncio import Redis
from rq import Queue as RqQueue
from rq.job import Job

from bot.settings import Settings, read_settings
from bot.web import Doors
from bot.worker import attempt
from handlers.middleware import Guarded
from handlers.sweep import stored_job
from review.pull_request import Repository
from storage.database import Database
from storage.installations import Installations, Tenant
from storage.queue import QUEUES, Json, Queue
from tests.app import running
from tests.sandbox.github import SandboxGitHub

PASSWORD = "correct horse battery staple"


@dataclass(slots=True)
class Person:
    """Somebody with an account and a session. `calls` are made in their name; `home` is their own organization's id."""

    api: "Api"
    id: int
    home: int
    email: str
    tokens: dict[str, Any]

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A request to that path below /api/v1, in their name."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}", **request.pop("headers", {})}
        return await self.api.client.request(method, f"/api/v1{path}", headers=headers, **request)

    async def get(self, path: str, **request: Any) -> httpx.Response:
        return await self.call("GET", path, **request)

    async def post(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        return await self.call("POST", path, **({"json": body} if body is not None else {}), **request)

    async def put(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        return await self.call("PUT", path, **({"json": body} if body is not None else {}), **request)

    async def delete(self, path: str, **request: Any) -> httpx.Response:
        return await self.call("DELETE", path, **request)


@dataclass(slots=True)
class Api:
    """The application with a client of it. `bugs` are the errors that it reported: a test may look that there are none."""

    client: httpx.AsyncClient
    app: Doors
    settings: Settings
    database: Database
    bugs: list[BaseException] = field(default_factory=list)

    async def person(self, name: str = "", *, administrator: bool = False) -> Person:
        """Somebody new, registered and signed in."""
        email = f"{name or secrets.token_hex(6)}@example.com"
        made = await self.client.post("/api/v1/auth/register", json={"email": email, "password": PASSWORD, "full_name": name})
        assert made.status_code == 201, made.text
        signed_in = await self.client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text
        id = made.json()["data"]["id"]
        if administrator:
            self.sql("UPDATE users SET administrator = true WHERE id = %s", (id,))
        home = self.sql("SELECT home_id FROM users WHERE id = %s", (id,))[0][0]
        return Person(self, id, home, email, signed_in.json()["data"])

    async def organization(self, account_id: int = 100, *repositories: Repository) -> list[Tenant]:
        """The app installed on the account `octo-…` with these repositories (`octo/hello` when none are named)."""
        installations, given = Installations(self.database), repositories or (Repository(9001, "octo/hello"),)
        return [
            await installations.tenant_of(account_id, f"octo-{account_id}", "Organization", account_id + 1, repository)
            for repository in given
        ]

    async def work(self) -> dict[str, float]:
        """Do every job that is queued as a worker does it, in this loop, until none is left.

        Gives those that asked to be tried again, by their deliveries, with the seconds until then: the queue forgets them.
        """
        put_off: dict[str, float] = {}
        async with Redis.from_url(self.settings.redis_url.get_secret_value()) as redis:
            while job := await next_job(redis):
                with structlog.contextvars.bound_contextvars():
                    seconds = await attempt(self.settings, *job)
                    structlog.contextvars.clear_contextvars()
                if seconds is not None:
                    put_off[str(job[1]["delivery_id"])] = seconds
        bugs = self.sql("SELECT id, outcome FROM deliveries WHERE outcome LIKE '%A mistake of ours%'")
        assert not bugs, f"{bugs}: the traceback stands in the captured output"
        return put_off

    async def put_again(self) -> None:
        """Queue what asked `work` to be tried again, as the worker does once its time has come."""
        waiting = self.sql("SELECT id, job FROM deliveries WHERE state = 'retrying' ORDER BY sequence")
        async with Queue.open(self.settings.redis_url.get_secret_value()) as queue:
            await queue.put_many([stored_job(id, bytes(job)) for id, job in waiting])

    def join(self, person: Person, organization_id: int, role: str | None = None, *, github: str | None = None) -> None:
        """They become a member there, by a role set here, or by GitHub's (owner, member, viewer), or both."""
        self.sql(
            "INSERT INTO members (organization_id, user_id, role, github_role) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role, github_role = excluded.github_role",
            (organization_id, person.id, role, github),
        )
        self._asked_github(person)

    def may_read(self, person: Person, tenant: Tenant, permission: str = "read") -> None:
        """GitHub lets them read that repository."""
        self.sql(
            "INSERT INTO repository_readers (organization_id, repository_id, user_id, permission) VALUES (%s, %s, %s, %s)",
            (tenant.organization_id, tenant.repository_id, person.id, permission),
        )
        self._asked_github(person)

    def _asked_github(self, person: Person) -> None:
        """What stands there of GitHub counts for a day from now."""
        self.sql("UPDATE users SET seen_on_github_at = now() WHERE id = %s", (person.id,))

    def sql(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """One statement on the database, by its owner; gives the rows, if there are any."""
        with psycopg.connect(self.settings.database_url.get_secret_value(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []


async def next_job(redis: Redis) -> tuple[str, dict[str, Any]] | None:
    """Take the job that a worker would take next: its kind and arguments."""
    for queue in QUEUES:
        if id := await redis.lpop(RqQueue.redis_queue_namespace_prefix + queue):
            data = await redis.hget(Job.redis_job_namespace_prefix + id.decode(), "data")
            _, _, (kind, arguments), _ = Json.loads(data)
            return kind, arguments
    return None


def on_github(github: SandboxGitHub) -> dict[str, Any]:
    """The settings with which `open_api` acts as the app of that sandbox."""
    return {
        "github_app_id": github.app_id,
        "github_private_key": github.private_key,
        "github_webhook_secret": github.webhook_secret,
        "github_api_url": github.api_url,
        "github_web_url": github.url,
        "https_proxy": "",
    }


@asynccontextmanager
async def open_api(database_url: str, redis_url: str, data_dir: Any, **settings: Any) -> AsyncIterator[Api]:
    """The application on that database and Redis, with generous limits unless `settings` say otherwise."""
    given = {
        "environment": "test",
        "secret_key": "a secret key that only tests use, long enough",
        "database_url": database_url,
        "redis_url": redis_url,
        "data_dir": str(data_dir),
        "requests_per_minute": 1_000_000,
        "logins_per_minute": 1_000_000,
        "analyses_per_hour": 1_000_000,
    }
    read = read_settings(**(given | settings))
    bugs: list[BaseException] = []
    doors = Doors(read)
    async with Database.open(database_url) as database, running(Guarded(doors, lambda e, **_: bugs.append(e))) as client:
        yield Api(client, doors, read, database, bugs)
