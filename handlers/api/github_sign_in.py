"""Signing in with GitHub: the way there with state and PKCE, and the way back with a code, for a new account or a known one."""

from typing import Annotated

from pydantic import AfterValidator, Field
from starlette.responses import RedirectResponse

from handlers.api.access_tokens import ACCESS_SECONDS
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs, Pace
from handlers.api.forms import Nothing, Query, Text
from handlers.api.problem import Code, Problem
from handlers.api.signing_in import SignedIn, act_of, refused_login, sign_in
from handlers.host import Rejected, Revoked, SignIn
from storage.accounts.github_accounts import GitHubPerson, GitHubTokens, LinkedElsewhere
from storage.accounts.sign_ins import SIGN_IN_SECONDS, SignInUnderWay, new_verifier
from storage.accounts.users import User

COOKIE, COOKIE_PATH = "refactoriq_github", "/api/v1/auth/github"
"""What binds a sign-in to the browser that began it. Nobody else can end it, and nobody can be made to end somebody else's."""


CLOSED = "Nobody may register here (REGISTRATION is off): ask an administrator for an account."


def _path_of_ours(value: str) -> str:
    """Browsers take `//host` and `/\\host` for other hosts."""
    if not value.startswith("/") or value.startswith("//") or "\\" in value or not value.isascii() or not value.isprintable():
        raise ValueError("must be a path that begins with one /")
    return value


class Begin(Query):
    """`link` adds GitHub to the account of whoever is signed in; `redirect` is where the browser wants to be afterwards."""

    link: bool = False
    redirect: Annotated[Text, AfterValidator(_path_of_ours)] | None = Field(default=None, max_length=500)


class Callback(Query):
    """What GitHub sends the browser back with."""

    state: Text = Field(default="", max_length=200)
    code: Text = Field(default="", max_length=200)
    error: Text = Field(default="", max_length=200)


class SignedInByGitHub(SignedIn):
    """As after a login; `redirect` is the path that was asked for at the beginning."""

    expires_in: int = ACCESS_SECONDS
    redirect: str | None = None


async def begin(asked: Asked[Nothing, Begin]) -> RedirectResponse:
    """Sends the browser to GitHub."""
    github, sign_ins = _github(asked), asked.services.accounts.sign_ins
    user_id, session = _linking(asked) if asked.query.link else (0, "")
    under_way = SignInUnderWay(new_verifier(), asked.query.redirect or "", user_id, session)
    state, browser = await sign_ins.begin(under_way)
    there = RedirectResponse(github.authorize_url(state, under_way.challenge), 302, {"Cache-Control": "no-store"})
    there.set_cookie(
        COOKIE, browser, max_age=SIGN_IN_SECONDS, path=COOKIE_PATH, secure=sign_ins.secure, httponly=True, samesite="lax"
    )
    return there


def _linking(asked: Asked[Nothing, Begin]) -> tuple[int, str]:
    """Who asks for it, and in which session: an API key is not enough to get another way into the account."""
    if asked.caller.user is None or not asked.caller.session:
        raise Problem(Code.UNAUTHENTICATED, "Sign in first, and send your access token: GitHub is linked to that account.")
    return asked.caller.user.id, asked.caller.session


async def finish(asked: Asked[Nothing, Callback]) -> Answer:
    """Signs in whom GitHub names. They see at once what they may read there."""
    github, query = _github(asked), asked.query
    under_way = await asked.services.accounts.sign_ins.end(query.state, asked.request.cookies.get(COOKIE, ""))
    if under_way is None:
        await refused_login(asked, None)
        raise Problem(
            Code.UNAUTHENTICATED,
            "This sign-in was not begun in this browser, is over, or took more than ten minutes. Begin again.",
        )
    if query.error or not query.code:
        raise Problem(Code.REFUSED_BY_GITHUB, f"GitHub did not sign you in ({query.error or 'no code'}). Begin again.")
    try:
        tokens = await github.exchange(query.code, under_way.verifier)
        person = await github.person(tokens)
    except Revoked as revoked:
        raise Rejected(f"{revoked} Begin again.") from None
    user = await _account(asked, under_way, person, tokens)
    await asked.services.accounts.sight.ask(user.id)
    signed_in = await sign_in(asked, user)
    data = SignedInByGitHub(**signed_in.model_dump(), redirect=under_way.redirect or None)
    gone = f"{COOKIE}=; Max-Age=0; Path={COOKIE_PATH}; HttpOnly; SameSite=Lax"
    return Answer(data, "Signed in.", headers={"Cache-Control": "no-store", "Set-Cookie": gone})


async def _account(asked: Asked[Nothing, Callback], way: SignInUnderWay, person: GitHubPerson, tokens: GitHubTokens) -> User:
    """The account that this person signs in to. Raises Problem."""
    accounts = asked.services.accounts.github_accounts
    user = await (_linked(asked, way) if way.user_id else _known(asked, person))
    try:
        if user is None:
            if not asked.services.accounts.registration:
                raise Problem(Code.FORBIDDEN, CLOSED)
            return await accounts.add(person, tokens, asked.act)
        if user.disabled_at is not None:
            await refused_login(asked, user)
            raise Problem(Code.INVALID_CREDENTIALS, "This account is closed. Ask an administrator.")
        await accounts.link(user, person, tokens, act_of(asked, user))
    except LinkedElsewhere as elsewhere:
        raise Problem(Code.CONFLICT, str(elsewhere)) from None
    return user


async def _linked(asked: Asked[Nothing, Callback], way: SignInUnderWay) -> User | None:
    """Whoever asked for the link, as long as they are still signed in there."""
    user = await asked.services.accounts.users.by_id(way.user_id)
    if user is None or await asked.services.accounts.sessions.get(way.user_id, way.session) is None:
        raise Problem(Code.UNAUTHENTICATED, "You have signed out meanwhile. Sign in, and link GitHub again.")
    return user


async def _known(asked: Asked[Nothing, Callback], person: GitHubPerson) -> User | None:
    """By the account on GitHub; else by an address of which both sides have proof that it is theirs."""
    accounts = asked.services.accounts.github_accounts
    user = await accounts.by_github_id(person.id)
    if user is None and person.email:
        user = await accounts.by_proven_email(person.email)
    return user


def _github(asked: Asked[Nothing, Begin] | Asked[Nothing, Callback]) -> SignIn:
    if asked.services.accounts.sign_in is None:
        raise Problem(
            Code.FEATURE_OFF,
            "Signing in with GitHub takes the settings GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET. Ask an administrator.",
        )
    return asked.services.accounts.sign_in


ENDPOINTS = (
    Endpoint(
        "GET", "/auth/github", "session.begin_on_github", "Sign in with GitHub, or link it", begin, Needs.NOBODY,
        query=Begin, status=302, codes=(Code.FEATURE_OFF,), knows_callers=True,
    ),
    Endpoint(
        "GET", "/auth/github/callback", "session.start_by_github", "Where GitHub sends the browser back to", finish,
        Needs.NOBODY, query=Callback, data=SignedInByGitHub, pace=Pace.LOGIN,
        codes=(Code.FEATURE_OFF, Code.INVALID_CREDENTIALS, Code.FORBIDDEN, Code.REFUSED_BY_GITHUB, Code.CONFLICT),
    ),
)  # fmt: skip
