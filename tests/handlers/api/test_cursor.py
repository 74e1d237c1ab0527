"""Cursors: what goes in comes out, and whatever else comes is refused with the one code."""

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.api.cursor import decode, encode
from handlers.api.problem import Code, Problem

pytestmark = pytest.mark.unit

KINDS = (int, float, str, datetime)


def written(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode()


@given(
    st.tuples(
        st.integers(-(2**63) + 1, 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        st.datetimes(timezones=st.just(UTC)),
    )
)
def test_what_a_cursor_was_made_of_is_what_it_gives_back(values: tuple[int, float, str, datetime]) -> None:
    assert tuple(decode(encode(values), KINDS)) == values


@pytest.mark.parametrize(
    ("cursor", "kinds"),
    [
        ("", (int,)),
        ("nonsense!", (int,)),
        ("ä", (int,)),
        (written({}), (int,)),
        (written([]), (int,)),
        (written([1, 2]), (int,)),
        (written([True]), (int,)),
        (written([2**63]), (int,)),
        (written(["1"]), (int,)),
        (written([None]), (str,)),
        (written(["a\x00b"]), (str,)),
        (written(["2026-01-01T00:00:00"]), (datetime,)),
        (written(["yesterday"]), (datetime,)),
        (base64.urlsafe_b64encode(b"[1e999]").decode(), (float,)),
        (base64.urlsafe_b64encode(b'["\\ud800"]').decode(), (str,)),
        (base64.urlsafe_b64encode(b"[" * 300).decode(), (int,)),
    ],
)
def test_a_cursor_that_no_list_gave_out_is_refused(cursor: str, kinds: tuple[type, ...]) -> None:
    with pytest.raises(Problem) as refused:
        decode(cursor, kinds)
    assert refused.value.code is Code.INVALID_CURSOR


@given(st.text())
def test_any_text_at_all_is_a_cursor_or_refused(cursor: str) -> None:
    try:
        decode(cursor, (int,))
    except Problem as refused:
        assert refused.code is Code.INVALID_CURSOR
