"""RefactorIQ as it runs: `python -m bot web` and `worker`, real processes that can be killed; their logs are read."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.processes import Process, answers, free_port
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.sandbox.world import PullRequest, Review
from tests.walks.house import FINAL


class Running(Process):
    """A process that can be killed in any way, and whose whole log can be read again."""

    def lines(self) -> list[dict[str, Any]]:
        """Its log so far: whatever is not JSON stands under `text`."""
        return [_line(line) for line in self.log.read_text().splitlines()]

    def children(self) -> list[int]:
        """The processes that it forked and that live."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the signal to this process alone. SIGKILL waits for the end."""
        self.process.send_signal(number)
        if number is signal.SIGKILL:
            self.process.wait(10)


@dataclass(slots=True)
class Processes:
    """The processes of one RefactorIQ on a sandbox; `environment` holds their settings."""

    github: SandboxGitHub
    models: SandboxModels
    environment: dict[str, str]
    folder: Path
    url: str = ""
    started: list[Running] = field(default_factory=list)

    def start(self, name: str, **more: str) -> Running:
        """`python -m bot NAME`, with these settings besides."""
        command = [sys.executable, "-m", "bot", *name.split()]
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
        given = inherited | {"NO_PROXY": "127.0.0.1", **self.environment, **more}
        self.started.append(Running(f"{name}-{len(self.started)}", command, given, self.folder))
        return self.started[-1]

    def web(self, **more: str) -> Running:
        """A web process that is ready for traffic."""
        running = self.start("web", **more)
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"
        until(answers(f"{self.url}/api/v1/health"), 30, running)
        return running

    def worker(self, **more: str) -> Running:
        """A worker on its way up: jobs may be put before it is there."""
        return self.start("worker", **more)

    def ready(self) -> bool:
        """Whether the web process says that it is ready."""
        return answers(f"{self.url}/api/v1/health/ready")()

    def deliver(self, pull: PullRequest, action: str = "opened", *, status: int = 202) -> str:
        """The `pull_request` event of that action; gives its id."""
        answer = self.github.deliver_pull_request(f"{self.url}/webhooks/github", pull, action)
        assert answer.status_code == status, answer.text
        return self.github.world.deliveries[-1].guid

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def state(self, delivery_id: str) -> str:
        """The state of that delivery; an empty string where nobody knows it."""
        return next((row[0] for row in self.rows("SELECT state FROM deliveries WHERE id = %s", delivery_id)), "")

    def settled(self, delivery_id: str, seconds: float = 60.0) -> str:
        """Wait for its final state; gives that."""
        until(lambda: self.state(delivery_id) in FINAL, seconds, *self.started)
        return self.state(delivery_id)

    def standing(self, pull: PullRequest) -> list[Review]:
        """The reviews that anybody can see on that pull request."""
        return [review for review in self.github.reviews(pull.repository, pull.number) if review.state != "PENDING"]

    def log(self) -> list[dict[str, Any]]:
        """All lines of all processes."""
        return [line for running in self.started for line in running.lines()]

    def stop(self) -> None:
        """Kill what still runs."""
        for running in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.process.wait(10)


@contextlib.contextmanager
def processes(github: SandboxGitHub, models: SandboxModels, environment: dict[str, str], folder: Path) -> Iterator[Processes]:
    """A RefactorIQ of which nothing runs yet, and of which nothing is left afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    held = Processes(github, models, environment | {"PORT": str(free_port())}, folder)
    try:
        yield held
    finally:
        held.stop()


def until(true: Callable[[], object], seconds: float, *running: Running) -> None:
    """Wait until this is true; else fail with what the processes said last."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            said = "\n".join(f"--- {one.name}\n{one.log.read_text()[-3000:]}" for one in running)
            raise AssertionError(f"not within {seconds:g} s\n{said}")
        time.sleep(0.05)


def _line(line: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        read = json.loads(line)
        if isinstance(read, dict):
            return read
    return {"text": line}
