"""Analyses through the API: an upload, a pull request and a repository at a ref are asked for, run and looked at."""

import io
import zipfile
from typing import Any

import pytest

from tests.builders_api import Api, Person

pytestmark = pytest.mark.api

BAD = "import subprocess\n\n\ndef run(command, seen=[]):\n    subprocess.call(command, shell=True)\n    return seen\n"


async def uploaded(person: Person, files: dict[str, str | bytes], **query: Any) -> int:
    """The id of an upload with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    answer = await person.post("/uploads", files={"file": ("code.zip", buffer.getvalue(), "application/zip")}, params=query)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["data"]["upload_id"])


async def asked(person: Person, **body: Any) -> int:
    """The id of an analysis that was accepted."""
    answer = await person.post("/analyses", body)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["data"]["analysis_id"])


async def shown(person: Person, id: int) -> dict[str, Any]:
    answer = await person.get(f"/analyses/{id}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_an_upload_is_analyzed_from_end_to_end(api: Api) -> None:
    mona = await api.person("mona")
    upload = await uploaded(mona, {"app.py": BAD, "logo.png": b"\x89PNG\r\n\x1a\n\0\0", "package-lock.json": "{}"})
    answer = await mona.post("/analyses", {"upload_id": upload, "title": "First", "tags": ["demo"]})
    assert answer.status_code == 202, answer.text
    queued = answer.json()["data"]
    assert queued["status"] == "queued"
    assert queued["estimated_time"] == 20.0
    id = queued["analysis_id"]
    before = await shown(mona, id)
    assert (before["status"], before["progress"], before["results"]) == ("queued", 0, None)
    assert await api.work() == {}
    found = await shown(mona, id)
    assert (found["status"], found["progress"], found["error"], found["title"], found["tags"]) == (
        "completed", 100, None, "First", ["demo"],
    )  # fmt: skip
    issues = {issue["id"]: issue for issue in found["results"]["issues"]}
    assert issues["security-001"]["type"] == "security"
    assert issues["security-001"]["file"] == "app.py"
    assert issues["security-001"]["line"] == 5
    assert 0 < found["results"]["overall_score"] < 100
    assert found["results"]["metrics"]["lines_of_code"] == 4
    skipped = {one["file"]: one["because"] for one in found["results"]["coverage"]["skipped"]}
    assert skipped == {"logo.png": "binary", "package-lock.json": "lock file"}
    assert found["results"]["coverage"]["read"] == ["app.py"]
