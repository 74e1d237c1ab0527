"""The envelope around every JSON answer of the API."""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from handlers.api.problem import Code, Problem

JSON = "application/json"


def success(request: Request, data: BaseModel, message: str, status: int, headers: Mapping[str, str]) -> Response:
    """The envelope with that data; to a GET with an ETag of the data, or 304 where the caller has it already (RFC 9110).

    What must not be kept says so by a Cache-Control of its own, and has no ETag.
    """
    body = data.model_dump_json().encode()
    given = dict(headers)
    if request.method in ("GET", "HEAD") and status == 200 and "Cache-Control" not in given:
        tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        # Weak: the same data comes with another time in the envelope, or compressed.
        given |= {"ETag": f"W/{tag}", "Cache-Control": "private, no-cache"}
        if {tag, "*"} & _tags(request.headers.get("if-none-match", "")):
            return Response(None, 304, given)
    parts = b'{"success":true,"data":', body, b',"message":', orjson.dumps(message), b',"timestamp":"', _now(), b'"}'
    return Response(b"".join(parts), status, given, JSON)


def failure(problem: Problem) -> Response:
    """The envelope of an error."""
    return Response(orjson.dumps(error(problem), default=str), problem.status, problem.headers, JSON)


def error(problem: Problem) -> dict[str, Any]:
    """The envelope of an error, before it is written."""
    told = {"code": problem.code, "message": problem.message, "details": problem.details}
    return {"success": False, "error": told, "timestamp": _now().decode()}


def check_acceptable(request: Request, types: Collection[str]) -> None:
    """Make sure that the caller takes one of the types that they can be given (RFC 9110, 12.5.1). Raises Problem."""
    header = request.headers.get("accept", "")
    ranges = [_range(part) for part in header.split(",") if part.strip()]
    if types and ranges and not any(quality > 0 and _matches(range, type) for range, quality in ranges for type in types):
        raise Problem(Code.NOT_ACCEPTABLE, f"Accept must allow one of {', '.join(types)}.", {"types": list(types)})


def _range(part: str) -> tuple[str, float]:
    """A media range and its quality, which is 1 where none is written that can be read."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [given.removeprefix("q=") for given in parameters if given.startswith("q=")]
    return name, 0.0 if weights and re.fullmatch(r"0(\.0*)?", weights[0]) else 1.0


def _matches(range: str, type: str) -> bool:
    """Whether the range takes that type. A file may be of any, which the caller who asks for it cannot know: `*/*`."""
    return "*/*" in (range, type) or range in ("*", type.partition(";")[0], f"{type.partition('/')[0]}/*")


def _now() -> bytes:
    return datetime.now(UTC).isoformat(timespec="milliseconds").encode()


def _tags(header: str) -> set[str]:
    """Weak comparison, as If-None-Match demands: a W/ in front does not count."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
