"""Everything that a review needs, running: for the parts of the bench that measure the engine and the worker."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from storage.embedded import embedded_services
from tests.bench.changes import RealChange
from tests.processes import Process, answers, environment, free_port, process, takes_jobs
from tests.sandbox.app_key import make_app_key
from tests.sandbox.control import app_settings
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.sandbox.world import PullRequest

PATIENCE = 180.0
FINAL = ("done", "ignored", "superseded", "failed")
ADDED = re.compile(r"^\+(.{20,})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class House:
    """Web, worker, the sandbox's GitHub and model; `started` are the seconds after which the worker was ready."""

    github: SandboxGitHub
    models: SandboxModels
    database_url: str
    url: str
    web: Process
    worker: Process
    started: float

    def open(self, name: str, change: RealChange) -> PullRequest:
        """A pull request in a repository of its own, which no cache knows yet."""
        repository = self.github.create_repository(f"octo-bench/{name}", change.base or {"README.md": "Empty.\n"})
        return self.github.open_pull_request(repository, change.head, title="A real change")

    def review(self, pull: PullRequest) -> float:
        """Deliver the webhook and wait for the review; gives the seconds in between. Raises AssertionError without one."""
        began = time.monotonic()
        assert self.github.deliver_pull_request(self.url, pull).status_code == 202
        while not pull.reviews:
            self.worker.check()
            assert time.monotonic() < began + PATIENCE, f"no review within {PATIENCE:.0f} s: {self._state()}"
            time.sleep(0.005)
        took = time.monotonic() - began
        while (state := self._state())[0] not in FINAL:
            assert time.monotonic() < began + PATIENCE, f"no end within {PATIENCE:.0f} s: {state}"
            time.sleep(0.02)
        assert state[0] == "done", state
        return took

    def _state(self) -> tuple[str, str]:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT state, outcome FROM deliveries ORDER BY sequence DESC LIMIT 1").fetchone()
        return row or ("lost", "")


@contextmanager
def house(folder: Path, models: SandboxModels) -> Iterator[House]:
    """A durable Postgres, Redis, GitHub, web and worker, until the block ends."""
    with ExitStack() as stack:
        services = stack.enter_context(embedded_services(folder / "services"))
        key = make_app_key()
        github = SandboxGitHub(folder / "github", key.private, key.public)
        stack.callback(github.stop)
        github.start()
        github.install("octo-bench")
        port = free_port()
        variables = environment(services, folder, app_settings(github) | _asks(models) | {"PORT": str(port)})
        stack.enter_context(process("migrate", variables, folder)).wait()
        web = stack.enter_context(process("web", variables, folder))
        web.wait_for(answers(f"http://127.0.0.1:{port}/api/v1/health/ready"))
        worker = stack.enter_context(process("worker", variables, folder))
        started = worker.wait_for(takes_jobs(services.redis_url))
        yield House(github, models, services.database_url, f"http://127.0.0.1:{port}/webhooks/github", web, worker, started)


@contextmanager
def model(delay_seconds: float = 0.0) -> Iterator[SandboxModels]:
    """A model server whose every answer takes that long and holds a few findings on lines that were asked about."""
    models = SandboxModels().start()
    models.delay_seconds = delay_seconds
    models.answer(a_few_findings)
    try:
        yield models
    finally:
        models.stop()


def a_few_findings(prompt: str) -> Mapping[str, Any]:
    """One finding for each file of the prompt, at most ten: on its longest added line."""
    findings = []
    for part in prompt.split("\n=== ")[1:11]:
        lines = ADDED.findall(part)
        if lines:
            findings.append(_finding(part.split("\n", 1)[0].split(" ")[0], max(lines, key=len)))
    return {"findings": findings}


def _finding(path: str, quote: str) -> Mapping[str, Any]:
    return {
        "path": path, "line": 1, "quote": quote, "severity": "medium", "category": "correctness", "rule": "made-for-the-bench",
        "message": "This line is the longest that the change adds here.", "confidence": 0.9, "fix": None,
    }  # fmt: skip


def _asks(models: SandboxModels) -> dict[str, str]:
    return {
        "MODEL_PROVIDERS": "openai",
        "OPENAI_API_KEY": "no key of anybody",
        "OPENAI_BASE_URL": models.openai_base_url,
        "ANTHROPIC_API_KEY": "",
    }
