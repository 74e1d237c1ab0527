"""Analyses in the whole house: a review of a pull request is one too; and one that was asked for outlives its worker."""

import io
import time
import zipfile
from typing import Any

import httpx
import pytest

from tests.process_tree import alive
from tests.sandbox.github import SandboxGitHub
from tests.walks.conftest import BASE, MISTAKES
from tests.walks.house import House
from tests.walks.processes import Processes, until

WITHIN = 60.0
"""Seconds after a death until the analysis must be done."""


@pytest.mark.walk
async def test_the_review_of_a_pull_request_is_an_analysis_with_score_metrics_and_names(
    house: House, github: SandboxGitHub
) -> None:
    repository = github.create_repository("octo/shop", BASE)
    github.install("octo")
    assert (await house.review(github.open_pull_request(repository, MISTAKES))).state == "done"
    [(status, progress, subject, score, lines, severities, finished)] = house.sql(
        "SELECT status, progress, subject, score, metrics ->> 'lines_of_code', severities, finished_at IS NOT NULL"
        " FROM analyses"
    )
    assert (status, progress, subject, finished) == ("completed", 100, "pull_request", True)
    assert 0 < score < 100
    assert int(lines) == 8
    standing = house.sql("SELECT issue, severity FROM findings WHERE dropped_because IS NULL")
    assert standing
    assert sum(severities.values()) == len(standing)
    assert all(issue.rpartition("-")[2].isdecimal() for issue, _ in standing)
    assert house.sql("SELECT DISTINCT issue FROM findings WHERE dropped_because IS NOT NULL") in ([], [("",)])


def analysis_of_an_upload(client: httpx.Client) -> str:
    """Somebody registers, uploads a file and has it analyzed; gives the analysis' path."""
    who = {"email": "mona@example.com", "password": "correct horse battery staple"}
    assert client.post("/auth/register", json=who | {"full_name": "Mona"}).status_code == 201
    token = client.post("/auth/login", json=who).json()["data"]["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("cart.py", MISTAKES["shop/cart.py"])
    upload = client.post("/uploads", files={"file": ("code.zip", code.getvalue(), "application/zip")}).json()["data"]
    answer = client.post("/analyses", json={"upload_id": upload["upload_id"]})
    assert answer.status_code == 202, answer.text
    return f"/analyses/{answer.json()['data']['analysis_id']}"


@pytest.mark.fault
def test_a_worker_killed_in_mid_analysis_is_replaced_and_everything_is_found_once(running: Processes) -> None:
    running.web(REQUESTS_PER_MINUTE="1000000")
    running.models.fault("hang")
    first = running.worker()
    with httpx.Client(base_url=f"{running.url}/api/v1", timeout=30, trust_env=False) as client:
        path = analysis_of_an_upload(client)

        def shown() -> dict[str, Any]:
            data: dict[str, Any] = client.get(path).json()["data"]
            return data

        until(lambda: running.models.requests and shown()["progress"] > 0, 30, first)
        assert shown()["status"] == "running"
        [child] = first.children()
        first.kill()
        died = time.monotonic()
        until(lambda: not alive(child), 3, first)
        second = running.worker()
        until(lambda: shown()["status"] not in ("queued", "running"), WITHIN, second)
        assert time.monotonic() - died < WITHIN
        found = shown()
    assert (found["status"], found["error"]) == ("completed", None)
    issues = found["results"]["issues"]
    assert issues
    assert len({(issue["rule"], issue["line"]) for issue in issues}) == len(issues)
    assert running.rows("SELECT tries >= 2, (SELECT count(*) FROM findings WHERE dropped_because IS NULL) FROM analyses") == [
        (True, len(issues))
    ]
