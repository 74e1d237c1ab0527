"""POST /webhooks/github: bytes in, signature checked, remembered and queued, then 202. The hot path: raw ASGI."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import structlog
from starlette.types import Message, Receive, Scope, Send

from handlers.answer import refuse, respond
from handlers.delivery import Delivery, Unparsable, parse, verify
from handlers.events import EVENTS
from handlers.intake import Intake
from handlers.metrics import Metrics
from handlers.router import Routed, route
from review.errors import TryAgain

MOST_BYTES = 25 * 1024 * 1024
"""GitHub sends no payload over 25 MB."""
MOST_AT_ONCE = 8 * MOST_BYTES
"""For all bodies that are still coming in together: anybody may send one, and its signature is known at its end only."""

BODY_SECONDS = 30.0
"""GitHub gives up after 10 s; whoever drips a body longer than this is not GitHub."""

log = structlog.get_logger()


class Refused(Exception):
    """This request gets no further. The text is the answer, and says nothing that helps a stranger."""

    def __init__(self, status: int, because: str, *, close: bool = False) -> None:
        super().__init__(because)
        self.status = status
        self.close = close


class Disconnected(Exception):
    """The client hung up before its request was whole: there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a delivery: a status for GitHub, a word for the metrics, a sentence for people."""

    status: int
    word: str
    sentence: str


class Webhook:
    """The receiver. Without a secret it accepts nothing (503)."""

    def __init__(self, secrets: Sequence[str], intake: Intake, metrics: Metrics) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets if secret)
        self._intake = intake
        self._metrics = metrics
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        headers = dict(scope["headers"])
        try:
            delivery = await self._read(scope["method"], headers, receive)
            routed = route(delivery)
            answered = await self._take(delivery, routed)
        except Refused as refused:
            self._log_refused(headers, refused)
            await _tell(send, receive, refused)
        except Disconnected:
            log.debug("webhook cut off", delivery=_text(headers, b"x-github-delivery")[:64])
        else:
            self._log_answered(delivery, routed, answered, started)
            await respond(send, answered.status, {"delivery": delivery.id, "outcome": answered.sentence})

    async def _read(self, method: str, headers: dict[bytes, bytes], receive: Receive) -> Delivery:
        """The delivery, its signature checked before anything of the body is looked into. Raises Refused, Disconnected."""
        signature = _text(headers, b"x-hub-signature-256")
        _check_door(method, headers, signature, self._secrets)
        body = await self._body(receive)
        if not self._signed(body, signature):
            raise Refused(401, "The signature is wrong.")
        event = _text(headers, b"x-github-event")
        form = headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded")
        try:
            return parse(_text(headers, b"x-github-delivery"), event, body, form=form, strict=event in EVENTS)
        except Unparsable as error:
            raise Refused(400, str(error)) from None

    async def _body(self, receive: Receive) -> bytes:
        """The whole body, counted as it comes. Raises Refused (408, 413, 503) and Disconnected."""
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):  # for the first piece too: it may never come
                while self._more(await receive(), body):
                    pass
        except TimeoutError:
            raise Refused(408, "The body took too long.", close=True) from None
        finally:
            self._coming -= len(body)
        return bytes(body)

    def _more(self, message: Message, body: bytearray) -> bool:
        """Take one piece; gives whether there are more."""
        if message["type"] != "http.request":
            raise Disconnected
        piece = message.get("body", b"")
        body += piece
        self._coming += len(piece)
        if len(body) > MOST_BYTES:
            raise _too_large()
        if self._coming > MOST_AT_ONCE:
            raise Refused(503, "Too much is coming in at once. Please deliver it again.", close=True)
        return bool(message.get("more_body"))

    def _signed(self, body: bytes, signature: str) -> bool:
        """Whether one of the secrets signed it. That one is tried first from now on: each costs a hash of the whole body."""
        for secret in self._secrets:
            if verify(body, signature, (secret,)):
                self._secrets = (secret, *(other for other in self._secrets if other != secret))
                return True
        return False

    async def _take(self, delivery: Delivery, routed: Routed) -> Answered:
        try:
            new = await self._intake.take(routed)
        except TryAgain as away:
            raise Refused(503, "The delivery could not be remembered. Please deliver it again.") from away
        if not new:
            return Answered(202, "repeated", "This delivery is known already: nothing is done twice.")
        if routed.job is not None:
            return Answered(202, "queued", f"Queued: {routed.job.kind}.")
        return Answered(200 if delivery.event == "ping" else 202, routed.remembered.state, routed.remembered.outcome)

    def _log_answered(self, delivery: Delivery, routed: Routed, answered: Answered, started: float) -> None:
        seconds = perf_counter() - started
        self._metrics.answered(delivery.event, answered.word, seconds)
        row = routed.remembered
        log.info(
            "delivery",
            delivery=delivery.id,
            github_event=delivery.event,
            action=row.action,
            repository=row.repository_id,
            pull=row.pull_number,
            outcome=answered.sentence,
            ms=round(seconds * 1000, 2),
        )

    def _log_refused(self, headers: dict[bytes, bytes], refused: Refused) -> None:
        self._metrics.refused(_text(headers, b"x-github-event"), refused.status)
        log.warning(
            "webhook refused",
            status=refused.status,
            because=str(refused),
            cause=str(refused.__cause__ or ""),
            delivery=_text(headers, b"x-github-delivery")[:64],
        )


async def _tell(send: Send, receive: Receive, refused: Refused) -> None:
    if refused.close:
        allow = "POST" if refused.status == 405 else ""
        await refuse(send, receive, refused.status, {"error": str(refused)}, allow=allow)
    else:
        await respond(send, refused.status, {"error": str(refused)})


def _check_door(method: str, headers: dict[bytes, bytes], signature: str, secrets: Sequence[bytes]) -> None:
    """Whatever can be refused before a byte of the body is read."""
    if method != "POST":
        raise Refused(405, "Webhooks are sent with POST.", close=True)
    if not secrets:
        raise Refused(503, "No webhook secret is configured (GITHUB_WEBHOOK_SECRET): no delivery is accepted.", close=True)
    if not signature:
        raise Refused(401, "The signature (X-Hub-Signature-256) is missing.", close=True)
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 20 or int(length) > MOST_BYTES:  # Python refuses to read very long numbers
        raise _too_large()


def _too_large() -> Refused:
    return Refused(413, "The body is over 25 MB.", close=True)


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")
