"""Write a mail and hand it over; the link in it is made here, so that no queue and no table ever holds its secret."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from handlers import mails
from handlers.context import Context
from handlers.host import Mail
from handlers.mailing import MailKind
from review.errors import Superseded, TryAgain, UserError
from storage.accounts.links import Purpose
from storage.accounts.users import User
from storage.audit import Act


@dataclass(frozen=True, slots=True)
class Request:
    """What the job says. Without `user_id` the mail is for whoever has the address, if anybody does."""

    delivery_id: str
    mail: MailKind
    email: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """A mail with a link: what the link is for, how many seconds it is good, and the words around it."""

    purpose: Purpose
    seconds: float
    words: Callable[[str, str, str], Mail]


LINKED: dict[MailKind, Linked] = {
    "confirm_email": Linked("confirm_email", 24 * 3600, mails.confirm_email),
    "reset_password": Linked("reset_password", 3600, mails.reset_password),
    "invitation": Linked("reset_password", 3 * 24 * 3600, mails.invitation),
}
NOTICES: dict[MailKind, Callable[[str, str], Mail]] = {
    "password_changed": mails.password_changed,
    "email_changed": mails.email_changed,
}


async def send_mail(context: Context, arguments: Mapping[str, Any]) -> str:
    """Send one mail; gives the outcome as a sentence. Raises TryAgain, Superseded where it has lost its point, UserError."""
    request = msgspec.convert(arguments, Request)
    if notice := NOTICES.get(request.mail):
        await context.mailer.send(notice(request.email, context.public_url), request.delivery_id)
        return "Sent."
    user = await _reader(context, request)
    await _send_link(context, request, user, LINKED[request.mail])
    return "Sent."


async def _reader(context: Context, request: Request) -> User:
    """Who the mail is for. Raises Superseded where nobody is, or where they need it no more."""
    owner = await context.users.by_email(request.email)
    user = owner if request.user_id is None else await context.users.by_id(request.user_id)
    if user is None or user.disabled_at is not None:
        raise Superseded("No open account has this address.")
    if owner is not None and owner.id != user.id:
        raise Superseded("Another account has this address.")
    if request.mail == "confirm_email" and user.email == request.email and user.confirmed_at is not None:
        raise Superseded("The address is confirmed already.")
    return user


async def _send_link(context: Context, request: Request, user: User, linked: Linked) -> None:
    """To the address as the account spells it, unless it is a new one: then as it was given."""
    to = request.email if linked.purpose == "confirm_email" else user.email or request.email
    act = Act(f"{linked.purpose}.link", actor="worker")
    secret = await context.links.make(user.id, linked.purpose, to, linked.seconds, act)
    if secret is None:
        raise Superseded("Enough such links are out already.")
    try:
        await context.mailer.send(linked.words(to, context.public_url, secret), request.delivery_id)
    except (TryAgain, UserError):
        await context.links.drop(secret)
        raise
