"""The envelope around every JSON answer of the API."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from handlers.api.problem import Problem

JSON = "application/json"


def success(request: Request, data: BaseModel, message: str, status: int, headers: Mapping[str, str]) -> Response:
    """The envelope with that data; to a GET with an ETag of the data, or 304 where the caller has it already (RFC 9110)."""
    body = data.model_dump_json().encode()
    given = dict(headers)
    if request.method in ("GET", "HEAD") and status == 200:
        given["ETag"] = tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        if tag in _tags(request.headers.get("if-none-match", "")):
            return Response(None, 304, given)
    parts = b'{"success":true,"data":', body, b',"message":', orjson.dumps(message), b',"timestamp":"', _now(), b'"}'
    return Response(b"".join(parts), status, given, JSON)


def failure(problem: Problem) -> Response:
    """The envelope of an error."""
    error: dict[str, Any] = {"code": problem.code, "message": problem.message, "details": problem.details}
    body = orjson.dumps({"success": False, "error": error, "timestamp": _now().decode()}, default=str)
    return Response(body, problem.status, problem.headers, JSON)


def _now() -> bytes:
    return datetime.now(UTC).isoformat(timespec="milliseconds").encode()


def _tags(header: str) -> set[str]:
    """Weak comparison, as If-None-Match demands: a W/ in front does not count."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
