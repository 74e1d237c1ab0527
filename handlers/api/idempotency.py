"""The header Idempotency-Key: a POST that is sent twice with the same one is done once."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from handlers.api.answers import failure
from handlers.api.endpoint import Asked
from handlers.api.problem import Code, Problem
from storage.idempotency import Claim, Known

HEADER = "Idempotency-Key"
FORM = re.compile(r"[\x21-\x7e]{1,255}")

MOST_KEPT = 256 * 1024
"""Bytes of an answer. A larger one is not kept: its request would be done again."""

STALE_SECONDS = 60.0
"""After which a first request that nothing is heard of counts as dead; later where the endpoint itself may take longer."""

KEPT_HEADERS = ("content-type", "location", "retry-after")


async def once(asked: Asked[Any, Any], raw: bytes, perform: Callable[[], Awaitable[Response]]) -> Response:
    """What `perform` gives, or gave to the first request with this key. `raw` is the body, empty where it is a stream of
    files: there the key, the path and the query alone tell requests apart. Raises Problem."""
    key = asked.request.headers.get(HEADER)
    if key is None or not asked.endpoint.repeatable:
        return await perform()
    if FORM.fullmatch(key) is None:
        raise Problem(Code.INVALID, f"{HEADER} must be 1 to 255 printable ASCII characters.", [{"at": HEADER, "is": "unfit"}])
    request = _hash(asked, raw)
    stale = max(STALE_SECONDS, asked.endpoint.seconds + 10)
    claim = await asked.services.idempotency_keys.claim(asked.user.id, key, request, stale)
    return _replayed(claim, request) if isinstance(claim, Known) else await _first(asked, claim, perform)


def _replayed(known: Known, request: bytes) -> Response:
    if known.request != request:
        because = "with another request, or when you could see other things"
        raise Problem(Code.IDEMPOTENCY_KEY_REUSED, f"This {HEADER} came before, {because}: use a new one.")
    if known.status is None:
        raise Problem(Code.REQUEST_IN_PROGRESS, "The first request with this key is still being answered: wait for it.",
                      headers={"Retry-After": "1"})  # fmt: skip
    return Response(known.answer, known.status, {**known.headers, "Idempotency-Replayed": "true"})


async def _first(asked: Asked[Any, Any], claim: Claim, perform: Callable[[], Awaitable[Response]]) -> Response:
    """Perform it and keep what it came to. What came to nothing (a fault of ours, too long a time) may be tried again."""
    keys, response = asked.services.idempotency_keys, None
    try:
        response = await _told(perform)
    finally:
        if response is None or response.status_code >= 500 or not _fits(response):
            await keys.release(claim)
        else:
            headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
            await keys.keep(claim, response.status_code, headers, bytes(response.body))
    return response


async def _told(perform: Callable[[], Awaitable[Response]]) -> Response:
    """A refusal is an answer too."""
    try:
        return await perform()
    except Problem as problem:
        return failure(problem)


def _fits(response: Response) -> bool:
    """Whether its body is at hand, and small enough: a stream or a file has none."""
    return len(getattr(response, "body", b"x" * (MOST_KEPT + 1))) <= MOST_KEPT


def _hash(asked: Asked[Any, Any], raw: bytes) -> bytes:
    """Of the request, and of what its caller may see: an answer with code in it is not given to who lost that meanwhile."""
    hashed, sight = hashlib.blake2b(digest_size=32), asked.caller.sight
    for ids in (sight.organizations, sight.whole, sight.repositories):
        hashed.update(f"{sorted(ids)}\x00".encode())
    for part in (asked.endpoint.method, asked.request.url.path, asked.request.url.query):
        hashed.update(part.encode() + b"\x00")
    hashed.update(raw)
    return hashed.digest()
