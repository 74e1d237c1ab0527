"""POST /webhooks/github through the whole application: what is let in, what is turned away, and what each hears."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.web import WEBHOOK
from handlers.webhook import MOST_BYTES
from tests.builders_delivery import SECRET, a_pull_request_payload, an_installation_payload, headers_for, signed
from tests.handlers.conftest import Door, OpenDoor

pytestmark = pytest.mark.api

OPENED = json.dumps(a_pull_request_payload()).encode()


async def raw(door: Door, headers: dict[str, str], pieces: Iterable[bytes], method: str = "POST") -> tuple[int, Any, int]:
    """Ask without a client's help; gives the status, the JSON answered, and how many pieces were read before it."""
    given, read, said = list(pieces), 0, []

    async def receive() -> dict[str, Any]:
        nonlocal read
        if read == len(given):
            return {"type": "http.disconnect"}
        read += 1
        return {"type": "http.request", "body": given[read - 1], "more_body": read < len(given)}

    async def send(message: Any) -> None:
        said.append(message | {"after": read})

    scope = {
        "type": "http", "method": method, "path": WEBHOOK, "raw_path": WEBHOOK.encode(), "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await door.app(scope, receive, send)  # type: ignore[arg-type]
    return (said[0]["status"], json.loads(said[1]["body"]), said[0]["after"]) if said else (0, None, read)


async def test_a_signed_delivery_is_remembered_queued_and_acknowledged(door: Door) -> None:
    answer = await door.post(OPENED)
    assert (answer.status_code, answer.json()) == (202, {"delivery": "d-1", "outcome": "Queued: review_pull_request."})
    [row] = await door.remembered()
    assert (row.id, row.event, row.action, row.state, row.pull_number) == ("d-1", "pull_request", "opened", "received", 7)
    assert await door.queue.lengths() == {"high": 0, "default": 1, "low": 0}


async def test_what_happens_to_an_installation_goes_before_reviews(door: Door) -> None:
    body = json.dumps(an_installation_payload()).encode()
    assert (await door.post(body, headers_for(body, "installation"))).status_code == 202
    assert await door.queue.lengths() == {"high": 1, "default": 0, "low": 0}


async def test_githubs_own_test_vector_is_accepted_and_any_other_signature_is_not(open_door: OpenDoor) -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    door = await open_door(github_webhook_secret="It's a Secret to Everybody")
    good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = headers_for(b"Hello, World!")
    assert (await door.post(b"Hello, World!", headers, **{"x-hub-signature-256": good})).status_code == 400  # it is no JSON
    for wrong in (good[:-1] + "8", good[len("sha256=") :], good.upper(), "sha1=" + good[7:47], good + "0", "sha256="):
        assert (await door.post(b"Hello, World!", headers, **{"x-hub-signature-256": wrong})).status_code == 401, wrong
    assert await door.remembered() == []


@pytest.mark.parametrize(
    "signature", [None, "", "sha256=" + "0" * 64, signed(OPENED, "another secret"), "sha256=ü", "nonsense"]
)
async def test_without_the_right_signature_nothing_gets_in(door: Door, signature: str | None) -> None:
    headers = headers_for(OPENED)
    del headers["x-hub-signature-256"]
    if signature is not None:
        headers["x-hub-signature-256"] = signature
    status, answer, _ = await raw(door, headers, [OPENED])
    assert status == 401
    assert answer["error"] in ("The signature (X-Hub-Signature-256) is missing.", "The signature is wrong.")
    assert (await door.remembered(), await door.queued()) == ([], 0)


async def test_a_missing_signature_is_refused_before_the_body_is_read(door: Door) -> None:
    status, _, read = await raw(door, {"content-length": "1000"}, [b"x" * 500, b"x" * 500])
    assert (status, read) == (401, 0)


async def test_without_a_secret_nothing_is_accepted(open_door: OpenDoor) -> None:
    door = await open_door(github_webhook_secret="")
    for secret in (SECRET, ""):
        answer = await door.post(OPENED, headers_for(OPENED, secret=secret))
        assert answer.status_code == 503
        assert answer.json()["error"].startswith("No webhook secret is configured (GITHUB_WEBHOOK_SECRET)")
    assert await door.remembered() == []


async def test_while_the_secret_is_changed_both_are_accepted(open_door: OpenDoor) -> None:
    door = await open_door(github_webhook_secret="the new secret, the old secret")
    for number, (secret, status) in enumerate([("the new secret", 202), ("the old secret", 202), ("the older secret", 401)]):
        assert (await door.post(OPENED, headers_for(OPENED, id=f"d-{number}", secret=secret))).status_code == status


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b'{"action": "op\xff"}', "not valid UTF-8"),
        (b'{"action": 7}', "not a payload of this event"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"action": "opened", "number": 1e999}', ""),
    ],
    ids=["empty", "cut", "list", "null", "utf-8", "types", "deep", "huge number"],
)
async def test_what_nobody_can_read_is_a_400_with_a_sentence(door: Door, body: bytes, says: str) -> None:
    answer = await door.post(body)
    if says:
        assert answer.status_code == 400
        assert says in answer.json()["error"]
        assert await door.remembered() == []
    assert answer.status_code in (202, 400)
    assert door.bugs == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-github-delivery", ""),
        ("x-github-delivery", "a/b"),
        ("x-github-delivery", "x" * 65),
        ("x-github-event", "Pull Request"),
    ],
)
async def test_headers_that_github_would_not_send_are_a_400(door: Door, header: str, value: str) -> None:
    answer = await door.post(OPENED, **{header: value})
    assert answer.status_code == 400
    assert await door.remembered() == []


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "9" * 30, "9" * 5000, "-1", "ten"])
async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(door: Door, length: str) -> None:
    status, answer, read = await raw(door, headers_for(b"x") | {"content-length": length}, [b"x"] * 3)
    assert (status, answer["error"], read) == (413, "The body is over 25 MB.", 0)


