"""Accounts and sessions: registering, signing in and out, refreshing, and where one is signed in."""

from datetime import UTC, datetime

from pydantic import EmailStr, Field

from handlers.api.account import Account, account
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs, Pace
from handlers.api.forms import Body, Data, Nothing, Page, Query, Text
from handlers.api.password_policy import LONGEST, SHORTEST
from handlers.api.problem import Code, Problem, not_found
from handlers.api.security import noted
from handlers.api.signing_in import WRONG, SignedIn, act_of, matches, must_be_strong, refused_login, sign_in, spelled, tokens
from storage.accounts.sessions import Session, UsedTwice
from storage.accounts.users import Taken

OVER = "The refresh token is not valid any more: sign in again."


class Registration(Body):
    email: EmailStr = Field(max_length=254)
    password: Text = Field(min_length=SHORTEST, max_length=LONGEST)
    full_name: Text = Field(default="", max_length=200)


class Login(Body):
    email: Text = Field(max_length=254)
    password: Text = Field(max_length=LONGEST)


class Refresh(Body):
    refresh_token: Text = Field(max_length=2000)


class Logout(Query):
    """`all`: everywhere, and not only here."""

    all: bool = False


class SignedInHere(Data):
    """One sign-in. `current` is the one that asks; `last_used_at` is when its tokens were last refreshed."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    current: bool


async def register(asked: Asked[Registration, Nothing]) -> Answer:
    """A new account, which may sign in at once. A mail asks whether the address is theirs, where mail is set up."""
    services, email = asked.services, str(asked.body.email)
    if not services.accounts.registration:
        raise Problem(Code.FORBIDDEN, "Nobody may register here (REGISTRATION is off): ask an administrator for an account.")
    must_be_strong(asked.body.password, email, "password")
    hashed = await services.accounts.passwords.hash(asked.body.password)
    try:
        user = await services.accounts.users.add(email, asked.body.full_name, hashed, asked.act)
    except Taken as taken:
        raise Problem(Code.CONFLICT, f"{taken} Sign in, or reset its password.") from None
    if not services.accounts.mailing.off:
        await services.accounts.mailing.put("confirm_email", email, user.id)
    return Answer(account(user), "Welcome.")


async def login(asked: Asked[Login, Nothing]) -> Answer:
    """A new session."""
    services, email = asked.services, spelled(asked.body.email)
    user = await services.accounts.users.by_email(email)
    if not await matches(asked, email, user, asked.body.password) or user is None:
        raise Problem(Code.INVALID_CREDENTIALS, WRONG)
    if user.disabled_at is not None:
        await refused_login(asked, user)
        raise Problem(Code.INVALID_CREDENTIALS, WRONG)
    new_hash = None
    if user.password_hash and services.accounts.passwords.outdated(user.password_hash):
        new_hash = await services.accounts.passwords.hash(asked.body.password)
    return Answer(await sign_in(asked, user, new_hash), "Signed in.")


async def refresh(asked: Asked[Refresh, Nothing]) -> Answer:
    """New tokens for the refresh token; one that was used before ends its session."""
    services = asked.services
    claims = services.accounts.tokens.read("refresh", asked.body.refresh_token)
    user = await services.accounts.users.by_id(claims.user_id) if claims else None
    if claims is None or user is None or user.disabled_at is not None:
        await noted(services.counts, "refused_tokens", address=asked.caller.address, because="refresh token")
        raise Problem(Code.UNAUTHENTICATED, OVER)
    try:
        session = await services.accounts.sessions.rotate(claims.user_id, claims.session_id, claims.id)
    except UsedTwice as twice:
        await noted(services.counts, "reused_refresh_tokens", address=asked.caller.address, user=user.id)
        await services.accounts.users.note(user.id, act_of(asked, user))
        raise Problem(Code.UNAUTHENTICATED, f"{twice} Sign in again.") from None
    if session is None:
        raise Problem(Code.UNAUTHENTICATED, OVER)
    return Answer(tokens(asked, session), "Refreshed.")


async def logout(asked: Asked[Nothing, Logout]) -> Answer:
    """Ends the session at once, access tokens included; with `all`, every session."""
    sessions, user_id = asked.services.accounts.sessions, asked.user.id
    if asked.query.all:
        await sessions.end_all(user_id)
    else:
        await sessions.end(user_id, asked.caller.session)
    await asked.services.accounts.users.note(user_id, asked.act)
    return Answer(Nothing(), "Signed out everywhere." if asked.query.all else "Signed out.")


async def list_sessions(asked: Asked[Nothing, Nothing]) -> Answer:
    """Where one is signed in, the one used last first."""
    kept = await asked.services.accounts.sessions.of(asked.user.id)
    return Answer(Page[SignedInHere](items=[_shown(session, asked.caller.session) for session in kept]))


async def end_session(asked: Asked[Nothing, Nothing]) -> Answer:
    """Signs out there, at once."""
    if not await asked.services.accounts.sessions.end(asked.user.id, asked.path["session"]):
        raise not_found("session")
    await asked.services.accounts.users.note(asked.user.id, asked.act)
    return Answer(Nothing(), "Signed out there.")


def _shown(session: Session, current: str) -> SignedInHere:
    created, used = (datetime.fromtimestamp(time, UTC) for time in (session.created, session.used))
    return SignedInHere(
        id=session.id, address=session.address, user_agent=session.agent, created_at=created, last_used_at=used,
        current=session.id == current,
    )  # fmt: skip


ENDPOINTS = (
    Endpoint(
        "POST", "/auth/register", "account.register", "Register", register, Needs.NOBODY,
        body=Registration, data=Account, status=201, codes=(Code.CONFLICT, Code.FORBIDDEN), pace=Pace.LOGIN,
    ),
    Endpoint(
        "POST", "/auth/login", "session.start", "Sign in", login, Needs.NOBODY,
        body=Login, data=SignedIn, codes=(Code.INVALID_CREDENTIALS, Code.RATE_LIMITED), pace=Pace.LOGIN,
    ),
    Endpoint("POST", "/auth/refresh", "session.refresh", "Trade the refresh token", refresh, Needs.NOBODY,
             body=Refresh, data=SignedIn),
    Endpoint("POST", "/auth/logout", "session.end", "Sign out", logout, Needs.ACCOUNT,
             query=Logout, data=Nothing, session_only=True),
    Endpoint("GET", "/auth/sessions", "session.list", "Where one is signed in", list_sessions, Needs.ACCOUNT,
             data=Page[SignedInHere], session_only=True),
    Endpoint("DELETE", "/auth/sessions/{session}", "session.end", "Sign out there", end_session, Needs.ACCOUNT,
             data=Nothing, session_only=True),
)  # fmt: skip
