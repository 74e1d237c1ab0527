"""Who is asking, and may they: app JWTs, installation tokens, permissions. As strict as GitHub's own door."""

import base64
import binascii
import secrets
import time
from typing import Any

import jwt

from tests.sandbox.answering import Call, Refused, Route, bad_credentials, not_found
from tests.sandbox.world import Installation, Repository, Token, World

LONGEST_JWT = 600
"""Seconds between now and `exp` at most; GitHub allows no leeway here."""
DRIFT = 1
UNDECODABLE = "A JSON web token could not be decoded"


def identify(call: Call, route: Route) -> None:
    """Put the caller into the call; 401 and 403 as GitHub says them."""
    scheme, _, credential = call.headers.get("authorization", "").partition(" ")
    credential = _credential(scheme, credential)
    if route.who == "app":
        check_jwt(call.world, credential)
        call.as_app = True
        return
    if route.who == "user":
        held = call.world.people.tokens.get(credential)
        if held is None or not held.alive:
            raise bad_credentials() if credential else Refused(401, "Requires authentication")
        call.person = held.person
        return
    if not credential:
        if route.who == "anyone":
            return
        raise Refused(401, "Requires authentication")
    call.token = live_token(call.world, credential)
    if call.token.installation.suspended:
        raise Refused(403, "This installation has been suspended")


def _credential(scheme: str, credential: str) -> str:
    if scheme.lower() in ("bearer", "token"):
        return credential.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credential).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return "?"


def live_token(world: World, text: str) -> Token:
    """The token behind that text; 401 unless it lives."""
    token = world.tokens.get(text)
    if token is None or not token.alive:
        raise bad_credentials()
    return token


def check_jwt(world: World, text: str) -> None:
    """Hold an app's JWT against its key and the clock. Raises 401 in GitHub's words."""
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            world.public_key,
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.InvalidTokenError:
        raise Refused(401, UNDECODABLE) from None
    if str(claims.get("iss")) not in (str(world.app_id), world.client_id):
        raise Refused(401, "'Issuer' claim ('iss') must be an Integer" if "iss" not in claims else "Integration not found")
    issued, expires = claims.get("iat"), claims.get("exp")
    for name, claim, value in (("Issued at", "iat", issued), ("Expiration time", "exp", expires)):
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Refused(401, f"'{name}' claim ('{claim}') must be a numeric value")
    assert issued is not None and expires is not None
    if expires <= time.time():
        raise Refused(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time",
        )
    if expires > time.time() + LONGEST_JWT:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    if issued > time.time() + DRIFT:
        raise Refused(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")


def authorize(call: Call, route: Route) -> None:
    """403 where the token lacks the permission, or the installation the repository; 404 where it may not even look."""
    if "repo" not in call.path:
        return
    repository = call.repository
    if route.method in ("GET", "HEAD") and not repository.private:
        return
    if not route.needs and route.method in ("GET", "HEAD"):
        return
    held = call.token is not None and call.token.covers(repository) and any(call.token.may(*need) for need in route.needs)
    if not held:
        accepted = "; ".join(f"{name}={level}" for name, level in route.needs)
        raise Refused(403, "Resource not accessible by integration", headers={"x-accepted-github-permissions": accepted})


def issue_token(world: World, installation: Installation, permissions: dict[str, str], repositories: set[int] | None) -> Token:
    """A new token, in the long form of 2026 or the old 40 characters."""
    random = secrets.token_urlsafe(220)
    tail = f"{world.app_id}_eyJ{random[:100]}.{random[100:240]}.{random[240:]}" if world.long_tokens else secrets.token_hex(18)
    token = Token(f"ghs_{tail}", installation, time.time() + world.token_seconds, permissions, repositories)
    world.tokens[token.text] = token
    return token


def may_read(world: World, full_name: str, text: str) -> bool:
    """Whether git may fetch that repository with that token (empty: a stranger)."""
    with world.lock:
        repository = world.repository(full_name)
        if repository is None:
            return False
        if not text:
            return not repository.private
        token = world.tokens.get(text)
        return token is not None and _may_fetch(token, repository)


def knows_nothing_of(world: World, full_name: str, authorization: str) -> bool:
    """Whether a living token asks for a repository that is not its own: to it, there is no such repository."""
    scheme, _, credential = authorization.partition(" ")
    with world.lock:
        token, repository = world.tokens.get(_credential(scheme, credential)), world.repository(full_name)
        if token is None or not token.alive:
            return False
        return repository is None or (repository.private and not token.covers(repository))


def _may_fetch(token: Token, repository: Repository) -> bool:
    if not token.alive or token.installation.suspended:
        return False
    return not repository.private or (token.covers(repository) and token.may("contents", "read"))


def installation(call: Call) -> Installation:
    """The installation of the path; 404 where it is gone."""
    number = call.path["installation_id"]
    found = call.world.installations.get(int(number)) if number.isdigit() else None
    if found is None or found.removed:
        raise not_found()
    return found
