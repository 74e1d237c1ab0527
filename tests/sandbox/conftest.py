"""A small client of the sandbox's own API, for the tests that prove the sandbox right."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest

from tests.sandbox.app_key import AppKey
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import Installation, PullRequest, Repository

MIDDLE = "\n\ndef first():\n    return 1\n\n\ndef second():\n    return 2\n\n\ndef third():\n    return 3\n\n\n"
BASE = {"app.py": f"import os\n{MIDDLE}end = 1\n", "gone.py": "a = 1\nb = 2\n"}
HEAD = {"app.py": f"import sys\n{MIDDLE}end = 2\n", "gone.py": None, "new.py": "one = 1\ntwo = 2\n"}
"""Two hunks in app.py (lines 1..4 and 13..16), one deleted file, one new file."""


def app_jwt(key: AppKey, issuer: str = "4711", *, issued: float = -60, expires: float = 540) -> str:
    moment = time.time()
    return jwt.encode(
        {"iat": int(moment + issued), "exp": int(moment + expires), "iss": issuer}, key.private, algorithm="RS256"
    )


@dataclass(slots=True)
class Octo:
    """A repository with the app on it, an open pull request, and a client with an installation token."""

    github: SandboxGitHub
    repository: Repository
    installation: Installation
    pull: PullRequest
    api: httpx.Client

    def review(
        self, *comments: dict[str, Any], body: str = "Hello", event: str | None = "COMMENT", **more: Any
    ) -> httpx.Response:
        given = {"commit_id": self.pull.head_sha, "body": body, "comments": list(comments), **more}
        return self.api.post("/repos/octo/app/pulls/1/reviews", json=given | ({"event": event} if event else {}))

    def get(self, path: str = "", **options: Any) -> httpx.Response:
        return self.api.get(f"/repos/octo/app{path}", **options)


def on(line: int, path: str = "app.py", body: str = "Look.", **more: Any) -> dict[str, Any]:
    return {"path": path, "line": line, "side": "RIGHT", "body": body} | more


@pytest.fixture
def octo(github: SandboxGitHub) -> Iterator[Octo]:
    repository = github.create_repository("octo/app", BASE)
    installation = github.install("octo")
    pull = github.open_pull_request(repository, HEAD)
    with httpx.Client(base_url=github.api_url, trust_env=False) as api:
        api.headers["authorization"] = f"Bearer {github.token(installation)}"
        yield Octo(github, repository, installation, pull, api)


@pytest.fixture
def bare(github: SandboxGitHub) -> Iterator[httpx.Client]:
    """A client without any credential."""
    with httpx.Client(base_url=github.api_url, trust_env=False) as api:
        yield api
