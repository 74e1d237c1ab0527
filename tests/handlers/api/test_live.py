"""The WebSocket of an analysis: who may open it, what it says and when, and who is hung up on."""

import asyncio
import base64
import os
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bot import patience
from handlers import live
from handlers.live import MOST_INCOMING
from tests.builders_api import Api
from tests.handlers.api.live_clients import Served, closed, read, served

pytestmark = pytest.mark.api


@pytest.fixture
async def ws(api: Api) -> AsyncIterator[Served]:
    async with served(api) as opened:
        yield opened


async def test_progress_is_told_step_by_step_and_the_results_at_the_end(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    async with ws.follow(mona, id) as client:
        assert await read(client, 1) == [{"type": "progress", "progress": 5, "message": "Reading the files..."}]
        for percent, file in ((25, "file1.py"), (60, "file2.py")):
            await ws.progress(id, percent, f"Analyzing {file}...")
            told = {"type": "progress", "progress": percent, "message": f"Analyzing {file}..."}
            assert await read(client, 1) == [told]
        await ws.end(id)
        (last,) = await read(client)
        shown = (await mona.get(f"/analyses/{id}")).json()["data"]["results"]
        assert last == {"type": "complete", "analysis_id": id, "results": shown}
        assert await closed(client) == (1000, "")


@pytest.mark.parametrize(("status", "error"), [("failed", "The archive is broken."), ("cancelled", "")])
async def test_an_analysis_that_fails_or_is_cancelled_ends_with_an_error(ws: Served, status: str, error: str) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    async with ws.follow(mona, id) as client:
        await read(client, 1)
        await ws.end(id, status, error)
        message = error or "The analysis was cancelled."
        assert await read(client) == [{"type": "error", "analysis_id": id, "code": status, "message": message}]
        assert client.close_code == 1000


async def test_who_comes_late_or_comes_back_gets_the_present_state_first(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    await ws.progress(id, 25)
    await ws.progress(id, 60, "Analyzing b.py...")
    for _ in range(2):
        async with ws.follow(mona, id) as client:
            assert await read(client, 1) == [{"type": "progress", "progress": 60, "message": "Analyzing b.py..."}]


async def test_a_finished_analysis_answers_at_once_though_redis_has_lost_everything(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona, status="completed")
    async with ws.follow(mona, id) as client:
        assert [message["type"] for message in await read(client)] == ["complete"]


async def test_an_end_of_which_nothing_was_told_is_noticed(ws: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SESSION_EVERY", 0.05)
    monkeypatch.setattr(live, "SIGHT_EVERY", 0.1)
    mona = await ws.api.person()
    id = ws.analysis(mona)
    async with ws.follow(mona, id) as client:
        await read(client, 1)
        await ws.end(id, told=False)
        assert [message["type"] for message in await read(client)] == ["complete"]


async def test_a_second_try_that_begins_anew_takes_no_percentage_back(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    await ws.progress(id, 60)
    async with ws.follow(mona, id) as client:
        await read(client, 1)
        await ws.progress(id, 5, "Reading the files...")
        assert await read(client, 1) == [{"type": "progress", "progress": 60, "message": "Reading the files..."}]


async def test_nobody_is_let_in_without_credentials_that_hold(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    assert await ws.refused(id) == (401, "unauthenticated")
    assert await ws.refused(id, additional_headers={"Authorization": "Bearer nonsense"}) == (401, "unauthenticated")
    assert await ws.refused(id, subprotocols=[Subprotocol("bearer"), Subprotocol("nonsense")]) == (401, "unauthenticated")
    assert await ws.refused(id, "?ticket=nonsense") == (401, "unauthenticated")


async def test_what_one_may_not_see_is_not_there(ws: Served) -> None:
    mona, stranger = await ws.api.person(), await ws.api.person()
    id = ws.analysis(mona)
    headers = {"Authorization": f"Bearer {stranger.tokens['access_token']}"}
    for wrong in (id, id + 1_000, "nonsense", "0", "-1", "9" * 30, "%00", "²"):
        assert await ws.refused(wrong, additional_headers=headers) == (404, "not_found")


async def test_an_api_key_needs_the_scope(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona, status="completed")
    keys = [
        (await mona.post("/auth/api-keys", {"name": "ci", "scopes": [scope]})).json()["data"]["key"]
        for scope in ("analysis:read", "job:read")
    ]
    async with connect(ws.url(id), additional_headers={"Authorization": f"Bearer {keys[0]}"}) as client:
        assert (await read(client))[0]["type"] == "complete"
    refused = await ws.refused(id, additional_headers={"Authorization": f"Bearer {keys[1]}"})
    assert refused == (403, "insufficient_scope")


async def test_a_browser_sends_its_token_as_a_subprotocol(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    protocols = [Subprotocol("bearer"), Subprotocol(mona.tokens["access_token"])]
    async with connect(ws.url(id), subprotocols=protocols) as client:
        assert client.subprotocol == "bearer"
        assert (await read(client, 1))[0]["progress"] == 5


async def test_a_ticket_opens_one_websocket_of_one_analysis_once(ws: Served) -> None:
    mona = await ws.api.person()
    id, other = ws.analysis(mona), ws.analysis(mona)

    async def ticket() -> str:
        given = await mona.post("/auth/tickets", {"analysis_id": id})
        assert given.status_code == 201
        assert given.json()["data"]["expires_in"] == 60
        return f"?ticket={given.json()['data']['ticket']}"

    first = await ticket()
    async with connect(ws.url(id, first)) as client:
        assert (await read(client, 1))[0]["progress"] == 5
    assert await ws.refused(id, first) == (401, "unauthenticated")
    assert await ws.refused(other, await ticket()) == (401, "unauthenticated")


async def test_a_ticket_is_given_only_for_what_one_sees(ws: Served) -> None:
    mona, stranger = await ws.api.person(), await ws.api.person()
    id = ws.analysis(mona)
    assert (await stranger.post("/auth/tickets", {"analysis_id": id})).status_code == 404


async def test_redis_holds_no_ticket_in_plain_text(ws: Served) -> None:
    mona = await ws.api.person()
    given = await mona.post("/auth/tickets", {"analysis_id": ws.analysis(mona)})
    ticket = given.json()["data"]["ticket"]
    keys = await ws.live._redis.keys("*ticket*")
    assert len(keys) == 1
    assert ticket.encode() not in keys[0]
    assert ticket.encode() not in await ws.live._redis.get(keys[0])
    assert 0 < await ws.live._redis.ttl(keys[0]) <= 60


async def test_a_logout_closes_the_websocket(ws: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SESSION_EVERY", 0.05)
    mona = await ws.api.person()
    async with ws.follow(mona, ws.analysis(mona)) as client:
        await read(client, 1)
        await mona.post("/auth/logout")
        assert await closed(client) == (4401, "The session is over: sign in again.")


async def test_a_deleted_key_and_a_membership_that_ended_close_it_too(ws: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SESSION_EVERY", 0.05)
    monkeypatch.setattr(live, "SIGHT_EVERY", 0.05)
    mona = await ws.api.person()
    key = (await mona.post("/auth/api-keys", {"name": "ci", "scopes": ["analysis:read"]})).json()["data"]
    (tenant,) = await ws.api.organization()
    ws.api.join(mona, tenant.organization_id, "member")
    id, shared = ws.analysis(mona), ws.analysis(mona, organization_id=tenant.organization_id)
    headers = {"Authorization": f"Bearer {key['key']}"}
    async with connect(ws.url(id), additional_headers=headers) as by_key, ws.follow(mona, shared) as by_session:
        await read(by_key, 1)
        await read(by_session, 1)
        await mona.delete(f"/auth/api-keys/{key['id']}")
        ws.api.sql("DELETE FROM members WHERE organization_id = %s", (tenant.organization_id,))
        assert (await closed(by_key))[0] == 4401
        assert await closed(by_session) == (4404, "There is no such analysis any more.")


async def test_what_clients_send_is_ignored_but_a_flood_or_a_long_message_ends_it(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    async with ws.follow(mona, id) as client:
        await read(client, 1)
        await client.send('{"type": "anything"}')
        await client.send(b"\x00\xff")
        await ws.progress(id, 25)
        assert (await read(client, 1))[0]["progress"] == 25
        for _ in range(MOST_INCOMING):
            await client.send("again")
        assert await closed(client) == (1008, "Too many messages.")
    async with ws.follow(mona, id) as client:
        await read(client, 1)
        await client.send("x" * 2_000)
        assert (await closed(client))[0] == 1009


async def test_a_client_that_takes_nothing_is_hung_up_on_and_the_others_notice_nothing(
    ws: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SEND_SECONDS", 0.3)
    monkeypatch.setattr(patience, "STUCK_SECONDS", 0.3)
    mona = await ws.api.person()
    id = ws.analysis(mona)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    stuck.connect(("127.0.0.1", ws.port))
    key = base64.b64encode(os.urandom(16)).decode()
    stuck.sendall(
        f"GET /ws/analysis/{id} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Authorization: Bearer {mona.tokens['access_token']}\r\n\r\n".encode()
    )
    while ws.api.app._services.live._followers.get(f"analysis:{id}") is None:  # type: ignore[union-attr]
        await asyncio.sleep(0.01)
    async with ws.follow(mona, id) as quick:
        await read(quick, 1)
        for percent in range(10, 40):
            await ws.progress(id, percent, "x" * 400_000)
            assert (await read(quick, 1))[0]["progress"] == percent
        async with asyncio.timeout(5):
            while len(ws.api.app._services.live._followers[f"analysis:{id}"]) > 1:  # type: ignore[union-attr]
                await asyncio.sleep(0.02)
    stuck.settimeout(5)  # what was sent before may still be there, then it is over
    with stuck, suppress(ConnectionResetError):
        while stuck.recv(1_000_000):
            pass


async def test_nothing_is_left_of_clients_that_leave(ws: Served) -> None:
    mona = await ws.api.person()
    id = ws.analysis(mona)
    for _ in range(3):
        async with ws.follow(mona, id) as client:
            await read(client, 1)
    async with asyncio.timeout(5):
        while ws.api.app._services.live._followers:  # type: ignore[union-attr]
            await asyncio.sleep(0.02)
