"""Around every request: an id, security headers, and for a bug a plain sentence."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from handlers.middleware import SECURITY_HEADERS, Guarded
from tests.app import running
from tests.builders_delivery import headers_for
from tests.handlers.conftest import Door

pytestmark = pytest.mark.api

PAGES = ["/api/v1/health", "/nowhere", "/webhooks/github", "/api/v1/health/metrics"]


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_carries_the_security_headers_and_an_id(door: Door, path: str) -> None:
    answer = await door.client.get(path)
    for name, value in SECURITY_HEADERS:
        assert answer.headers[name.decode()] == value.decode()
    assert len(answer.headers["x-request-id"]) == 16
    assert "server" not in answer.headers


async def test_what_is_not_there_is_said_in_our_form(door: Door) -> None:
    answer = await door.client.get("/wp-admin.php")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = await door.client.post("/api/v1/health")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


async def test_a_harmless_id_comes_back_and_any_other_is_replaced(door: Door) -> None:
    for given, same in (("abc-1.2_3", True), ("x" * 65, False), ("a b", False), ("<script>", False)):
        answer = await door.client.get("/api/v1/health", headers={"x-request-id": given})
        assert (answer.headers["x-request-id"] == given) is same
    answer = await door.post(b"{}", headers_for(b"{}", "ping", id="a-delivery"))
    assert answer.headers["x-request-id"] == "a-delivery"


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})
        return
    if scope["path"] == "/late":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("the password is swordfish")


async def test_a_bug_is_reported_and_told_in_one_sentence() -> None:
    reported: list[tuple[BaseException, dict[str, str]]] = []
    async with running(Guarded(failing, lambda error, **where: reported.append((error, where)))) as client:
        answer = await client.get("/", headers={"x-request-id": "r-1"})
    said = answer.json()["error"]["message"]
    assert (answer.status_code, said) == (500, "Something went wrong on our side. We know of it.")
    assert "swordfish" not in answer.text
    [(error, where)] = reported
    assert (str(error), where) == ("the password is swordfish", {"request": "r-1"})


async def test_a_bug_after_the_answer_began_is_reported_and_nothing_is_added() -> None:
    reported: list[BaseException] = []
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    app = Guarded(failing, lambda error, **_: reported.append(error))
    await app({"type": "http", "path": "/late", "headers": []}, send, send)  # type: ignore[arg-type]
    assert ([message["type"] for message in said], len(reported)) == (["http.response.start"], 1)
