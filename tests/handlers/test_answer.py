"""A refusal reaches clients that send everything before they listen."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from handlers import answer
from handlers.answer import refuse
from tests.sandbox.serving import Scope, Serving

pytestmark = pytest.mark.integration


async def refusing(_: Scope, receive: Any, send: Any) -> None:
    await refuse(send, receive, 413, {"error": "Too large."})


@pytest.fixture
def address() -> Iterator[str]:
    serving = Serving(refusing)
    yield serving.start()
    serving.stop()


def test_a_client_that_sends_26_megabytes_first_reads_the_answer(address: str) -> None:
    for _ in range(3):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(address, data=bytes(26 * 1024 * 1024)), timeout=20)
        with refused.value as error:
            assert (error.code, error.read()) == (413, b'{"error":"Too large."}')


async def test_a_client_that_never_ends_is_dropped_after_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "MOST_DISCARDED", 10_000)
    read, said = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    async def send(message: Any) -> None:
        said.append((message["type"], message.get("more_body", False), read))

    await refuse(send, receive, 401, {"error": "No."})
    assert said == [("http.response.start", False, 0), ("http.response.body", True, 0), ("http.response.body", False, 10)]
