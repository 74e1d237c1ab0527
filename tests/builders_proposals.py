"""Builders for proposals: an analyzed upload or pull request, and requests whose job is done while they wait for it."""

import asyncio
import io
import zipfile
from collections.abc import Coroutine, Mapping
from typing import Any

import httpx

from review.pull_request import Repository
from storage.installations import Installations, Tenant
from tests.builders_api import Api, Person
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PERMISSIONS, Installation, PullRequest

MAY_COMMIT = PERMISSIONS | {"contents": "write"}

BAD = b"import os\nimport sys\n\n\ndef f(a):\n    if not a is None:\n        return sys.path\n    return eval(a)\n"
"""Findings: an unused import and a comparison, which have suggestions, and an eval, which has none."""

MENDED = b"import sys\n\n\ndef f(a):\n    if a is not None:\n        return sys.path\n    return eval(a)\n"


async def while_working(api: Api, request: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
    """The answer to a request, while a worker does what it and others put."""
    task = asyncio.create_task(request)
    while not task.done():
        await api.work()
        await asyncio.wait([task], timeout=0.02)
    return task.result()


async def an_analyzed_upload(api: Api, person: Person, files: Mapping[str, bytes]) -> int:
    """The id of a completed analysis of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    sent = await person.post("/uploads", files={"file": ("code.zip", buffer.getvalue(), "application/zip")})
    assert sent.status_code == 201, sent.text
    return await _analyzed(api, person, {"upload_id": sent.json()["data"]["upload_id"]})


async def a_repository(
    api: Api, github: SandboxGitHub, base: Mapping[str, bytes], permissions: dict[str, str] = MAY_COMMIT
) -> tuple[Tenant, Installation]:
    """octo/app on the sandbox, with the app installed on it, as our tables know it."""
    repository = github.create_repository("octo/app", dict(base))
    installation = github.install("octo", permissions=permissions)
    known = Repository(repository.id, "octo/app", True, "main")
    tenant = await Installations(api.database).tenant_of(
        installation.account.id, "octo", "Organization", installation.id, known
    )
    return tenant, installation


async def an_analyzed_pull(api: Api, person: Person, pull: PullRequest) -> int:
    """The id of a completed analysis of that pull request, with everything that was found."""
    return await _analyzed(api, person, {"repository": pull.repository.full_name, "pull_request": pull.number})


async def _analyzed(api: Api, person: Person, body: dict[str, Any]) -> int:
    answer = await person.post("/analyses", body)
    assert answer.status_code == 202, answer.text
    assert await api.work() == {}
    return int(answer.json()["data"]["analysis_id"])


async def proposed(api: Api, person: Person, analysis: int, issues: list[str] | str = "all", **body: Any) -> dict[str, Any]:
    """The data of a proposal that was prepared."""
    given = {"analysis_id": analysis, "issues_to_fix": issues, **body}
    answer = await while_working(api, person.post("/proposals", given))
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def approved(person: Person, proposal: int) -> None:
    answer = await person.put(f"/proposals/{proposal}", {"state": "approved"})
    assert answer.status_code == 200, answer.text
