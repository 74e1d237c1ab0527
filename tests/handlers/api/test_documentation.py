"""The description: valid OpenAPI 3.1 of every endpoint there is, and a page of it that fetches nothing from elsewhere."""

import base64
import hashlib
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from handlers.api import ENDPOINTS
from handlers.api.endpoint import Needs
from handlers.api.openapi import describe
from handlers.api.problem import MEANINGS, Code
from tests.builders_api import Api

pytestmark = pytest.mark.api

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(ENDPOINTS, "https://refactoriq.example")


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, told) for path, all in document["paths"].items() for method, told in all.items()]


def test_it_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": "https://refactoriq.example/api/v1"}]


def test_every_endpoint_stands_in_it_under_a_name_of_its_own(document: dict[str, Any]) -> None:
    told = operations(document)
    assert len(told) == len(ENDPOINTS)
    names = [operation["operationId"] for _, _, operation in told]
    assert sorted(set(names)) == sorted(names)


def test_the_components_have_names_that_people_would_give(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"]
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z]{2,40}", name) or "handlers" in name] == []


def test_every_component_is_used(document: dict[str, Any]) -> None:
    text = str(document)
    assert [name for name in document["components"]["schemas"] if f"/{name}'" not in text] == []


def test_every_operation_says_who_may_call_it_and_what_can_go_wrong(document: dict[str, Any]) -> None:
    for method, path, told in operations(document):
        place = f"{method} {path}"
        assert told["summary"] and told["description"], place
        assert {"401", "413", "500", "503", "504"} <= told["responses"].keys(), place
        assert told["security"][0] == ({} if told["x-required-role"] == Needs.NOBODY else {"bearer": []}), place
        for status, answer in told["responses"].items():
            assert "X-Request-ID" in answer["headers"], place
            assert {MEANINGS[Code(code)].status for code in answer.get("x-codes", [])} <= {int(status)}, place


def test_every_parameter_of_a_path_is_told_of(document: dict[str, Any]) -> None:
    for method, path, told in operations(document):
        given = {each["name"] for each in told["parameters"] if each["in"] == "path"}
        assert given == set(re.findall(r"\{(\w+)\}", path)), (method, path)


async def test_it_is_served_and_not_sent_twice_to_who_has_it(api: Api) -> None:
    answer = await api.client.get("/openapi.json")
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.0")
    again = await api.client.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_runs_its_own_scripts_and_asks_nobody_else(api: Api) -> None:
    answer = await api.client.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert len(answer.headers.get_list("content-security-policy")) == 1
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "http" not in policy
    assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?!data:)', answer.text) == []
