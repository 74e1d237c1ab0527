"""The WebSocket of an analysis: how far it has come, then what came of it. Whoever is late gets the present state first."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from handlers.analyzing.job import topic_of
from handlers.api.answers import failure
from handlers.api.authenticate import as_user, authenticate, identify
from handlers.api.caller import Caller
from handlers.api.forms import LARGEST_ID
from handlers.api.problem import Code, Problem, not_found
from handlers.api.security import noted
from handlers.api.services import Services
from handlers.live_endings import Endings, ending
from review.errors import TryAgain
from storage.analyses import AnalysisRecord
from storage.live import TooSlow, end

BEARER = "bearer"
"""The subprotocol that we speak: the next one in the list is the token, as browsers can send no header."""

SCOPE = "analysis:read"
"""What an API key must hold."""

SESSION_EVERY, SIGHT_EVERY = 5.0, 60.0
"""Seconds between two looks at whether the session still stands, and at whether the analysis may still be seen."""

SEND_SECONDS = 10.0
"""How long a client may take to take a message, before it is hung up on."""

MOST_INCOMING, INCOMING_SECONDS = 20, 10.0
"""Messages that a client may send in so many seconds. They are read and ignored; their size is bounded by the server."""

SETTLING = 10.0
"""Seconds that the end of an analysis may take from Redis to a read replica."""

DONE, POLICY, TRY_AGAIN, UNAUTHENTICATED, GONE = 1000, 1008, 1013, 4401, 4404
"""The codes that a WebSocket is closed with; ours are the HTTP status and 4000."""

NO_MORE = "There is no such analysis any more."
LONGEST_REASON = 100
"""Characters; a close frame has room for 123 bytes."""

log = structlog.get_logger()


class Over(Exception):
    """This WebSocket is to be closed, with that code and those words; without a code the client is gone already."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who follows what. `secret` is the API key where one was sent, to be looked at again; `protocol` what we agreed on."""

    caller: Caller
    record: AnalysisRecord
    secret: str = ""
    protocol: str | None = None


class LiveAnalysis:
    """WS /ws/analysis/{id}. `services` gives what it uses, once the server has started."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services
        self._endings = Endings()

    async def follow(self, websocket: WebSocket) -> None:
        """One client, from its request to its end."""
        services = self._services()
        try:
            admitted = await admit(services, websocket)
        except Problem as problem:
            await _deny(websocket, problem)
        except TryAgain as away:
            await _deny(websocket, Problem(Code.UNAVAILABLE, str(away), headers={"Retry-After": "5"}))
        else:
            await websocket.accept(admitted.protocol)
            await Following(services, self._endings, websocket, admitted).run()


async def admit(services: Services, websocket: WebSocket) -> Admitted:
    """Who it is, and what they may see of what they ask for. Raises Problem, TryAgain."""
    given = websocket.path_params["id"]
    id = int(given) if given.isascii() and given.isdecimal() and len(given) <= len(str(LARGEST_ID)) else 0
    caller, secret, protocol = await _authenticated(services, websocket, id)
    if caller.user is None:
        raise Problem(Code.UNAUTHENTICATED, "Send a token: as header, as subprotocol after `bearer`, or as a ticket.")
    if caller.scopes is not None and SCOPE not in caller.scopes:
        raise Problem(Code.INSUFFICIENT_SCOPE, f"This API key lacks the scope {SCOPE}.", {"needed": SCOPE})
    record = await services.analyses.get(caller.sight, id) if 0 < id <= LARGEST_ID else None
    if record is None:
        raise not_found("analysis")
    return Admitted(caller, record, "" if caller.session else secret, protocol)


async def _authenticated(services: Services, websocket: WebSocket, id: int) -> tuple[Caller, str, str | None]:
    """The caller, what they proved themselves with, and the subprotocol that was agreed on."""
    address = websocket.client.host if websocket.client else ""
    nobody = Caller(address, websocket.scope.get("request_id", ""))
    offered = websocket.scope.get("subprotocols", [])
    protocol = BEARER if BEARER in offered else None
    if ticket := websocket.query_params.get("ticket"):
        return await _by_ticket(services, nobody, ticket, id), "", protocol
    if protocol and len(offered) > 1:
        secret = next(one for one in offered if one != BEARER)
        return await identify(services, nobody, secret), secret, protocol
    header = websocket.headers.get("authorization", "")
    return await authenticate(services, websocket, nobody.request_id), header.partition(" ")[2].strip(), protocol


async def _by_ticket(services: Services, nobody: Caller, secret: str, id: int) -> Caller:
    ticket = await services.accounts.tickets.take(secret)
    if ticket is None or ticket.analysis_id != id:
        await noted(services.counts, "refused_tokens", address=nobody.address, because="ticket")
        raise Problem(Code.UNAUTHENTICATED, "The ticket is used, too old, or for another analysis: get a new one.")
    return await _in_session(services, replace(nobody, session=ticket.session), ticket.user_id)


async def _in_session(services: Services, caller: Caller, user_id: int) -> Caller:
    """The caller as they are known by now. Raises Problem where their session is over."""
    if await services.accounts.sessions.get(user_id, caller.session) is None:
        raise Problem(Code.UNAUTHENTICATED, "The session is over: sign in again.")
    return await as_user(services, caller, user_id, caller)


async def _deny(websocket: WebSocket, problem: Problem) -> None:
    """Refuse before the WebSocket is open: with an HTTP answer where the server can, else with a code of its own."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(failure(problem))
    else:
        await websocket.close(4000 + problem.status, problem.message)


