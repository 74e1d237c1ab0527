"""Find out who asks: an access token, or an API key, in the header Authorization."""

from dataclasses import replace

from starlette.requests import HTTPConnection

from handlers.api.caller import Caller
from handlers.api.problem import Code, Problem
from handlers.api.security import noted
from handlers.api.services import Services
from storage.accounts.api_keys import PREFIX

CHALLENGE = {"WWW-Authenticate": "Bearer"}


async def authenticate(services: Services, connection: HTTPConnection, request_id: str) -> Caller:
    """The caller. Without the header it is nobody; with one that is not valid it is refused. Raises Problem, TryAgain."""
    address = connection.client.host if connection.client else ""
    nobody = Caller(address, request_id)
    header = connection.headers.get("authorization")
    if header is None:
        return nobody
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise await _refused(services, nobody, "The header Authorization must be `Bearer` and a token or an API key.")
    return await identify(services, nobody, secret.strip())


async def identify(services: Services, nobody: Caller, secret: str) -> Caller:
    """The caller whom that access token or API key belongs to. Raises Problem."""
    if secret.startswith(PREFIX):
        return await _by_key(services, nobody, secret)
    claims = services.accounts.tokens.read("access", secret)
    session = claims and await services.accounts.sessions.get(claims.user_id, claims.session_id)
    if claims is None or session is None:
        raise await _refused(services, nobody, "The access token is not valid any more: refresh it, or sign in again.")
    return await as_user(services, nobody, claims.user_id, replace(nobody, session=session.id))


async def _by_key(services: Services, nobody: Caller, secret: str) -> Caller:
    key = await services.accounts.api_keys.used(secret)
    if key is None:
        raise await _refused(services, nobody, "This API key is not valid (any more): make another one.")
    return await as_user(services, nobody, key.user_id, replace(nobody, scopes=frozenset(key.scopes), key=key.id))


async def as_user(services: Services, nobody: Caller, user_id: int, caller: Caller) -> Caller:
    """The caller as that user, with all that they may see by now. Raises Problem where the account is closed."""
    found = await services.accounts.sight.known(user_id)
    if found is None or found[0].disabled_at is not None:
        raise await _refused(services, nobody, "This account is closed. Ask an administrator.")
    return replace(caller, user=found[0], sight=found[1])


async def _refused(services: Services, nobody: Caller, message: str) -> Problem:
    await noted(services.counts, "refused_tokens", address=nobody.address, request=nobody.request_id, because=message)
    return Problem(Code.UNAUTHENTICATED, message, headers=CHALLENGE)
