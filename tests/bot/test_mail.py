"""Mail over real SMTP, or into the spool, and what is made of refusals, of addresses, and of settings."""

from pathlib import Path
from typing import Any

import pytest

from bot.mail import (
    NoMailer,
    SmtpMailer,
    SmtpServer,
    SpoolMailer,
    mailer,
    public_url,
    sender_of,
    smtp_server,
    why_no_mail,
    written,
)
from bot.settings import Settings, read_settings
from handlers.host import Mail
from review.errors import TryAgain, UserError
from tests.mailbox import mails
from tests.smtp_server import Post, post_office

pytestmark = pytest.mark.integration

MAIL = Mail(
    "mona@example.com", "Grüße", "Open this link:\n\nhttps://riq.example.com/reset?token=" + "x" * 60 + "\n\nÜber uns.\n"
)
FROM = "RefactorIQ <noreply@riq.example.com>"


def to(post: Post, **more: Any) -> SmtpMailer:
    """A mailer to that server, without a password and TLS unless they are given."""
    server = SmtpServer("127.0.0.1", post.port, False, more.pop("user", ""), more.pop("password", ""))
    return SmtpMailer(server, FROM, **more)


async def test_a_mail_arrives_as_it_was_written(tmp_path: Path) -> None:
    async with post_office(tmp_path) as post:
        await to(post).send(MAIL, "mail-1")
    (mail,) = post.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == (FROM, MAIL.to, MAIL.subject)
    assert mail.get_content().splitlines() == MAIL.text.splitlines()
    assert mail["Message-ID"] == "<mail-1@riq.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] is not None


async def test_a_refusal_for_now_is_tried_again_and_then_it_arrives(tmp_path: Path) -> None:
    async with post_office(tmp_path) as post:
        post.refusals = ["451 4.7.1 Greylisted, come again"]
        with pytest.raises(TryAgain, match=r"451.*Greylisted"):
            await to(post).send(MAIL, "mail-1")
        await to(post).send(MAIL, "mail-1")
    assert [mail["Message-ID"] for mail in post.mails] == ["<mail-1@riq.example.com>"]


@pytest.mark.parametrize(("said", "kind"), [("550 5.1.1 No such user", UserError), ("450 4.2.1 Mailbox is busy", TryAgain)])
async def test_a_refused_recipient_is_for_good_or_for_now_as_the_server_says(
    tmp_path: Path, said: str, kind: type[Exception]
) -> None:
    async with post_office(tmp_path) as post:
        post.recipient_refusal = said
        with pytest.raises(kind, match=said[:3]):
            await to(post).send(MAIL, "mail-1")


async def test_a_refusal_of_the_whole_mail_is_for_good(tmp_path: Path) -> None:
    async with post_office(tmp_path) as post:
        post.refusals = ["554 5.7.1 Looks like spam"]
        with pytest.raises(UserError, match=r"554.*Looks like spam"):
            await to(post).send(MAIL, "mail-1")


async def test_a_server_that_is_not_there_is_waited_for() -> None:
    with pytest.raises(TryAgain, match="cannot be reached"):
        await SmtpMailer(SmtpServer("127.0.0.1", 1, False), FROM).send(MAIL, "mail-1")


async def test_starttls_is_used_where_it_is_offered_and_a_password_only_behind_it(tmp_path: Path) -> None:
    async with post_office(tmp_path, tls=True, password=True) as post:
        trusted = str(tmp_path / "ca.pem")
        await to(post, user="us@er", password="pass/word", cert_bundle=trusted).send(MAIL, "mail-1")
        with pytest.raises(UserError, match="535"):
            await to(post, user="us@er", password="wrong", cert_bundle=trusted).send(MAIL, "mail-2")
    assert post.over_tls == [True]
    assert post.logins[0] == ("us@er", "pass/word")


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async with post_office(tmp_path, tls=True) as post:
        with pytest.raises(TryAgain, match="cannot be reached"):
            await to(post).send(MAIL, "mail-1")
    assert post.mails == []


async def test_no_password_leaves_the_machine_in_clear() -> None:
    assert SmtpServer("mail.example.com", 587, False, "user", "secret").start_tls is True
    assert SmtpServer("mail.example.com", 587, False).start_tls is None
    assert SmtpServer("127.0.0.1", 587, False, "user", "secret").start_tls is None
    assert SmtpServer("mail.example.com", 465, True, "user", "secret").start_tls is False
    assert "secret" not in repr(SmtpServer("mail.example.com", 465, True, "user", "secret"))


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, False)),
        ("smtps://mail.example.com", SmtpServer("mail.example.com", 465, True)),
        ("smtp://us%40er:pass%2Fword@[::1]:25/", SmtpServer("::1", 25, False, "us@er", "pass/word")),
    ],
)
def test_an_smtp_url_says_where_and_how(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server


@pytest.mark.parametrize(
    "url", ["mail.example.com", "http://u:secret@h", "smtp://", "smtp://u:secret@h:port", "smtp://u:secret@h/x"]
)
def test_an_smtp_url_that_is_none_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(UserError, match="SMTP_URL must be") as error:
        smtp_server(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("mail", "sender"),
    [
        (Mail("mona@example.com\r\nBcc: all@example.com", "s", "t"), FROM),
        (Mail("mona@example.com", "s\nBcc: all@example.com", "t"), FROM),
        (Mail("mona@example.com", "s", "t"), "me@example.com\nBcc: all@example.com"),
    ],
)
def test_nothing_can_put_a_header_into_a_mail(mail: Mail, sender: str) -> None:
    with pytest.raises(UserError, match="one line each"):
        written(mail, "mail-1", sender)


async def test_without_a_server_mails_are_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    spool = SpoolMailer(tmp_path / "mail", FROM)
    for _ in range(2):
        await spool.send(MAIL, "mail-1")
    (mail,) = mails(tmp_path)
    assert mail["To"] == "mona@example.com"
    (file,) = (tmp_path / "mail").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def settings(**given: Any) -> Settings:
    production = {
        "environment": "production", "secret_key": "x" * 40, "database_url": "postgresql://h/d", "redis_url": "redis://h",
        "github_app_id": "1", "github_private_key": "-----BEGIN none", "github_webhook_secret": "long enough",
    }  # fmt: skip
    return read_settings(**(production | given))


async def test_in_production_there_is_no_way_without_a_server_and_a_public_address() -> None:
    assert "SMTP_URL is not set" in why_no_mail(settings())
    assert "PUBLIC_URL is not set" in why_no_mail(settings(smtp_url="smtp://h"))
    assert why_no_mail(settings(smtp_url="smtp://h", public_url="https://riq.example.com")) == ""
    assert why_no_mail(settings(environment="development")) == ""
    nowhere = mailer(settings())
    assert isinstance(nowhere, NoMailer)
    with pytest.raises(UserError, match="SMTP_URL is not set"):
        await nowhere.send(MAIL, "mail-1")
    assert isinstance(mailer(settings(smtp_url="smtp://h")), SmtpMailer)
    assert isinstance(mailer(settings(environment="test")), SpoolMailer)


def test_where_people_reach_this_installation_and_who_writes_to_them() -> None:
    assert public_url(settings(public_url="https://riq.example.com/")) == "https://riq.example.com"
    assert public_url(settings(host="0.0.0.0", port=80)) == "http://localhost:80"
    assert public_url(settings(host="::1", port=80)) == "http://[::1]:80"
    assert sender_of(settings(public_url="https://riq.example.com:8443")) == "noreply@riq.example.com"
    assert sender_of(settings(mail_from="bot@example.com", public_url="https://riq.example.com")) == "bot@example.com"
