"""The real processes: a delivery over a socket, a review by a worker, logs that name the delivery and hold no secret."""

import signal
from pathlib import Path

import pytest

from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import KEYS, LEAK, WRONG_SUM, says_wrong_sum
from tests.walks.house import SECRET_KEY
from tests.walks.processes import Processes, until

pytestmark = pytest.mark.walk


@pytest.fixture
def pull(running: Processes, repository: Repository) -> PullRequest:
    running.models.answer(findings=[says_wrong_sum()])
    return running.github.open_pull_request(repository, LEAK | WRONG_SUM)


def test_a_delivery_over_the_socket_ends_in_a_review_and_a_log_without_secrets(running: Processes, pull: PullRequest) -> None:
    running.models.delay_seconds = 1.0
    web, worker = running.web(), running.worker()
    seen: set[str] = set()

    def looked() -> bool:
        seen.update(_arguments_of_everybody())
        return running.state(delivery) == "done"

    delivery = running.deliver(pull)
    until(looked, 60, web, worker)
    assert len(running.standing(pull)) == 1
    assert len(running.github.comments(pull.repository, pull.number)) == 2
    secrets = _secrets(running)
    for place, text in {"logs": str(running.log()), "arguments": str(seen), "git": _git_configurations(running)}.items():
        assert not [secret for secret in secrets if secret in text], place
    lines = running.log()
    assert not [line for line in lines if "text" in line], "a line that is no JSON"
    assert {line.get("delivery") for line in web.lines() if line["event"] == "delivery"} == {delivery}
    jobs = [line for line in worker.lines() if line["event"] in ("step", "job done")]
    assert {line.get("delivery") for line in jobs} == {delivery}
    assert [line["event"] for line in jobs][-1] == "job done"
    worker.kill(signal.SIGTERM)
    web.kill(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert web.process.wait(10) in (0, -signal.SIGTERM)  # uvicorn closes all, then lets the signal have its way


def _secrets(running: Processes) -> list[str]:
    """Every credential that was in play, the installation's tokens as GitHub gave them out included."""
    tokens = list(running.github.world.tokens)
    assert tokens
    key = running.github.private_key.splitlines()[1]
    return [*tokens, *KEYS.values(), SECRET_KEY, key, running.github.webhook_secret]


def _arguments_of_everybody() -> set[str]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return {line for line in found if "pytest" not in line}


def _git_configurations(running: Processes) -> str:
    files = [
        path for path in Path(running.environment["DATA_DIR"]).rglob("*") if path.is_file() and path.stat().st_size < 100_000
    ]
    assert any(path.name == "config" for path in files)
    return "\n".join(path.read_bytes().decode(errors="replace") for path in files)
