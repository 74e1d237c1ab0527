"""Delivery: signatures over raw bytes, and payloads older, newer and stranger than any schema."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.delivery import Payload, Unparsable, parse, verify
from tests.builders_delivery import a_pull_request_payload, signed

pytestmark = pytest.mark.unit

BODY = b'{"zen":"Keep it logically awesome."}'


def test_githubs_own_test_vector_is_right() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert verify(b"Hello, World!", signature, [b"It's a Secret to Everybody"])


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=00", "sha1=" + "0" * 40, signed(BODY)[7:], signed(BODY).upper(), signed(BODY) + "0", "sha256=é"],
)
def test_a_wrong_signature_is_wrong_whatever_its_form(signature: str) -> None:
    assert not verify(BODY, signature, [b"a secret for tests only"])


def test_every_configured_secret_is_tried() -> None:
    assert verify(BODY, signed(BODY, "old"), [b"new", b"old"])
    assert verify(BODY, signed(BODY, "new"), [b"new", b"old"])
    assert not verify(BODY, signed(BODY, "other"), [b"new", b"old"])


def test_without_a_secret_nothing_is_right() -> None:
    assert not verify(BODY, signed(BODY, ""), [])
    assert not verify(BODY, signed(BODY, ""), [b""])


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=200))
def test_one_byte_more_makes_the_signature_wrong(body: bytes, more: bytes) -> None:
    assert not verify(body + more, signed(body), [b"a secret for tests only"])


@pytest.mark.parametrize("delivery_id", ["", "a b", "a/b", "a:b", "é", "x" * 65, "a\n", "../etc"])
def test_a_delivery_id_is_letters_digits_hyphens_and_underscores(delivery_id: str) -> None:
    with pytest.raises(Unparsable, match="X-GitHub-Delivery"):
        parse(delivery_id, "ping", BODY)


@pytest.mark.parametrize("event", ["", "Pull_Request", "a b", "x" * 65, "ping\n"])
def test_an_event_is_a_lower_case_name(event: str) -> None:
    with pytest.raises(Unparsable, match="X-GitHub-Event"):
        parse("d-1", event, BODY)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b'{"action":"opened"', "not JSON"),
        (b'{"action":"opened"} and more', "not JSON"),
        (b'{"x":NaN}', "not JSON"),
        (b'\xef\xbb\xbf{"x":1}', "not JSON"),
        (b'{"title":"\xff"}', "UTF-8"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
        (b"[]", "not a payload"),
        (b"null", "not a payload"),
        (b'{"action":7}', "not a payload"),
        (b'{"action":"a\\u0000b"}', "not a payload"),
        (b'{"installation":{"id":9223372036854775808}}', "not a payload"),
        (b'{"pull_request":{"head":{"sha":"--upload-pack=x"}}}', "not a payload"),
        (b'{"repository":{"full_name":"../../etc"}}', "not a payload"),
    ],
)
def test_what_nobody_can_read_is_refused_with_the_reason(body: bytes, says: str) -> None:
    with pytest.raises(Unparsable, match=says):
        parse("d-1", "pull_request", body)


def test_a_refusal_repeats_nothing_of_the_body() -> None:
    with pytest.raises(Unparsable) as refused:
        parse("d-1", "pull_request", b'{"action":{"hunter2":1}}')
    assert "hunter2" not in str(refused.value)


def test_of_an_event_that_nobody_hears_only_the_syntax_counts() -> None:
    odd = b'{"action":7,"repository":"octo-org/app"}'
    assert parse("d-1", "novelty", odd, strict=False).payload == Payload()
    with pytest.raises(Unparsable, match="JSON object"):
        parse("d-1", "novelty", b"[]", strict=False)
    with pytest.raises(Unparsable, match="not JSON"):
        parse("d-1", "novelty", b'{"action":7', strict=False)
    with pytest.raises(Unparsable, match="too deeply"):
        parse("d-1", "novelty", b'{"action":7,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", strict=False)


def test_missing_null_and_unknown_fields_are_no_error() -> None:
    payload = a_pull_request_payload(sender=None, installation=None, organization=None, performed_via_github_app=None, news=[1])
    read = parse("d-1", "pull_request", json.dumps(payload).encode()).payload
    assert read.sender is None
    assert read.installation is None
    assert read.pull_request is not None
    assert parse("d-1", "pull_request", b"{}").payload == Payload()


def test_a_urlencoded_form_carries_the_same_payload() -> None:
    body = b"payload=%7B%22action%22%3A%22opened%22%2C%22x%22%3A%22%C3%A9+%26%22%7D"
    assert parse("d-1", "pull_request", body, form=True).payload.action == "opened"


@pytest.mark.parametrize("body", [b"", b"payload", b"other=1", b"payload=%FF", b"\xff=1", b"&".join([b"a=1"] * 20)])
def test_a_form_without_a_payload_is_refused(body: bytes) -> None:
    with pytest.raises(Unparsable):
        parse("d-1", "ping", body, form=True)


@given(st.binary(max_size=300))
def test_no_bytes_at_all_lead_to_another_error_than_unparsable(body: bytes) -> None:
    for form in (False, True):
        with contextlib.suppress(Unparsable):
            parse("d-1", "pull_request", body, form=form, strict=form)
