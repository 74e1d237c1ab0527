"""Answers that come before the request was read, as refusals do: the rest is dropped, and the connection ends."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.answer import discard

BODY_FOLLOWS = (b"content-length", b"transfer-encoding")


class Unread:
    """Hands each request on. Ended at once, a client that is still sending would see a broken connection and no answer; left
    open, it could send for ever what nobody counts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or not any(name in BODY_FOLLOWS for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        unread = True

        async def receive_on() -> Message:
            nonlocal unread
            message = await receive()
            unread = bool(message.get("more_body"))
            return message

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and unread:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            ends = message["type"] == "http.response.body" and not message.get("more_body")
            if not ends or not unread:
                await send(message)
                return
            await send({**message, "more_body": True})
            await discard(receive)
            await send({"type": "http.response.body", "body": b""})

        await self._app(scope, receive_on, send_on)
