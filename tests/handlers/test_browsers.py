"""What browsers hear, and what goes over the wire: origins, compression, bodies that nobody reads, headers."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.builders_api import Api, open_api

pytestmark = pytest.mark.api

OURS, THEIRS = "https://app.example.com", "https://evil.example.com"


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API that pages of one other origin may call."""
    async with open_api(database_url, redis_url, tmp_path, cors_origins=OURS) as opened:
        yield opened
        assert opened.bugs == []


async def preflight(api: Api, origin: str, headers: str = "authorization, idempotency-key") -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    return await api.client.options("/api/v1/analyses", headers={"Origin": origin, **asked})


async def test_a_page_of_a_known_origin_may_call_and_sees_what_it_needs(api: Api) -> None:
    answer = await preflight(api, OURS)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, OURS)
    answer = await api.client.get("/api/v1/auth/me", headers={"Origin": OURS})
    shown = answer.headers["access-control-expose-headers"]
    assert all(name in shown for name in ("X-Request-ID", "RateLimit-Remaining", "ETag", "Retry-After"))
    assert "access-control-allow-credentials" not in answer.headers


async def test_any_other_page_may_not(api: Api) -> None:
    answer = await preflight(api, THEIRS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    answer = await api.client.get("/api/v1/auth/me", headers={"Origin": THEIRS})
    assert "access-control-allow-origin" not in answer.headers


async def test_long_answers_shrink_but_none_that_holds_tokens(api: Api) -> None:
    page = await api.client.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    mona = await api.person("mona")
    for _ in range(12):
        await mona.post("/auth/api-keys", {"name": "ci" * 20, "scopes": ["upload:read"]})
    keys = await mona.get("/auth/api-keys", headers={"Accept-Encoding": "gzip"})
    assert len(keys.content) > 1000
    assert "content-encoding" not in keys.headers


async def test_a_tag_saves_sending_the_same_again(api: Api) -> None:
    mona = await api.person("mona")
    tag = (await mona.get("/auth/me")).headers["etag"]
    for given, status in ((tag, 304), (tag.removeprefix("W/"), 304), (f'"x", {tag}', 304), ("*", 304), ('"x"', 200)):
        assert (await mona.get("/auth/me", headers={"If-None-Match": given})).status_code == status, given


async def test_a_body_that_nobody_reads_is_dropped_and_the_connection_ends(api: Api) -> None:
    sent = []

    async def much() -> AsyncIterator[bytes]:
        for number in range(100):
            sent.append(number)
            yield b"x" * 10_000

    answer = await api.client.post("/api/v1/analyses", content=much())
    assert (answer.status_code, answer.headers["connection"]) == (401, "close")
    assert len(sent) == 100


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
async def test_a_body_without_end_is_refused_where_none_is_wanted(api: Api, method: str) -> None:
    mona = await api.person("mona")

    async def much() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"x" * 10_000

    path = {"GET": "/auth/me", "DELETE": "/uploads/1", "POST": "/auth/logout"}[method]
    answer = await mona.call(method, path, content=much())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
