"""Every endpoint, asked in every wrong way: each gets a clean refusal in the envelope, and none is a fault of ours."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from handlers.api import ENDPOINTS
from handlers.api.endpoint import Endpoint, Needs
from handlers.api.forms import Nothing
from handlers.api.serve import PREFIX
from tests.builders_api import Api, Person

pytestmark = pytest.mark.api

WITH_BODY = tuple(endpoint for endpoint in ENDPOINTS if endpoint.body is not Nothing)
JSON = {"content-type": "application/json"}

BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "no body": (b"", JSON),
    "no content type": (b"{}", {}),
    "wrong content type": (b"{}", {"content-type": "text/plain"}),
    "a form": (b"a=b", {"content-type": "application/x-www-form-urlencoded"}),
    "null": (b"null", JSON),
    "a list": (b"[]", JSON),
    "a string": (b'"x"', JSON),
    "a number": (b"17", JSON),
    "broken JSON": (b'{"a": ', JSON),
    "two values": (b"{} {}", JSON),
    "no UTF-8": (b'{"a": "\xff\xfe"}', JSON),
    "UTF-16": ("{}".encode("utf-16"), JSON),
    "a lone surrogate": (b'{"a": "\\ud800"}', JSON),
    "a number beyond all": (b'{"a": 1e400}', JSON),
    "a number that is none": (b'{"a": NaN}', JSON),
    "nested deeply": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON),
    "too large": (b'{"a": "' + b"x" * (1024 * 1024) + b'"}', JSON),
    "an unknown key": (b'{"surely_unknown": 1}', JSON),
}


@pytest.fixture
async def mona(api: Api) -> AsyncIterator[Person]:
    yield await api.person("mona", administrator=True)


def path_of(endpoint: Endpoint, id: str = "1") -> str:
    """Its path with something in each place."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: id if found[1].endswith("id") else "x", endpoint.path)


async def refusals(mona: Person, endpoints: tuple[Endpoint, ...], ask: Callable[[Endpoint], dict[str, Any]]) -> dict[str, str]:
    """What answered anything but a clean refusal, and how."""
    wrong = {}
    for endpoint in endpoints:
        given = ask(endpoint)
        answer = await mona.call(endpoint.method, given.pop("path", path_of(endpoint)), **given)
        envelope = answer.json() if answer.headers.get("content-type") == "application/json" else {}
        clean = 400 <= answer.status_code < 500 and envelope.get("success") is False and "timestamp" in envelope
        if not clean or answer.status_code == 401:
            wrong[f"{endpoint.method} {endpoint.path}"] = f"{answer.status_code} {answer.text[:200]}"
    return wrong


@pytest.mark.parametrize("body", BODIES)
async def test_a_body_that_is_not_what_it_should_be_is_refused_by_every_endpoint(mona: Person, body: str) -> None:
    content, headers = BODIES[body]
    assert await refusals(mona, WITH_BODY, lambda _: {"content": content, "headers": headers}) == {}


def fields_with(endpoint: Endpoint, value: Any) -> dict[str, Any]:
    return dict.fromkeys(endpoint.body.model_fields, value)


@pytest.mark.parametrize("value", ["\x00", "a\x00b", None, [], {}, -1, 10**30, 1.5e308, True, "x" * 100_000])
async def test_a_value_that_fits_no_field_is_refused_by_every_endpoint(mona: Person, value: Any) -> None:
    def ask(endpoint: Endpoint) -> dict[str, Any]:
        return {"json": fields_with(endpoint, value) | {"surely_unknown": value}}

    assert await refusals(mona, WITH_BODY, ask) == {}


async def test_keys_that_stand_twice_do_no_harm(mona: Person) -> None:
    content = b'{"surely_unknown": 1, "surely_unknown": 2}'
    assert await refusals(mona, WITH_BODY, lambda _: {"content": content, "headers": JSON}) == {}


WITH_ID = tuple(endpoint for endpoint in ENDPOINTS if re.search(r"\{(\w+_)?id\}", endpoint.path))


@pytest.mark.parametrize(
    "id", ["0", "-1", "9" * 30, "9223372036854775808", "1e3", "x", "%00", "%ff", "١", "1.0", "+1", "01", "%201"]
)
async def test_an_id_that_none_can_have_is_one_that_does_not_exist(mona: Person, id: str) -> None:
    endpoints = tuple(endpoint for endpoint in WITH_ID if endpoint.body is Nothing and not endpoint.takes)
    assert await refusals(mona, endpoints, lambda endpoint: {"path": path_of(endpoint, id)}) == {}


