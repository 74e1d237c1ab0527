"""Builders for analyses through the API: uploads of a few files, and a repository of the sandbox's GitHub with members."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from review.pull_request import Repository
from storage.installations import Installations, Tenant
from tests.builders_api import Api, Person
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import Repository as SandboxRepository

BAD = "import subprocess\n\n\ndef run(command, seen=[]):\n    subprocess.call(command, shell=True)\n    return seen\n"
"""One finding of security (line 5), and one of correctness (line 4)."""


async def uploaded(person: Person, files: Mapping[str, str | bytes], **query: Any) -> int:
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
    """The analysis as they see it."""
    answer = await person.get(f"/analyses/{id}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def types(analysis: Mapping[str, Any]) -> set[str]:
    """The categories of its issues."""
    return {issue["type"] for issue in analysis["results"]["issues"]}


async def on_record(api: Api, github: SandboxGitHub, repository: SandboxRepository) -> Tenant:
    """The app is installed on the repository's owner, and we know of it."""
    installation = github.world.installation_of(repository) or github.install(repository.owner.login)
    known = Repository(repository.id, repository.full_name, repository.private, repository.default_branch)
    owner = repository.owner
    return await Installations(api.database).tenant_of(owner.id, owner.login, "Organization", installation.id, known)
