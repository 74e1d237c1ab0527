"""Sign somebody in, and check a password: slow to guess from one address and at one account, and telling nobody who has one."""

from dataclasses import replace
from typing import Any

from email_validator import EmailNotValidError, validate_email

from handlers.api.access_tokens import ACCESS_SECONDS, Claims
from handlers.api.endpoint import Asked
from handlers.api.forms import Data
from handlers.api.password_policy import why_weak
from handlers.api.problem import Code, Problem
from handlers.api.security import noted
from storage.accounts.sessions import SESSION_SECONDS, Session
from storage.accounts.users import User
from storage.audit import Act

WRONG = "The e-mail address or the password is wrong."


class SignedIn(Data):
    """The access token lasts `expires_in` seconds; the refresh token is good once."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105  (RFC 6750's word)
    expires_in: int = ACCESS_SECONDS


def spelled(typed: str) -> str:
    """An address as it is kept: its domain in small letters, its accents in one form. What is no address stays as it is."""
    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        return typed


async def sign_in(asked: Asked[Any, Any], user: User, new_hash: str | None = None) -> SignedIn:
    """A new session. `new_hash` is the password's, hashed by today's parameters, where the kept one is outdated.

    Raises Problem where the account was closed or its password changed since `user` was read.
    """
    sessions, users = asked.services.accounts.sessions, asked.services.accounts.users
    session = await sessions.start(user.id, asked.caller.address, asked.request.headers.get("user-agent", ""))
    # Whoever ends all sessions writes first and ends then: either they ended this one, or what they wrote is seen here.
    now = await users.by_id(user.id)
    if now is None or now.disabled_at is not None or now.password_hash != user.password_hash:
        await sessions.end(user.id, session.id)
        raise Problem(Code.INVALID_CREDENTIALS, WRONG)
    await users.signed_in(user, act_of(asked, user), new_hash)
    return tokens(asked, session)


def tokens(asked: Asked[Any, Any], session: Session) -> SignedIn:
    """Both tokens of that session."""
    write = asked.services.accounts.tokens.write
    return SignedIn(
        access_token=write("access", Claims(session.user_id, session.id, session.id), ACCESS_SECONDS),
        refresh_token=write("refresh", Claims(session.user_id, session.id, session.refresh), SESSION_SECONDS),
    )


def act_of(asked: Asked[Any, Any], user: User) -> Act:
    """The request's act as that user's, who was nobody when it came."""
    return replace(asked.act, actor=user.name, user_id=user.id)


async def matches(asked: Asked[Any, Any], email: str, user: User | None, password: str) -> bool:
    """Whether it is the password of that user, who has that address. Raises Problem after too many wrong ones."""
    tries, passwords = asked.services.accounts.tries, asked.services.accounts.passwords
    seconds = await tries.take(email)
    if seconds and not await _known_here(asked, user):
        raise Problem(
            Code.RATE_LIMITED,
            f"Too many wrong passwords for this account: wait {seconds} seconds, or set a new one by mail.",
            headers={"Retry-After": str(seconds)},
        )
    if await passwords.match(user.password_hash if user else None, password):
        if not seconds:
            await tries.give_back(email)
        return True
    await refused_login(asked, user)
    return False


async def refused_login(asked: Asked[Any, Any], user: User | None) -> None:
    """Note it. What was typed is not: people type passwords into the wrong field."""
    caller = asked.caller
    await noted(
        asked.services.counts, "refused_logins",
        address=caller.address, request=caller.request_id, user=user.id if user else None,
    )  # fmt: skip


async def _known_here(asked: Asked[Any, Any], user: User | None) -> bool:
    """Whether they are signed in from this very address: who guesses at an account elsewhere does not shut its owner out."""
    if user is None:
        return False
    return any(session.address == asked.caller.address for session in await asked.services.accounts.sessions.of(user.id))


def must_be_strong(password: str, email: str, field: str) -> None:
    """Raises Problem where that password is guessed too soon."""
    if because := why_weak(password, email):
        raise Problem(Code.INVALID, because, [{"at": field, "is": because}])


def must_send_mail(asked: Asked[Any, Any]) -> None:
    """Raises Problem where this installation sends no mail."""
    if asked.services.accounts.mailing.off:
        raise Problem(Code.FEATURE_OFF, f"{asked.services.accounts.mailing.off} Ask an administrator.")
