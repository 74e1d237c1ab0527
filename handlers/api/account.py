"""One's own account: name, e-mail address and password, and proving by a mailed link that one is who one says."""

from datetime import datetime
from typing import Any

from pydantic import EmailStr, Field

from handlers.api.endpoint import Answer, Asked, Endpoint, Needs, Pace
from handlers.api.forms import Body, Data, Nothing, Text
from handlers.api.password_policy import LONGEST, SHORTEST
from handlers.api.problem import Code, Problem
from handlers.api.signing_in import act_of, matches, must_be_strong, must_send_mail, spelled
from storage.accounts.links import Link, Purpose
from storage.accounts.users import Taken, User

MAILED = "If there is an account with this address, a link is on its way to it."


class Account(Data):
    """A user, as they see themselves."""

    id: int
    email: str | None
    full_name: str
    github_login: str
    administrator: bool
    email_confirmed: bool
    has_password: bool
    created_at: datetime


class ChangedAccount(Body):
    """What is left out stays. Another `email` takes the password, and counts once a link that is mailed to it is used."""

    full_name: Text | None = Field(default=None, max_length=200)
    email: EmailStr | None = Field(default=None, max_length=254)
    password: Text | None = Field(default=None, max_length=LONGEST)


class ChangedPassword(Body):
    old_password: Text = Field(max_length=LONGEST)
    new_password: Text = Field(min_length=SHORTEST, max_length=LONGEST)


class Forgotten(Body):
    email: Text = Field(max_length=254)


class Reset(Body):
    """`token` is what stands in the mailed link."""

    token: Text = Field(max_length=200)
    new_password: Text = Field(min_length=SHORTEST, max_length=LONGEST)


class Confirmation(Body):
    """`token` is what stands in the mailed link."""

    token: Text = Field(max_length=200)


async def me(asked: Asked[Nothing, Nothing]) -> Answer:
    """One's own account."""
    return Answer(account(asked.user))


async def change_me(asked: Asked[ChangedAccount, Nothing]) -> Answer:
    """Another name at once; another address once it is confirmed."""
    services, user, body, message = asked.services, asked.user, asked.body, "Saved."
    if body.email is not None and body.email != user.email:
        must_send_mail(asked)
        await _must_be_the_owner(asked, body.password)
        await services.accounts.mailing.put("confirm_email", str(body.email), user.id)
        message = "A link is on its way to the new address: it becomes yours once you use it."
    if body.full_name is not None and body.full_name != user.full_name:
        await services.accounts.users.rename(user.id, body.full_name, asked.act)
    return Answer(account(await services.accounts.users.by_id(user.id) or user), message)


async def change_password(asked: Asked[ChangedPassword, Nothing]) -> Answer:
    """Another password, for whoever knows the old one; all other sessions end."""
    services, user, body = asked.services, asked.user, asked.body
    if user.password_hash is None:
        raise Problem(Code.CONFLICT, "This account has no password yet: ask for a link to set one.")
    must_be_strong(body.new_password, user.email or "", "new_password")
    await _must_be_the_owner(asked, body.old_password)
    new = await services.accounts.passwords.hash(body.new_password)
    if not await services.accounts.users.set_password(user, new, asked.act):
        raise Problem(Code.CONFLICT, "The password was changed meanwhile: sign in again.")
    await services.accounts.sessions.end_all(user.id, but=asked.caller.session)
    await _tell_of_new_password(asked, user)
    return Answer(Nothing(), "The password was changed, and every other session has ended.")


async def ask_for_reset(asked: Asked[Forgotten, Nothing]) -> Answer:
    """Mails a link, if there is such an account; neither the answer nor the time it takes tells whether there is."""
    must_send_mail(asked)
    await asked.services.accounts.mailing.put("reset_password", spelled(asked.body.email))
    return Answer(Nothing(), MAILED)


async def reset_password(asked: Asked[Reset, Nothing]) -> Answer:
    """Another password, for whoever has the mailed link; all sessions end, and the address counts as confirmed."""
    services, body = asked.services, asked.body
    link = _good(await services.accounts.links.look(body.token, "reset_password"))
    must_be_strong(body.new_password, link.email, "new_password")
    hashed = await services.accounts.passwords.hash(body.new_password)
    await services.accounts.sessions.end_all(link.user_id)  # should Redis be away, it is known before anything is changed
    user = await _owner_of(asked, "reset_password", body.token)
    if not await services.accounts.users.reset_password(user.id, link.email, hashed, act_of(asked, user)):
        raise _bad_link()
    await services.accounts.sessions.end_all(user.id)
    await _tell_of_new_password(asked, user)
    return Answer(Nothing(), "The password was set: sign in with it.")