async def test_a_body_that_does_not_say_so_is_read_up_to_the_bound_and_no_further(door: Door) -> None:
    piece = b"x" * (1024 * 1024)
    status, _, read = await raw(door, headers_for(b"x"), [piece] * 40)
    assert (status, read) == (413, 26)


async def test_a_body_of_exactly_the_bound_is_read(door: Door) -> None:
    body = b'{"action": "opened"}'
    body += b" " * (MOST_BYTES - len(body))
    status, _, read = await raw(door, headers_for(body, "star"), [body[: len(body) // 2], body[len(body) // 2 :]])
    assert (status, read) == (202, 2)


async def test_a_body_in_many_pieces_is_the_same_body(door: Door) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(OPENED), 1000):
            yield OPENED[start : start + 1000]

    answer = await door.client.post(WEBHOOK, content=pieces(), headers=headers_for(OPENED))
    assert answer.status_code == 202


async def test_a_client_that_hangs_up_is_nobody_to_answer(door: Door) -> None:
    for pieces in ([], [b"x"]):
        status, _, _ = await raw(door, headers_for(OPENED) | {"content-length": "9"}, pieces)
        assert status in (0, 401)
    assert (await door.remembered(), door.bugs) == ([], [])


async def test_a_body_that_drips_is_given_up(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.webhook.BODY_SECONDS", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(0.01)
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    answer = await door.client.post(WEBHOOK, content=dripping(), headers=headers_for(OPENED))
    assert (answer.status_code, answer.json()["error"]) == (408, "The body took too long.")


async def test_a_body_that_never_begins_is_given_up(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.webhook.BODY_SECONDS", 0.05)

    async def silent() -> AsyncIterator[bytes]:
        await asyncio.sleep(5)
        yield b"x"

    answer = await door.client.post(WEBHOOK, content=silent(), headers=headers_for(OPENED))
    assert (answer.status_code, answer.json()["error"]) == (408, "The body took too long.")


async def test_all_bodies_together_have_a_bound_and_leave_room_when_they_end(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.webhook.MOST_AT_ONCE", 2 * len(OPENED))
    hold, come = asyncio.Event(), asyncio.Event()

    async def held() -> AsyncIterator[bytes]:
        yield OPENED
        come.set()
        await hold.wait()
        yield OPENED[:1]

    first = asyncio.create_task(door.client.post(WEBHOOK, content=held(), headers=headers_for(OPENED)))
    await come.wait()
    crowded, _, _ = await raw(door, headers_for(OPENED), [OPENED + b" "])
    hold.set()
    assert (crowded, (await first).status_code) == (503, 401)
    assert (await door.post(OPENED)).status_code == 202


async def test_ping_is_200_and_an_unknown_event_is_202_and_kept_as_ignored(door: Door) -> None:
    for number, (event, status, state) in enumerate([("ping", 200, "done"), ("not_yet_invented", 202, "ignored")]):
        answer = await door.post(b"{}", headers_for(b"{}", event, id=f"d-{number}"))
        assert answer.status_code == status
        assert (await door.remembered())[0].state == state
    assert await door.queued() == 0


async def test_the_other_content_type_is_understood(door: Door) -> None:
    body = urlencode({"payload": OPENED.decode()}).encode()
    for type in ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8"):
        answer = await door.post(body, headers_for(body, id=f"d-{len(type)}"), **{"content-type": type})
        assert answer.status_code == 202, answer.text
    assert await door.queued() == 2
    broken = b"payload=%7B&payload"
    assert (await door.post(broken, **{"content-type": "application/x-www-form-urlencoded"})).status_code == 400


async def test_a_replayed_delivery_is_202_and_done_once(door: Door) -> None:
    first, second = await door.post(OPENED), await door.post(OPENED)
    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json()["outcome"] == "This delivery is known already: nothing is done twice."
    assert (len(await door.remembered()), await door.queued()) == (1, 1)


async def test_a_replay_of_one_that_failed_for_good_is_another_chance(door: Door) -> None:
    await door.post(OPENED)
    await door.deliveries.failed("d-1", "GitHub was down.")
    assert (await door.post(OPENED)).json()["outcome"] == "Queued: review_pull_request."
    [row] = await door.remembered()
    assert (row.state, row.outcome, row.attempts) == ("received", "", 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_not_allowed(door: Door, method: str) -> None:
    answer = await door.client.request(method, WEBHOOK)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_a_compressed_body_is_bytes_like_any_other(door: Door) -> None:
    """GitHub sends none; nothing is unpacked for a stranger."""
    body = gzip.compress(OPENED)
    assert (await door.post(body, **{"content-encoding": "gzip"})).status_code == 400


async def test_with_redis_away_it_is_202_and_with_postgres_away_503(
    open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.WAIT", 0.3)
    without_redis = await open_door(redis_url="unix:///nowhere/redis.sock")
    assert (await without_redis.post(OPENED)).status_code == 202
    [row] = await without_redis.remembered()
    assert row.state == "received"
    without_postgres = await open_door(database_url="postgresql://postgres@/x?host=/nowhere")
    answer = await without_postgres.post(OPENED, headers_for(OPENED, id="d-2"))
    assert (answer.status_code, answer.json()["error"]) == (
        503,
        "The delivery could not be remembered. Please deliver it again.",
    )
    assert [row.id for row in await without_redis.remembered()] == ["d-1"]
