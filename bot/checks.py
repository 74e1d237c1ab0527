"""What a web process depends on, each with a way to ask it for a sign of life."""

import asyncio
import time
from urllib.parse import urlsplit

import httpx

from bot.mail import smtp_server
from bot.settings import Settings
from bot.way_out import proxy_to, trusted_at
from handlers.api.services import Check
from review.errors import TryAgain
from storage.database import Database
from storage.objects import Objects
from storage.queue import Queue
from storage.redis_client import REDIS_ERRORS, AnyRedis

GITHUB_EVERY = 60.0
"""Seconds for which GitHub's answer counts: without a sign-in it takes sixty requests an hour."""


def checks(
    settings: Settings, database: Database, replica: Database | None, queue: Queue, cache: AnyRedis, objects: Objects
) -> dict[str, Check]:
    """By the names of the dependencies; only what the settings name."""

    async def workers() -> str:
        alive = await queue.workers()
        if not alive:
            raise TryAgain("No worker was seen: start `refactoriq worker`.")
        return f"{alive} seen"

    async def cache_answers() -> None:
        try:
            await cache.ping()
        except REDIS_ERRORS as error:
            raise TryAgain("The cache's Redis cannot be reached just now.") from error

    found: dict[str, Check] = {"postgres": database.ping}
    if replica is not None:
        found["postgres_replica"] = replica.ping
    found |= {"redis": queue.ping, "redis_cache": cache_answers, "objects": lambda: objects.size("temp/health")}
    found |= {"github": GitHubAnswers(settings), "workers": workers}
    if url := settings.smtp_url.get_secret_value():
        server = smtp_server(url)
        found["smtp"] = lambda: _reach(server.host, server.port)
    return found


async def _reach(host: str, port: int) -> str:
    try:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
    except OSError as error:
        raise TryAgain(f"{host}:{port} cannot be reached.") from error
    return f"{host}:{port}"


class GitHubAnswers:
    """Whether GitHub's API answers, asked once a minute at most."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.github_api_url
        self._proxy, self._ca_file = settings.https_proxy, settings.ssl_cert_file
        self._asked_at = -GITHUB_EVERY
        self._away = ""

    async def __call__(self) -> str:
        """GitHub's host. Raises TryAgain."""
        if time.monotonic() - self._asked_at >= GITHUB_EVERY:
            self._away = await self._ask()
            self._asked_at = time.monotonic()
        if self._away:
            raise TryAgain(self._away)
        return urlsplit(self._url).netloc

    async def _ask(self) -> str:
        """Why it does not answer; an empty string where it does, whatever it says."""
        try:
            async with httpx.AsyncClient(
                proxy=proxy_to(self._url, self._proxy) or None, verify=trusted_at(self._url, self._ca_file), trust_env=False
            ) as client:
                answer = await client.get(f"{self._url}/rate_limit", headers={"User-Agent": "RefactorIQ"})
        except httpx.HTTPError as error:
            return f"GitHub's API cannot be reached ({type(error).__name__})."
        return "" if answer.status_code < 500 else f"GitHub's API answers {answer.status_code}."