class Following:
    """One open WebSocket: three things go on side by side, and whichever is over first ends the others."""

    def __init__(self, services: Services, endings: Endings, websocket: WebSocket, admitted: Admitted) -> None:
        self._services = services
        self._endings = endings
        self._websocket = websocket
        self._admitted = admitted
        self._caller = admitted.caller
        self._id = admitted.record.id
        self._progress = 0
        self._finishing = False

    async def run(self) -> None:
        """Until it is over; then the WebSocket is closed."""
        parts = [asyncio.create_task(_over(part)) for part in (self._tell(), self._look_again(), self._ignore_incoming())]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(parts)
        over, *_ = [part.result() for part in parts if not part.cancelled()]
        await self._close(over)

    async def _tell(self) -> None:
        """The present state, every step, the end."""
        record, live = self._admitted.record, self._services.live
        try:
            if not record.ended:
                topic = topic_of(record.id)
                if await live.present(topic) is None:
                    await self._say_progress({"progress": record.progress, "message": record.message})
                async with aclosing(live.follow(topic)) as events:
                    async for event in events:
                        if event.get("type") == "progress":
                            await self._say_progress(event)
            await self._finish(await self._settled())
        except TooSlow:
            raise Over(POLICY, "Too slow: connect again.") from None
        except TryAgain:
            raise Over(TRY_AGAIN, "Connect again shortly.") from None

    async def _say_progress(self, event: Mapping[str, Any]) -> None:
        """A job that is tried again begins anew; what people are told only rises."""
        self._progress = max(self._progress, event["progress"])
        message = {"type": "progress", "progress": self._progress, "message": event["message"]}
        await self._send(orjson.dumps(message).decode())

    async def _settled(self) -> str:
        """The last message, once it is there: Redis is sooner than a read replica."""
        until = monotonic() + SETTLING
        while True:
            text = await self._endings.of(self._services, self._caller.sight, self._id) or await self._own_ending()
            if text is not None:
                return text
            if monotonic() > until:
                raise Over(TRY_AGAIN, "Connect again shortly.")
            await asyncio.sleep(0.25)

    async def _own_ending(self) -> str | None:
        """The last message as this client may see it; None while there is none."""
        await self._must_be_seen()
        return await ending(self._services, self._caller.sight, self._id)

    async def _finish(self, text: str) -> None:
        """Nothing is said after the last message."""
        if self._finishing:
            await asyncio.get_running_loop().create_future()  # the other part that is at it ends this one as well
        self._finishing = True
        await self._send(text)
        raise Over(DONE)

    async def _look_again(self) -> None:
        """Whether the client may still follow; and whether the analysis is over although nothing was told of it."""
        look_at_sight = monotonic() + SIGHT_EVERY
        while True:
            await asyncio.sleep(SESSION_EVERY)
            try:
                if monotonic() < look_at_sight:
                    await self._check_session()
                    continue
                look_at_sight = monotonic() + SIGHT_EVERY
                await self._identify_again()
                text = await self._own_ending()
                if text is not None:
                    await self._finish(text)
            except Problem as problem:
                raise Over(4000 + problem.status, problem.message) from None
            except TryAgain as away:
                log.warning("not looked at again", because=str(away))

    async def _check_session(self) -> None:
        user, session = self._caller.user, self._caller.session
        if user is not None and session and await self._services.accounts.sessions.get(user.id, session) is None:
            raise Over(UNAUTHENTICATED, "The session is over: sign in again.")

    async def _identify_again(self) -> None:
        caller = self._caller
        if caller.session and caller.user is not None:
            self._caller = await _in_session(self._services, caller, caller.user.id)
        else:
            self._caller = await identify(self._services, Caller(caller.address, caller.request_id), self._admitted.secret)

    async def _must_be_seen(self) -> None:
        if await self._services.analyses.get(self._caller.sight, self._id) is None:
            raise Over(GONE, NO_MORE)

    async def _ignore_incoming(self) -> None:
        """What clients send is read, so that their pings and their leaving are noticed."""
        times: deque[float] = deque(maxlen=MOST_INCOMING)
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            times.append(monotonic())
            if len(times) == MOST_INCOMING and times[-1] - times[0] < INCOMING_SECONDS:
                raise Over(POLICY, "Too many messages.")
        raise Over

    async def _send(self, text: str) -> None:
        """Nobody waits for a client that takes nothing."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(text)
        except (TimeoutError, WebSocketDisconnect):
            raise Over from None

    async def _close(self, over: Over) -> None:
        if over.code is not None:
            with suppress(TimeoutError, WebSocketDisconnect):
                async with asyncio.timeout(SEND_SECONDS):
                    await self._websocket.close(over.code, over.reason[:LONGEST_REASON])


async def _over(part: Coroutine[Any, Any, None]) -> Over:
    """Why that part of it ended."""
    try:
        await part
    except Over as over:
        return over
    raise AssertionError("a part of following has no end of its own")
