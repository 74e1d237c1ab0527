"""Cursors: where a page of a list ended, as an opaque word that the caller hands back to get the next one."""

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import orjson

from handlers.api.forms import LARGEST_ID, PageQuery
from handlers.api.problem import Code, Problem

T = TypeVar("T")

Place = int | float | str | datetime


def encode(values: Sequence[Place]) -> str:
    """A cursor that holds the sort values of a page's last item, in the order of the list's keys."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).rstrip(b"=").decode()


def decode(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The values in it, one of each of these kinds: int, float, str or datetime (with its zone).

    Raises Problem: a cursor comes from outside like everything else, and what it holds goes into a query.
    """
    try:
        values = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError
        return [_of_kind(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, binascii.Error):
        raise Problem(Code.INVALID_CURSOR, "This cursor is not one that this list gave out: start without one.") from None


def below(query: PageQuery) -> int:
    """Of a list with the newest first: the id below which this page begins. Raises Problem."""
    return int(decode(query.cursor, (int,))[0]) if query.cursor else LARGEST_ID


def behind(query: PageQuery) -> int:
    """Of a list in the order of its ids: the id behind which this page begins. Raises Problem."""
    return int(decode(query.cursor, (int,))[0]) if query.cursor else 0


def cut(query: PageQuery, found: Sequence[T], place: Callable[[T], Sequence[Place]]) -> tuple[list[T], str | None]:
    """This page's items and the cursor of the next one, None on the last: `found` has more than `query.limit` where there
    is another page, and `place` gives an item's sort values."""
    items = list(found[: query.limit])
    return items, encode(place(items[-1])) if len(found) > query.limit else None


def _of_kind(value: object, kind: type) -> object:
    """The value, if it is one. Raises ValueError."""
    match value:
        case int() if kind is int and not isinstance(value, bool) and abs(value) <= LARGEST_ID:
            return value
        case int() | float() if kind is float and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        case str() if kind is str and "\x00" not in value:
            return value
        case str() if kind is datetime and (time := datetime.fromisoformat(value)).tzinfo is not None:
            return time
        case _:
            raise ValueError
