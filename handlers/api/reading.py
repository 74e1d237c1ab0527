"""Read a request: path, query and body, each held against its form; whatever does not fit becomes a clear Problem."""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request

from handlers.api.forms import LARGEST_ID, Nothing
from handlers.api.problem import Code, Problem, not_found

MOST_JSON = 1024 * 1024
"""Bytes of a JSON body: the largest that the API takes is some kilobytes."""

WRITTEN_DATE = re.compile(r"\d{4}-\d\d-\d\d")
"""What dates and times begin with: pydantic would take a bare number for seconds since 1970."""

BODY_SECONDS = 10.0
"""For a JSON body to come in."""

M = TypeVar("M", bound=BaseModel)


def read_path(parameters: Mapping[str, str], what: str) -> dict[str, Any]:
    """The path's parameters; ids become numbers. Raises Problem: an id that none can have is one that does not exist."""
    return {name: _id(value, what) if name == "id" or name.endswith("_id") else _text(value, what)
            for name, value in parameters.items()}  # fmt: skip


def _id(value: str, what: str) -> int:
    plain = value.isascii() and value.isdecimal() and not value.startswith("0")
    if not plain or len(value) > 19 or int(value) > LARGEST_ID:
        raise not_found(what)
    return int(value)


def _text(value: str, what: str) -> str:
    if "\x00" in value or not value.isprintable():
        raise not_found(what)
    return value


def read_query(form: type[M], parameters: QueryParams) -> M:
    """The query in that form. Raises Problem."""
    lists = _lists(form)
    given: dict[str, Any] = {}
    for name, value in parameters.multi_items():
        if name in lists:
            given.setdefault(name, []).append(value)
        elif name in form.model_fields and name in given:
            raise Problem(Code.INVALID, f"The parameter `{name}` is given more than once.", [{"at": name, "is": "repeated"}])
        elif "date" in str(getattr(form.model_fields.get(name), "annotation", "")).lower() and not WRITTEN_DATE.match(value):
            raise Problem(
                Code.INVALID, f"The parameter `{name}` must be as 2026-01-31T12:00:00Z.", [{"at": name, "is": "no date"}]
            )
        else:
            given[name] = value
    return _checked(lambda: form.model_validate(given), "query")


@cache
def _lists(form: type[BaseModel]) -> frozenset[str]:
    """The parameters that may be given more than once."""
    return frozenset(name for name, known in form.model_fields.items() if "list" in str(known.annotation))


def check_kind(form: type[BaseModel], request: Request) -> None:
    """Make sure that the body says it is JSON, before any of it is read. Raises Problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form is not Nothing and kind != "application/json":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, "Send the body as `Content-Type: application/json`.")


async def read_raw(request: Request) -> bytes:
    """The body, as far as it may go and within its time: of endpoints that want none as well. Raises Problem."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MOST_JSON:
                    raise Problem(Code.TOO_LARGE, "The body is larger than 1 MB.")
                parts.append(part)
    except ClientDisconnect:
        raise Problem(Code.MALFORMED, "The body broke off.") from None
    except TimeoutError:
        raise Problem(Code.SLOW_BODY, f"The body took longer than {BODY_SECONDS:.0f} seconds.") from None
    return b"".join(parts)


def read_body(form: type[M], raw: bytes) -> M:
    """The JSON body in that form. Raises Problem."""
    if form is Nothing:
        return form()
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(Code.MALFORMED, f"The body is not valid JSON ({error.msg}, line {error.lineno}).") from None
    if not isinstance(value, dict):
        raise Problem(Code.INVALID, "The body must be a JSON object.", [{"at": "", "is": "no object"}])
    # As JSON and strictly: 0 is not false there, nor a moment.
    return _checked(lambda: form.model_validate_json(orjson.dumps(value), strict=True), "body")


def _checked(read: Callable[[], M], where: str) -> M:
    try:
        return _in_utc(read(), where)
    except ValidationError as error:
        details = [
            {"at": _place(e["loc"]), "is": e["msg"].removeprefix("Value error, ").removesuffix(".")} for e in error.errors()
        ]
        first = details[0]
        place = f"`{first['at']}`: " if first["at"] else ""
        raise Problem(Code.INVALID, f"The {where} does not fit: {place}{first['is']}.", details) from None


def _place(location: tuple[int | str, ...]) -> str:
    """Where it is, as the caller wrote it: pydantic also tells which form of several it tried (`literal['all']`, `list[…]`)."""
    return ".".join(str(part) for part in location if not str(part).startswith(("literal[", "list[")))


def _in_utc(form: M, where: str) -> M:
    """The form with its times in UTC: Postgres knows no zones that are farther away than any on Earth. Raises Problem."""
    times = {name: value for name, value in form if isinstance(value, datetime) and value.tzinfo is not None}
    try:
        return form.model_copy(update={name: value.astimezone(UTC) for name, value in times.items()})
    except OverflowError:
        details = [{"at": name, "is": "out of range"} for name in times]
        raise Problem(Code.INVALID, f"The {where} holds a time that is out of range.", details) from None
