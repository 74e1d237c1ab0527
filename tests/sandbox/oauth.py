"""The sandbox's pages for signing in: /login/oauth/authorize and /login/oauth/access_token, as strict as GitHub's."""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from tests.sandbox.people import Code, People
from tests.sandbox.world import World

PREFIX = "/login/oauth/"
CODE_SECONDS = 600


def page(world: World, request: Request, raw: bytes) -> Response:
    """The answer to that page's request."""
    with world.lock:
        if request.url.path.endswith("/authorize") and request.method == "GET":
            return _authorize(world, request.query_params)
        if request.url.path.endswith("/access_token") and request.method == "POST":
            answer = _token(world, dict(parse_qsl(raw.decode())))
            if "application/json" in request.headers.get("accept", ""):
                return JSONResponse(answer)
            return PlainTextResponse(urlencode(answer), media_type="application/x-www-form-urlencoded")
    return PlainTextResponse("Not Found", 404)


def _authorize(world: World, query: Mapping[str, str]) -> Response:
    """Whoever `login` names sits before the browser, and agrees unless the test says otherwise."""
    people = world.people
    if query.get("client_id") != world.client_id:
        return PlainTextResponse("Not Found", 404)
    target, state = query.get("redirect_uri", people.callback), query.get("state", "")
    if target != people.callback:
        target, given = people.callback, {"error": "redirect_uri_mismatch", "error_description": "The redirect_uri is not it."}
    elif people.denies:
        given = {"error": "access_denied", "error_description": "The user has denied your application access."}
    elif "code_challenge" in query and query.get("code_challenge_method") != "S256":
        given = {"error": "invalid_request", "error_description": "Only S256 is supported."}
    else:
        code = secrets.token_hex(10)
        person = people.persons[query["login"].lower()]
        people.codes[code] = Code(person, query.get("code_challenge", ""), target, time.time() + CODE_SECONDS)
        given = {"code": code}
    return RedirectResponse(f"{target}?{urlencode(given | {'state': state})}", 302)


def _token(world: World, given: Mapping[str, str]) -> dict[str, str | int]:
    people = world.people
    if given.get("client_id") != world.client_id or given.get("client_secret") != people.client_secret:
        return _error("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
    if given.get("grant_type") == "refresh_token":
        return _refreshed(people, given.get("refresh_token", ""))
    code = people.codes.pop(given.get("code", ""), None)
    if code is None or code.expires < time.time() or not _proves(code.challenge, given.get("code_verifier", "")):
        return _error("bad_verification_code", "The code passed is incorrect or expired.")
    if given.get("redirect_uri", code.redirect) != code.redirect:
        return _error("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.")
    return _given(people.give_token(code.person).text, people)


def _refreshed(people: People, refresh: str) -> dict[str, str | int]:
    old = next((token for token in people.tokens.values() if refresh and token.refresh == refresh), None)
    if old is None:
        return _error("bad_refresh_token", "The refresh token passed is incorrect or expired.")
    old.revoked, old.refresh = True, ""
    return _given(people.give_token(old.person).text, people)


def _proves(challenge: str, verifier: str) -> bool:
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return not challenge or digest == challenge


def _given(text: str, people: People) -> dict[str, str | int]:
    token = people.tokens[text]
    return {
        "access_token": token.text,
        "expires_in": int(people.token_seconds),
        "refresh_token": token.refresh,
        "refresh_token_expires_in": 15_897_600,
        "token_type": "bearer",
        "scope": "",
    }


def _error(error: str, words: str) -> dict[str, str | int]:
    return {"error": error, "error_description": words, "error_uri": "https://docs.github.com/apps/oauth"}
