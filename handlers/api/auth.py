"""Accounts: registering, signing in and out, refreshing, and one's own data."""

from datetime import datetime
from typing import Any

from pydantic import EmailStr, Field

from handlers.api.access_tokens import ACCESS_SECONDS, Claims
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs, Pace
from handlers.api.forms import Body, Data, Nothing, Text
from handlers.api.problem import Code, Problem
from storage.accounts.sessions import SESSION_SECONDS, UsedTwice
from storage.accounts.users import Taken, User

Password = Field(min_length=12, max_length=200)


class Registration(Body):
    email: EmailStr = Field(max_length=254)
    password: Text = Password
    full_name: Text = Field(default="", max_length=200)


class Login(Body):
    email: Text = Field(max_length=254)
    password: Text = Field(max_length=200)


class Refresh(Body):
    refresh_token: Text = Field(max_length=2000)


class Account(Data):
    """A user, as they see themselves."""

    id: int
    email: str | None
    full_name: str
    github_login: str
    administrator: bool
    email_confirmed: bool
    created_at: datetime


class SignedIn(Data):
    """The access token lasts `expires_in` seconds; the refresh token is good once."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105  (RFC 6750's word)
    expires_in: int = ACCESS_SECONDS


async def register(asked: Asked[Registration, Nothing]) -> Answer:
    """A new account, which may sign in at once."""
    hashed = await asked.services.passwords.hash(asked.body.password)
    try:
        user = await asked.services.users.add(str(asked.body.email), asked.body.full_name, hashed, asked.act)
    except Taken as taken:
        raise Problem(Code.CONFLICT, f"{taken} Sign in, or reset its password.") from None
    return Answer(account(user), "Welcome.")


async def login(asked: Asked[Login, Nothing]) -> Answer:
    """A new session."""
    user = await asked.services.users.by_email(asked.body.email)
    matches = await asked.services.passwords.match(user.password_hash if user else None, asked.body.password)
    if user is None or not matches or user.disabled_at is not None:
        raise Problem(Code.INVALID_CREDENTIALS, "The e-mail address or the password is wrong.")
    session = await asked.services.sessions.start(user.id, asked.caller.address, asked.request.headers.get("user-agent", ""))
    return Answer(_tokens(asked, session.user_id, session.id, session.refresh), "Signed in.")


async def refresh(asked: Asked[Refresh, Nothing]) -> Answer:
    """New tokens for the refresh token; one that was used before ends its session."""
    claims = asked.services.tokens.read("refresh", asked.body.refresh_token)
    try:
        new = claims and await asked.services.sessions.rotate(claims.user_id, claims.session_id, claims.id)
    except UsedTwice:
        new = None
    if claims is None or not new:
        raise Problem(Code.UNAUTHENTICATED, "The refresh token is not valid any more: sign in again.")
    return Answer(_tokens(asked, claims.user_id, claims.session_id, new), "Refreshed.")


async def logout(asked: Asked[Nothing, Nothing]) -> Answer:
    """Ends the session at once, access tokens included."""
    await asked.services.sessions.end(asked.user.id, asked.caller.session)
    return Answer(Nothing(), "Signed out.")


async def me(asked: Asked[Nothing, Nothing]) -> Answer:
    """One's own account."""
    return Answer(account(asked.user))


def account(user: User) -> Account:
    """A user as they see themselves."""
    return Account(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        github_login=user.github_login,
        administrator=user.administrator,
        email_confirmed=user.confirmed_at is not None,
        created_at=user.created_at,
    )


def _tokens(asked: Asked[Any, Any], user_id: int, session_id: str, refresh: str) -> SignedIn:
    tokens = asked.services.tokens
    return SignedIn(
        access_token=tokens.write("access", Claims(user_id, session_id, session_id), ACCESS_SECONDS),
        refresh_token=tokens.write("refresh", Claims(user_id, session_id, refresh), SESSION_SECONDS),
    )


ENDPOINTS = (
    Endpoint(
        "POST", "/auth/register", "account.register", "Register", register, Needs.NOBODY,
        body=Registration, data=Account, status=201, codes=(Code.CONFLICT,), pace=Pace.LOGIN,
    ),
    Endpoint(
        "POST", "/auth/login", "session.start", "Sign in", login, Needs.NOBODY,
        body=Login, data=SignedIn, codes=(Code.INVALID_CREDENTIALS,), pace=Pace.LOGIN,
    ),
    Endpoint("POST", "/auth/refresh", "session.refresh", "Trade the refresh token", refresh, Needs.NOBODY,
             body=Refresh, data=SignedIn, codes=(Code.UNAUTHENTICATED,)),
    Endpoint("POST", "/auth/logout", "session.end", "Sign out", logout, Needs.ACCOUNT, data=Nothing),
    Endpoint("GET", "/auth/me", "account.read", "One's own account", me, Needs.ACCOUNT, data=Account),
)  # fmt: skip
