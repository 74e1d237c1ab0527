"""The check against GitHub's description: it finds what is wrong in requests and answers, and nothing in what is right."""

import pytest

from tests.sandbox.conftest import Octo, on
from tests.sandbox.contract import Contract

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _described(github_contract: Contract | None) -> None:
    if github_contract is None:
        pytest.skip("GitHub's OpenAPI description could not be fetched")


def test_a_request_that_is_not_as_described_is_a_violation(octo: Octo) -> None:
    octo.github.accept_violations = True
    octo.review(on(1) | {"line": "1"})
    octo.api.post("/repos/octo/app/pulls/1/comments", json={"body": "x"})
    first, second, *rest = octo.github.violations
    assert "comments/0/line '1' is not of type 'integer'" in first
    assert "required property" in second
    assert len(rest) == 1


def test_an_answer_that_is_not_as_described_is_a_violation(octo: Octo) -> None:
    octo.get("/pulls/1")
    assert octo.github.violations == []
    log = octo.github.requests[0]
    log.answer["user"], log.violations = None, None
    octo.github.accept_violations = True
    assert octo.github.violations == ["GET /repos/octo/app/pulls/1 -> 200: the answer's user None is not of type 'object'"]


def test_faults_on_request_are_no_violations(octo: Octo) -> None:
    octo.github.fault("GET", "files", "malformed")
    octo.get("/pulls/1/files")
    assert octo.github.violations == []
