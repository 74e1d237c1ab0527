"""What the receiver is held against: HMAC and an answer alone, and one INSERT and one enqueue for each delivery."""

import asyncio
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool
from redis import Redis
from rq import Queue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

SECRET = os.environ.get("GITHUB_WEBHOOK_SECRET", "").rpartition(",")[2].encode()


def hmac_only() -> ASGIApp:
    """The floor: a framework's request with its whole body, the signature checked, 202."""

    async def webhook(request: Request) -> Response:
        body, given = await request.body(), request.headers["x-hub-signature-256"]
        right = hmac.compare_digest("sha256=" + hmac.digest(SECRET, body, "sha256").hex(), given)
        return PlainTextResponse("ok", 202 if right else 401)

    return Starlette(routes=[Route("/webhooks/github", webhook, methods=["POST"]), Route("/ready", _ready)])


def hmac_bare() -> ASGIApp:
    """The same without a framework: what the server itself costs, and the hash."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            await _answer(send, 200)
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        given = dict(scope["headers"])[b"x-hub-signature-256"]
        right = hmac.compare_digest(b"sha256=" + hmac.digest(SECRET, body, "sha256").hex().encode(), given)
        await _answer(send, 202 if right else 401)

    return app


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def plain() -> Starlette:
    """The ordinary way: a framework's request, one INSERT in its own transaction, one enqueue by rq in a thread."""
    pool = AsyncConnectionPool(os.environ["DATABASE_URL"], min_size=8, max_size=16, open=False, kwargs={"autocommit": True})
    queue = Queue("plain", connection=Redis.from_url(os.environ["REDIS_URL"]))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await pool.open(wait=True)
        yield
        await pool.close()

    async def webhook(request: Request) -> Response:
        body = await request.body()
        given = request.headers["x-hub-signature-256"]
        if not hmac.compare_digest("sha256=" + hmac.digest(SECRET, body, "sha256").hex(), given):
            return Response(status_code=401)
        delivery_id, event, payload = request.headers["x-github-delivery"], request.headers["x-github-event"], json.loads(body)
        arguments = {"delivery_id": delivery_id, "repository": payload["repository"]["full_name"], "number": payload["number"]}
        async with pool.connection() as connection:
            await connection.execute(
                "INSERT INTO plain_deliveries (id, event, action, repository_id, pull_number, head_sha, job) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (
                    delivery_id,
                    event,
                    payload["action"],
                    payload["repository"]["id"],
                    payload["number"],
                    payload["pull_request"]["head"]["sha"],
                    json.dumps(arguments),
                ),
            )
        await asyncio.to_thread(queue.enqueue, "bot.worker.perform", "review_pull_request", arguments, job_id=delivery_id)
        return PlainTextResponse("ok", 202)

    routes = [Route("/webhooks/github", webhook, methods=["POST"]), Route("/ready", _ready)]
    return Starlette(routes=routes, lifespan=lifespan)


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ok")


PLAIN_TABLE = """
CREATE TABLE IF NOT EXISTS plain_deliveries (
    id text PRIMARY KEY, event text, action text, repository_id bigint, pull_number int, head_sha text, job text,
    received_at timestamptz NOT NULL DEFAULT now()
)
"""
