"""A real SMTP server in the test's own loop: keeps what it is given, or refuses it; wants TLS or a password as it is told."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.certificates import a_certificate


@dataclass
class Post:
    """What the server took in, and what it says instead of taking something in: one answer after the other."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    recipient_refusal: str = ""
    over_tls: list[bool] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self.recipient_refusal:
            return self.recipient_refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        self.over_tls.append(session.ssl is not None)
        return "250 OK"

    def authenticated(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == ("us@er", "pass/word"), handled=False)


@asynccontextmanager
async def post_office(folder: Path, *, tls: bool = False, password: bool = False) -> AsyncIterator[Post]:
    """A server on loopback. With `tls` it offers STARTTLS (`folder/ca.pem`), with `password` it wants one."""
    post, settings = Post(), {}
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*a_certificate(folder))
        settings["tls_context"] = context
    if password:
        settings |= {"auth_required": True, "authenticator": post.authenticated, "auth_require_tls": tls}
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(post, **settings))
        return sessions[-1]

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()
        for one in sessions:
            if one.transport is not None:
                one.transport.close()
        await server.wait_closed()
