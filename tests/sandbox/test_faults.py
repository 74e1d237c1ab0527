"""Limits and faults of the sandbox: what each does to a caller, and that it hurts as often as asked and no more."""

import json
import time

import httpx
import pytest

from tests.sandbox.conftest import Octo, on

pytestmark = pytest.mark.integration

FILES = "/repos/octo/app/pulls/1/files"


def test_the_primary_limit_is_counted_told_and_kept(octo: Octo) -> None:
    octo.github.server.limits.hourly = 3
    answers = [octo.api.get(FILES) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].json()["message"].startswith("API rate limit exceeded")
    assert octo.api.get("/rate_limit").json()["rate"]["remaining"] == 0


def test_eighty_contents_a_minute_are_enough(octo: Octo) -> None:
    octo.github.server.limits.content_by_minute = 2
    answers = [octo.review(on(1)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[2].headers["retry-after"] == "60"
    assert "secondary rate limit" in answers[2].json()["message"]


def test_nine_hundred_points_a_minute_are_enough(octo: Octo) -> None:
    octo.github.server.limits.points_by_minute = 6
    assert [octo.review().status_code, octo.api.get(FILES).status_code, octo.api.get(FILES).status_code] == [200, 200, 403]


@pytest.mark.parametrize("kind", ["500", "502", "503", "401", "403", "404"])
def test_a_fault_answers_with_its_status_as_often_as_asked(octo: Octo, kind: str) -> None:
    fault = octo.github.fault("GET", "/pulls/1/files$", kind, times=2)
    answers = [octo.api.get(FILES).status_code for _ in range(3)]
    assert answers == [int(kind), int(kind), 200]
    assert fault.met == 2
    assert octo.get("/pulls/1").status_code == 200


def test_a_lost_answer_leaves_the_work_done_and_a_lost_request_does_not(octo: Octo) -> None:
    octo.github.fault("POST", "reviews", "lose_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        octo.review(on(1))
    assert len(octo.github.reviews("octo/app", 1)) == 1
    octo.github.fault("POST", "reviews", "lose_request")
    with pytest.raises(httpx.RemoteProtocolError):
        octo.review(on(1))
    assert len(octo.github.reviews("octo/app", 1)) == 1


def test_limits_on_request_name_when_to_come_back(octo: Octo) -> None:
    octo.github.fault("GET", "files", "secondary_limit", seconds=7)
    octo.github.fault("GET", "files", "secondary_limit_silent")
    octo.github.fault("GET", "files", "429", seconds=3)
    first, silent, many = (octo.api.get(FILES) for _ in range(3))
    assert (first.status_code, first.headers["retry-after"]) == (403, "7")
    assert (silent.status_code, "retry-after" in silent.headers) == (403, False)
    assert (many.status_code, many.headers["retry-after"]) == (429, "3")


def test_an_exhausted_primary_limit_fills_up_again_at_its_reset(octo: Octo) -> None:
    octo.github.fault("GET", "files", "primary_limit", seconds=0.4)
    hurt = octo.api.get(FILES)
    assert (hurt.status_code, hurt.headers["x-ratelimit-remaining"]) == (403, "0")
    assert abs(int(hurt.headers["x-ratelimit-reset"]) - time.time()) <= 2
    assert octo.get("/pulls/1").status_code == 403
    time.sleep(0.45)
    assert octo.api.get(FILES).status_code == 200


def test_malformed_json_html_and_slowness(octo: Octo) -> None:
    octo.github.fault("GET", "files", "malformed")
    with pytest.raises(json.JSONDecodeError):
        octo.api.get(FILES).json()
    octo.github.fault("GET", "files", "html")
    assert octo.api.get(FILES).headers["content-type"].startswith("text/html")
    octo.github.fault("GET", "files", "slow", seconds=0.3)
    started = time.perf_counter()
    assert octo.api.get(FILES).status_code == 200
    assert time.perf_counter() - started > 0.3


def test_a_hanging_answer_never_comes_and_does_not_keep_the_sandbox_up(octo: Octo) -> None:
    octo.github.fault("*", "files", "hang")
    with pytest.raises(httpx.ReadTimeout):
        octo.api.get(FILES, timeout=0.2)
    octo.api.close()
    started = time.perf_counter()
    octo.github.stop()
    assert time.perf_counter() - started < 1


def test_git_fails_on_request(octo: Octo) -> None:
    path, auth = (
        f"{octo.github.url}/octo/app.git/info/refs?service=git-upload-pack",
        ("x", octo.github.token(octo.installation)),
    )
    octo.github.fault("*", r"/octo/app\.git/", "503")
    assert httpx.get(path, auth=auth, trust_env=False).status_code == 503
    octo.github.fault("*", r"/octo/app\.git/", "lose_request")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(path, auth=auth, trust_env=False)
    assert httpx.get(path, auth=auth, trust_env=False).status_code == 200


def test_a_fault_may_let_some_pass_first(octo: Octo) -> None:
    octo.github.fault("GET", "files", "500", skip=1)
    assert [octo.api.get(FILES).status_code for _ in range(3)] == [200, 500, 200]
