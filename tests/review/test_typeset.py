"""The process that typesets: what takes too long or too much is ended, and says what to do instead."""

import time
from datetime import UTC, datetime

import pytest

from review import typeset as room
from review.errors import UserError
from review.typeset import typeset

pytestmark = pytest.mark.integration


def test_what_is_handed_over_is_a_string_to_the_template() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    assert typeset(b"#sys.inputs.data", "#panic()", at).startswith(b"%PDF")


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_SECONDS", 1.0)
    started = time.monotonic()
    with pytest.raises(UserError, match=r"it took too long\. Ask for the HTML report"):
        typeset(b"#let x = 0\n#for a in range(100000) { for b in range(100000) { x += 1 } }", "", None)
    assert time.monotonic() - started < 5


def test_what_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(UserError, match="too much for the typesetter"):
        typeset(b"#let x = range(1000000000)\n#x", "", None)


def test_a_document_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_BYTES", 100)
    with pytest.raises(UserError, match="it is too large"):
        typeset(b"Hello", "", None)


def test_the_network_is_no_part_of_it() -> None:
    with pytest.raises(UserError):
        typeset(b'#import "@preview/cetz:0.3.2"', "", None)
