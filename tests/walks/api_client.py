"""Somebody who uses the API of real processes over real sockets: registers, uploads, analyzes, follows, proposes, applies."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.builders_api import PASSWORD
from tests.builders_proposals import BAD
from tests.builders_uploads import a_zip
from tests.walks.processes import Processes, until

CODE = {"shop/app.py": BAD, "README.md": b"# Shop\n"}
"""What the analyzers find something in that they know how to mend."""


@dataclass(slots=True)
class Somebody:
    """A person with an account. `url` is the web process that they talk to; `tokens` are those of their session."""

    running: Processes
    url: str
    email: str
    tokens: dict[str, Any]

    def call(self, method: str, path: str, *, status: int = 200, **request: Any) -> httpx.Response:
        """A request below /api/v1 that is answered with that status."""
        headers = self.authorization | request.pop("headers", {})
        answer = httpx.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=60, trust_env=False, **request)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def data(self, method: str, path: str, *, status: int = 200, **request: Any) -> Any:
        """The same; gives the answer's data."""
        return self.call(method, path, status=status, **request).json()["data"]

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def sign_in(self) -> None:
        """A new session."""
        self.tokens = _post(self.url, "login", {"email": self.email, "password": PASSWORD}, 200)

    def upload(self, files: Mapping[str, bytes] = CODE) -> int:
        """Those files as a zip; gives the upload's id."""
        form = {"file": ("code.zip", a_zip(files), "application/zip")}
        return int(self.data("POST", "/uploads", status=201, files=form)["upload_id"])

    def ask(self, **body: Any) -> int:
        """An analysis of that; gives its id."""
        return int(self.data("POST", "/analyses", status=202, json=body)["analysis_id"])

    def analysis(self, id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.data("GET", f"/analyses/{id}")
        return found

    def analyzed(self, id: int, seconds: float = 60.0) -> dict[str, Any]:
        """That analysis once it is completed."""
        until(lambda: self.analysis(id)["status"] == "completed", seconds, *self.running.started)
        return self.analysis(id)

    def follow(self, id: int, url: str = "") -> list[dict[str, Any]]:
        """All that is told of that analysis over a WebSocket, to its end."""
        address = (url or self.url).replace("http:", "ws:")
        with connect(f"{address}/ws/analysis/{id}", additional_headers=self.authorization, proxy=None) as socket:
            events = [json.loads(socket.recv(60))]
            while events[-1]["type"] == "progress":
                events.append(json.loads(socket.recv(60)))
        return events

    def propose(self, analysis_id: int, **more: Any) -> int:
        """A proposal for all of its findings, prepared or yet to be; gives its id."""
        body = {"analysis_id": analysis_id, "issues_to_fix": "all", **more}
        answer = httpx.post(f"{self.url}/api/v1/proposals", json=body, headers=self.authorization, timeout=60, trust_env=False)
        assert answer.status_code in (201, 202), answer.text
        return int(answer.json()["data"]["proposal_id"])

    def proposal(self, id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.data("GET", f"/proposals/{id}")
        return found

    def reached(self, id: int, state: str, seconds: float = 60.0) -> dict[str, Any]:
        """That proposal once it has come to that state."""
        until(lambda: self.proposal(id)["state"] == state, seconds, *self.running.started)
        return self.proposal(id)


def somebody(running: Processes) -> Somebody:
    """A new account with a session, on the web process that was started last."""
    email = f"{secrets.token_hex(6)}@example.com"
    _post(running.url, "register", {"email": email, "password": PASSWORD, "full_name": "Some Body"}, 201)
    tokens = _post(running.url, "login", {"email": email, "password": PASSWORD}, 200)
    return Somebody(running, running.url, email, tokens)


def _post(url: str, what: str, body: dict[str, Any], status: int) -> dict[str, Any]:
    answer = httpx.post(f"{url}/api/v1/auth/{what}", json=body, timeout=30, trust_env=False)
    assert answer.status_code == status, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data
