"""Mail on its way: over SMTP, or into a folder where none is set up; and why it goes nowhere in production without."""

import ipaddress
import os
import secrets
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from bot.settings import Settings
from handlers.host import Mail, Mailer
from review.errors import TryAgain, UserError

SECONDS = 20.0
"""For each step of the conversation with the server."""

PORTS = {"smtp": 587, "smtps": 465}

WRONG_URL = "SMTP_URL must be smtp://user:password@host:port or smtps://… . In the password, write @ as %40 and / as %2F."


def mailer(settings: Settings) -> Mailer:
    """The way that the settings name. Raises UserError where SMTP_URL is none."""
    sender = sender_of(settings)
    if url := settings.smtp_url.get_secret_value():
        return SmtpMailer(smtp_server(url), sender, settings.ssl_cert_file or None)
    if settings.production:
        return NoMailer(why_no_mail(settings))
    return SpoolMailer(settings.data_dir / "mail", sender)


def why_no_mail(settings: Settings) -> str:
    """A sentence where no mail can be sent; an empty string where it can. Outside production it always can."""
    if not settings.production or (settings.smtp_url.get_secret_value() and settings.public_url):
        return ""
    missing = "PUBLIC_URL" if settings.smtp_url.get_secret_value() else "SMTP_URL"
    return f"This installation sends no mail: {missing} is not set."


def public_url(settings: Settings) -> str:
    """Where people reach this installation: PUBLIC_URL, else the address that the web process listens at."""
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(settings.host, settings.host)  # noqa: S104
    return settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def sender_of(settings: Settings) -> str:
    """MAIL_FROM, or noreply at the host of PUBLIC_URL."""
    return settings.mail_from or f"noreply@{urlsplit(public_url(settings)).hostname}"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. `tls` from the first byte on; else STARTTLS, which a password never goes without."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def start_tls(self) -> bool | None:
        """True: must; None: where the server offers it. No password leaves this machine in clear."""
        if self.tls:
            return False
        return True if self.user and not _is_this_machine(self.host) else None


def smtp_server(url: str) -> SmtpServer:
    """What SMTP_URL names. Raises UserError, which repeats nothing of it."""
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UserError(WRONG_URL) from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise UserError(WRONG_URL)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return SmtpServer(parts.hostname, port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Hands mail to an SMTP server. `cert_bundle` is a company's own certificate authority, by its file."""

    server: SmtpServer
    sender: str
    cert_bundle: str | None = None

    async def send(self, mail: Mail, id: str) -> None:
        """See handlers.host.Mailer."""
        try:
            await aiosmtplib.send(
                written(mail, id, self.sender),
                hostname=self.server.host,
                port=self.server.port,
                username=self.server.user or None,
                password=self.server.password or None,
                use_tls=self.server.tls,
                start_tls=self.server.start_tls,
                cert_bundle=self.cert_bundle,
                timeout=SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            first = refused.recipients[0]
            raise _refusal(first.code, first.message) from None
        except aiosmtplib.SMTPResponseException as refused:
            raise _refusal(refused.code, refused.message) from None
        except aiosmtplib.SMTPNotSupported as missing:
            raise UserError(f"The mail server cannot do what is needed: {missing.message}") from None
        except (aiosmtplib.SMTPException, OSError) as away:
            raise TryAgain(f"The mail server cannot be reached just now ({type(away).__name__}).") from away


@dataclass(frozen=True, slots=True)
class SpoolMailer:
    """Writes mails into a folder, one .eml each, for whoever develops. Their links let people in: nobody else may read them."""

    folder: Path
    sender: str

    async def send(self, mail: Mail, id: str) -> None:
        """See handlers.host.Mailer."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / f".{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(written(mail, id, self.sender).as_bytes())
        draft.replace(self.folder / f"{id}.eml")


@dataclass(frozen=True, slots=True)
class NoMailer:
    """There is no way."""

    because: str

    async def send(self, mail: Mail, id: str) -> None:  # noqa: ARG002
        """Raises UserError."""
        raise UserError(self.because)


def written(mail: Mail, id: str, sender: str) -> EmailMessage:
    """The message. Raises UserError where an address or the subject is none that a header can hold."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
    except ValueError:
        raise UserError("A mail's addresses and subject must be one line each: look at MAIL_FROM.") from None
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{id}@{sender.rpartition('@')[2].rstrip('> ') or 'refactoriq'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def _refusal(code: int, said: str) -> TryAgain | UserError:
    """RFC 5321: 4xx may pass by itself, 5xx does not."""
    words = f"The mail server refused it ({code}): {' '.join(said.split())[:300]}"
    return TryAgain(words) if 400 <= code < 500 else UserError(words)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