async def confirm_email(asked: Asked[Confirmation, Nothing]) -> Answer:
    """The address that the link was mailed to is the account's, and proven."""
    services = asked.services
    link = _good(await services.accounts.links.look(asked.body.token, "confirm_email"))
    before = await _owner_of(asked, "confirm_email", asked.body.token)
    try:
        user = await services.accounts.users.confirm(before.id, link.email, act_of(asked, before))
    except Taken as taken:
        raise Problem(Code.CONFLICT, f"{taken} Give another address, or close the other account.") from None
    if user is None:
        raise _bad_link()
    if before.email and before.email.casefold() != link.email.casefold():
        await services.accounts.mailing.put("email_changed", before.email, user.id)
    return Answer(account(user), "The address is confirmed.")


async def ask_for_confirmation(asked: Asked[Nothing, Nothing]) -> Answer:
    """Mails another link to one's own address."""
    must_send_mail(asked)
    if asked.user.email is None:
        raise Problem(Code.CONFLICT, "This account has no e-mail address: give one with PUT /auth/me.")
    if asked.user.confirmed_at is not None:
        return Answer(Nothing(), "The address is confirmed already.")
    await asked.services.accounts.mailing.put("confirm_email", asked.user.email, asked.user.id)
    return Answer(Nothing(), "A link is on its way.")


def account(user: User) -> Account:
    """A user as they see themselves."""
    return Account(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        github_login=user.github_login,
        administrator=user.administrator,
        email_confirmed=user.confirmed_at is not None,
        has_password=user.password_hash is not None,
        created_at=user.created_at,
    )


async def _must_be_the_owner(asked: Asked[Any, Any], password: str | None) -> None:
    """Who found an open session does not take the account over. An account without a password is GitHub's to guard."""
    user = asked.user
    if user.password_hash is None:
        return
    if password is None:
        raise Problem(Code.INVALID, "This takes your password.", [{"at": "password", "is": "missing"}])
    if not await matches(asked, user.email or f"user {user.id}", user, password):
        raise Problem(Code.INVALID_CREDENTIALS, "The password is wrong.")


async def _owner_of(asked: Asked[Any, Any], purpose: Purpose, token: str) -> User:
    """Whose link it is; it is used up. Raises Problem."""
    link = _good(await asked.services.accounts.links.take(token, purpose))
    user = await asked.services.accounts.users.by_id(link.user_id)
    if user is None:
        raise _bad_link()
    return user


def _good(link: Link | None) -> Link:
    if link is None:
        raise _bad_link()
    return link


def _bad_link() -> Problem:
    because = "This link is not good any more: ask for another one."
    return Problem(Code.INVALID, because, [{"at": "token", "is": because}])


async def _tell_of_new_password(asked: Asked[Any, Any], user: User) -> None:
    if user.email and not asked.services.accounts.mailing.off:
        await asked.services.accounts.mailing.put("password_changed", user.email, user.id)


MAIL = (Code.FEATURE_OFF,)

ENDPOINTS = (
    Endpoint("GET", "/auth/me", "account.read", "One's own account", me, Needs.ACCOUNT, data=Account),
    Endpoint(
        "PUT", "/auth/me", "account.change", "Change one's own account", change_me, Needs.ACCOUNT,
        body=ChangedAccount, data=Account, codes=(*MAIL, Code.INVALID_CREDENTIALS), session_only=True,
    ),
    Endpoint(
        "POST", "/auth/password", "password.change", "Change the password", change_password, Needs.ACCOUNT,
        body=ChangedPassword, data=Nothing, codes=(Code.INVALID_CREDENTIALS, Code.CONFLICT), pace=Pace.LOGIN, session_only=True,
    ),
    Endpoint(
        "POST", "/auth/password/reset-request", "password.ask", "Ask for a link to set a new password", ask_for_reset,
        Needs.NOBODY, body=Forgotten, data=Nothing, status=202, codes=MAIL, pace=Pace.LOGIN,
    ),
    Endpoint(
        "POST", "/auth/password/reset", "password.reset", "Set a new password by a mailed link", reset_password, Needs.NOBODY,
        body=Reset, data=Nothing, pace=Pace.LOGIN,
    ),
    Endpoint(
        "POST", "/auth/email/confirm", "email.confirm", "Confirm an address by a mailed link", confirm_email, Needs.NOBODY,
        body=Confirmation, data=Account, codes=(Code.CONFLICT,), pace=Pace.LOGIN,
    ),
    Endpoint(
        "POST", "/auth/email/confirm-request", "email.ask", "Ask for a link to confirm one's address", ask_for_confirmation,
        Needs.ACCOUNT, data=Nothing, status=202, codes=(*MAIL, Code.CONFLICT), pace=Pace.LOGIN, session_only=True,
    ),
)  # fmt: skip