async def test_what_is_asked_for_in_a_type_that_is_not_given_is_refused(mona: Person) -> None:
    endpoints = tuple(each for each in ENDPOINTS if each.data is not None and not each.gives)
    assert await refusals(mona, endpoints, lambda _: {"headers": {"accept": "image/png, application/json;q=0"}}) == {}


@pytest.mark.parametrize("cursor", ["x", "%00", "A" * 500, "A" * 501, "bnVsbA", "W10"])
async def test_a_cursor_that_no_list_gave_out_is_refused(mona: Person, cursor: str) -> None:
    lists = tuple(endpoint for endpoint in ENDPOINTS if "cursor" in endpoint.query.model_fields)
    assert lists

    def ask(endpoint: Endpoint) -> dict[str, Any]:
        return {"path": f"{path_of(endpoint)}?cursor={cursor}"}

    assert await refusals(mona, lists, ask) == {}


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1e9", "9" * 5000, "", "1&limit=2"])
async def test_a_page_of_a_size_that_is_none_is_refused(mona: Person, limit: str) -> None:
    lists = tuple(endpoint for endpoint in ENDPOINTS if "limit" in endpoint.query.model_fields)
    assert await refusals(mona, lists, lambda endpoint: {"path": f"{path_of(endpoint)}?limit={limit}"}) == {}


async def test_a_method_that_a_path_does_not_know_is_told_of_those_that_it_does(mona: Person) -> None:
    known: dict[str, set[str]] = {}
    for endpoint in ENDPOINTS:
        known.setdefault(path_of(endpoint), set()).add(endpoint.method)
    for path, methods in known.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            answer = await mona.call(method, path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed"), (method, path)
            assert methods <= set(answer.headers["allow"].split(", ")), (method, path)
        answer = await mona.call("OPTIONS", path)
        assert (answer.status_code, answer.content) == (204, b"")


async def test_whoever_is_nobody_gets_no_further_than_the_door(mona: Person) -> None:
    closed = [endpoint for endpoint in ENDPOINTS if endpoint.needs is not Needs.NOBODY]
    for endpoint in closed:
        for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
            answer = await mona.api.client.request(endpoint.method, PREFIX + path_of(endpoint), headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated"), endpoint.path
            assert answer.headers["www-authenticate"] == "Bearer"


NOWHERE = """
    /api/v1 /api/v1/ /api/v1/nowhere /api/v1/auth/me/ /api/v1//auth/me //api/v1/auth/me /api/v1/auth%2Fme%2F
    /api/v1/../etc/passwd /api/v1/%2e%2e/%2e%2e/etc/passwd /api/v1/auth/me;a=b /api/v1/auth/%6De%00
""".split()  # noqa: SIM905


@pytest.mark.parametrize("path", NOWHERE)
async def test_what_is_nowhere_is_said_so_in_the_envelope(mona: Person, path: str) -> None:
    answer = await mona.api.client.get(f"http://refactoriq.test{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "/docs" in answer.json()["error"]["message"]
    assert "timestamp" in answer.json()


async def test_headers_without_end_are_refused_by_every_endpoint(mona: Person) -> None:
    headers = {"x-long": "x" * 70_000}
    assert await refusals(mona, ENDPOINTS, lambda _: {"headers": headers}) == {}
    answer = await mona.get(f"/auth/me?x={'x' * 60_000}", headers={"x-long": "x" * 6_000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (431, "headers_too_large")


@pytest.mark.parametrize(
    "time", ["0.5", "0", "yesterday", "2026-01-01", "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"]
)
async def test_a_time_that_is_none_or_beyond_all_is_refused(mona: Person, time: str) -> None:
    lists = tuple(endpoint for endpoint in ENDPOINTS if "datetime" in str(endpoint.query.model_fields.get("until")).lower())
    assert lists
    assert await refusals(mona, lists, lambda endpoint: {"path": f"{path_of(endpoint)}?until={time}"}) == {}


async def test_a_zone_that_is_nowhere_on_earth_is_still_a_time(mona: Person) -> None:
    answer = await mona.get("/analyses?until=2026-01-01T00:00:00-21:11")
    assert answer.status_code == 200
