"""Postgres and Redis of one's own, killed with -9 and started again: deliveries are kept or refused, and reviews stand once."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.embedded.postgres import EmbeddedPostgres
from storage.embedded.redis import EmbeddedRedis
from storage.migrations import migrate
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import KEYS, LEAK, WRONG_SUM, says_wrong_sum
from tests.walks.house import environment
from tests.walks.processes import Processes, processes, until

pytestmark = pytest.mark.fault


@dataclass(frozen=True, slots=True)
class Services:
    """Two servers that keep what they are given, until they are killed; `start` brings one back with its data."""

    postgres: EmbeddedPostgres
    redis: EmbeddedRedis

    @contextmanager
    def away(self, server: EmbeddedPostgres | EmbeddedRedis) -> Iterator[None]:
        """Killed with -9 while the block lasts, then started again."""
        process = server._process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        try:
            yield
        finally:
            server.start()


@pytest.fixture
def services() -> Iterator[Services]:
    with tempfile.TemporaryDirectory(prefix="riq-") as name, Path(name, "lock").open("w") as lock:
        folder, sockets, held = Path(name), Path(name, "run"), lock.fileno()  # short: the path of a socket is bounded
        made = Services(EmbeddedPostgres(folder / "pg", sockets, held), EmbeddedRedis(folder / "redis", sockets, held))
        try:
            yield made
        finally:
            made.redis.stop()
            made.postgres.stop()


@pytest.fixture
def running(github: SandboxGitHub, models: SandboxModels, services: Services, tmp_path: Path) -> Iterator[Processes]:
    database_url, redis_url = services.postgres.start(), services.redis.start()
    migrate(database_url)
    given = environment(github, models, database_url, redis_url, tmp_path / "data", **KEYS)
    with processes(github, models, given, tmp_path / "logs") as held:
        yield held


@pytest.fixture
def pull(running: Processes, repository: Repository) -> PullRequest:
    running.models.answer(findings=[says_wrong_sum()])
    return running.github.open_pull_request(repository, LEAK | WRONG_SUM)


def test_with_redis_away_deliveries_are_kept_and_queued_when_it_is_back(
    running: Processes, services: Services, pull: PullRequest
) -> None:
    web, worker = running.web(), running.worker()
    until(running.ready, 10, web)
    with services.away(services.redis):
        delivery = running.deliver(pull)
        assert not running.ready()
        assert running.state(delivery) == "received"
    assert running.settled(delivery, 60) == "done"
    _one_review_stands(running, pull)
    assert worker.process.poll() is None
    until(running.ready, 10, web)


def test_redis_killed_in_mid_review_costs_nothing(running: Processes, services: Services, pull: PullRequest) -> None:
    running.web()
    running.models.fault("slow", seconds=6)
    worker = running.worker()
    delivery = running.deliver(pull)
    until(lambda: running.models.requests, 30, worker)
    with services.away(services.redis):
        assert running.settled(delivery, 60) == "done"
    _one_review_stands(running, pull)
    another = running.deliver(pull, "reopened")
    assert running.settled(another, 60) == "done"
    _one_review_stands(running, pull)
    assert worker.process.poll() is None


def test_a_redis_that_lost_everything_is_filled_again(running: Processes, services: Services, pull: PullRequest) -> None:
    running.web()
    delivery = running.deliver(pull)
    with services.away(services.redis):
        for path in (services.redis._folder).rglob("*"):
            if path.is_file() and path.suffix != ".log":
                path.unlink()
    running.worker()
    assert running.settled(delivery, 60) == "done"
    _one_review_stands(running, pull)


def test_with_postgres_away_deliveries_are_refused_so_that_github_shows_it(
    running: Processes, services: Services, pull: PullRequest
) -> None:
    web, worker = running.web(), running.worker()
    until(running.ready, 10, web)
    with services.away(services.postgres):
        running.deliver(pull, status=503)
        assert not running.ready()
    until(running.ready, 20, web)
    again = running.github.redeliver(running.github.world.deliveries[-1])
    assert again.status_code == 202
    assert running.settled(running.github.world.deliveries[-1].guid, 60) == "done"
    _one_review_stands(running, pull)
    assert worker.process.poll() is None


def test_postgres_away_for_a_while_in_mid_review_loses_nothing(
    running: Processes, services: Services, pull: PullRequest
) -> None:
    """Longer than rq would have tried by itself; the job dies of it more than once."""
    running.web()
    running.models.fault("slow", seconds=3)
    worker = running.worker()
    delivery = running.deliver(pull)
    until(lambda: running.models.requests, 30, worker)
    with services.away(services.postgres):
        until(lambda: _put_off(worker.log) >= 4, 90, worker)
    assert running.settled(delivery, 90) == "done"
    _one_review_stands(running, pull)
    assert worker.process.poll() is None


def _put_off(log: Path) -> int:
    return log.read_text().count('"job put off"')


def _one_review_stands(running: Processes, pull: PullRequest) -> None:
    assert len(running.standing(pull)) == 1
    assert len(running.github.comments(pull.repository, pull.number)) == 2
