"""`refactoriq serve`: one command brings Postgres, Redis, web and worker; a review happens; SIGTERM leaves nothing."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process_tree import alive
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.walks.conftest import BASE, LEAK
from tests.walks.house import environment
from tests.walks.processes import Processes, Running, processes, until

pytestmark = pytest.mark.fault


@pytest.fixture
def serving(github: SandboxGitHub, models: SandboxModels, tmp_path: Path) -> Iterator[tuple[Processes, Running]]:
    """`refactoriq serve` without any service: its data in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="riq-") as data:
        given = environment(github, models, "", "", Path(data), LOG_LEVEL="info")
        with processes(github, models, given, tmp_path / "logs") as held:
            held.url = f"http://127.0.0.1:{held.environment['PORT']}"
            serve = held.start("serve")
            until(held.ready, 60, serve)
            yield held, serve


def family(pid: int) -> dict[int, str]:
    """All that descends from that process, by its command line."""
    found: dict[int, str] = {}
    for child in _children(pid):
        found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        found |= family(child)
    return found


def _children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


def one(kind: str, serve: Running) -> int:
    """The process of serve's whose command line ends like this."""
    [pid] = [pid for pid, line in family(serve.process.pid).items() if line.endswith(kind) and pid in serve.children()]
    return pid


def test_it_reviews_brings_back_what_dies_and_leaves_nothing(serving: tuple[Processes, Running], github: SandboxGitHub) -> None:
    held, serve = serving
    repository = github.create_repository("octo/served", BASE)
    github.install("octo")
    first, second = (github.open_pull_request(repository, LEAK) for _ in range(2))
    held.deliver(first)
    until(lambda: held.standing(first), 60, serve)
    for kind in ("bot web", "bot worker"):
        until(lambda kind=kind: one_or_none(kind, serve), 20, serve)  # type: ignore[misc]
        died = one(kind, serve)
        os.kill(died, signal.SIGKILL)
        until(lambda kind=kind, died=died: one_or_none(kind, serve) not in (None, died), 20, serve)  # type: ignore[misc]
    until(held.ready, 30, serve)
    held.deliver(second)
    until(lambda: held.standing(second), 60, serve)
    everybody = family(serve.process.pid)
    assert any("postgres" in line for line in everybody.values())
    assert any("redis-server" in line for line in everybody.values())
    serve.kill(signal.SIGTERM)
    assert serve.process.wait(40) == 0
    assert [line for pid, line in everybody.items() if alive(pid)] == []


def test_killed_outright_it_takes_everything_with_it(serving: tuple[Processes, Running]) -> None:
    _, serve = serving
    until(lambda: one_or_none("bot worker", serve), 20, serve)
    everybody = family(serve.process.pid)
    serve.kill()
    until(lambda: not [pid for pid in everybody if alive(pid)], 30, serve)


def one_or_none(kind: str, serve: Running) -> int | None:
    """As `one`, None where there is none just now."""
    try:
        return one(kind, serve)
    except (ValueError, OSError):
        return None
