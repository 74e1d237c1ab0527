"""A worker killed with -9 while it analyzes, prepares and applies, and a Redis that loses all: no work is lost or doubled."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

import httpx
import psycopg
import pytest
import redis

from tests.builders import git
from tests.builders_proposals import BAD, MAY_COMMIT, MENDED
from tests.process_tree import alive
from tests.sandbox.world import PullRequest
from tests.walks.api_client import Somebody, somebody
from tests.walks.conftest import NO_LIMITS
from tests.walks.processes import Processes, Running, until

pytestmark = pytest.mark.fault

WITHIN = 60.0
"""Seconds after a death until the work must be done."""


def killed(worker: Running, when: Callable[[], object]) -> None:
    """The worker dies once this is true, and its child with it."""
    until(when, 30, worker)
    children = worker.children()
    worker.kill()
    until(lambda: not any(alive(child) for child in children), 3, worker)


@contextmanager
def held_up(running: Processes, lock: LiteralString) -> Iterator[Callable[[], object]]:
    """A lock, until the block ends; gives whether somebody waits for it."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(running.environment["DATABASE_URL"]) as connection:
        connection.execute(lock)
        yield lambda: running.rows(waiting)
        connection.rollback()


FINDINGS: LiteralString = "LOCK TABLE findings IN SHARE ROW EXCLUSIVE MODE"
PROPOSAL: LiteralString = "SELECT FROM proposals FOR UPDATE"


def test_a_worker_killed_while_it_writes_down_what_it_found_is_replaced_and_each_finding_stands_once(alone: Processes) -> None:
    alone.web()
    mona = somebody(alone)
    analysis = mona.ask(upload_id=mona.upload())
    with held_up(alone, FINDINGS) as waits:
        killed(alone.worker(), waits)
    alone.worker()
    found = mona.analyzed(analysis, WITHIN)
    issues = [issue["id"] for issue in found["results"]["issues"]]
    assert issues and len(issues) == len(set(issues))
    assert alone.rows("SELECT count(*) FROM findings WHERE issue <> ''") == [(len(issues),)]
    assert alone.rows("SELECT count(*) FROM audit_logs WHERE action = 'analysis.complete'") == [(1,)]


def test_whoever_follows_an_analysis_sees_it_end_though_its_worker_died(alone: Processes) -> None:
    alone.web()
    mona = somebody(alone)
    analysis = mona.ask(upload_id=mona.upload())
    with held_up(alone, FINDINGS) as waits:
        killed(alone.worker(), waits)
    alone.worker()
    assert mona.follow(analysis)[-1]["type"] == "complete"


def test_a_worker_killed_while_it_prepares_a_proposal_is_replaced(alone: Processes) -> None:
    alone.web()
    first = alone.worker()
    mona = somebody(alone)
    analysis = mona.ask(upload_id=mona.upload())
    mona.analyzed(analysis)
    first.kill()
    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(mona.propose, analysis)
        until(lambda: alone.rows("SELECT 1 FROM proposals"), 10, *alone.started)
        with held_up(alone, PROPOSAL) as waits:
            killed(alone.worker(), waits)
        alone.worker()
        made = mona.reached(asking.result(60), "proposed", WITHIN)
    assert made["files"] == ["shop/app.py"]
    assert mona.call("GET", f"/proposals/{made['proposal_id']}/patch").content.startswith(b"diff --git")


def before_the_commit_is_made(running: Processes) -> Callable[[], object]:
    """The request hangs and is never done."""
    fault = running.github.fault("POST", "graphql", "hang")
    return lambda: fault.met


def while_the_commit_is_made(running: Processes) -> Callable[[], object]:
    """GitHub has it and works on it for seconds; nobody is there any more to hear the answer."""
    fault = running.github.fault("POST", "graphql", "slow", seconds=4)
    return lambda: fault.met


@dataclass(frozen=True, slots=True)
class Approved:
    """A pull request with an approved proposal, and whose it is."""

    mona: Somebody
    pull: PullRequest
    head: str
    proposal: int

    def commits(self) -> int:
        """How many came onto the branch since it was analyzed."""
        return int(git(self.pull.repository.path, "rev-list", "--count", f"{self.head}..{self.pull.head_ref}"))

    def apply(self) -> None:
        """Ask for it; the answer comes when it is done, or when the patience ends."""
        path = f"{self.mona.url}/api/v1/proposals/{self.proposal}/apply"
        httpx.put(path, json={"confirm": True}, headers=self.mona.authorization, timeout=60, trust_env=False)

    def is_applied_once(self) -> bool:
        mended = git(self.pull.repository.path, "cat-file", "blob", f"{self.pull.head_ref}:app.py")
        return mended == MENDED and self.commits() == 1


@pytest.fixture
def approved(running: Processes) -> Approved:
    """Prepared by a worker that has stopped since."""
    running.environment |= NO_LIMITS
    repository = running.github.create_repository("octo/app", {"README.md": "Hello\n"})
    running.github.install("octo", permissions=MAY_COMMIT)
    pull = running.github.open_pull_request(repository, {"app.py": BAD})
    running.web()
    worker = running.worker()
    assert running.settled(running.deliver(pull)) == "done"
    mona = somebody(running)
    _is_maintainer(running, mona)
    analysis = mona.ask(repository="octo/app", pull_request=pull.number)
    mona.analyzed(analysis)
    proposal = mona.propose(analysis)
    mona.reached(proposal, "proposed")
    mona.call("PUT", f"/proposals/{proposal}", json={"state": "approved"})
    worker.kill()
    return Approved(mona, pull, pull.head_sha, proposal)


@pytest.mark.parametrize("stage", [before_the_commit_is_made, while_the_commit_is_made])
def test_a_worker_killed_while_it_applies_is_replaced_and_one_commit_stands(
    running: Processes, approved: Approved, stage: Callable[[Processes], Callable[[], object]]
) -> None:
    met = stage(running)
    with ThreadPoolExecutor(1) as beside:
        beside.submit(approved.apply)
        killed(running.worker(), met)
        running.worker()
        approved.mona.reached(approved.proposal, "applied", WITHIN)
    assert approved.is_applied_once()


def test_a_worker_killed_after_the_commit_before_it_is_written_down_makes_no_second_one(
    running: Processes, approved: Approved
) -> None:
    with ThreadPoolExecutor(1) as beside:
        beside.submit(approved.apply)
        until(lambda: running.rows("SELECT 1 FROM proposals WHERE state = 'applying'"), 10, *running.started)
        with held_up(running, PROPOSAL) as waits:
            killed(running.worker(), waits)
        assert approved.commits() == 1
        running.worker()
        approved.mona.reached(approved.proposal, "applied", WITHIN)
    assert approved.is_applied_once()


def test_a_redis_that_lost_everything_costs_a_new_login_and_no_work(alone: Processes) -> None:
    """The jobs come back by the sweep, the sessions do not: nothing worse."""
    alone.web()
    mona = somebody(alone)
    waiting = [mona.ask(upload_id=mona.upload()) for _ in range(2)]
    with redis.Redis.from_url(alone.environment["REDIS_URL"]) as client:
        client.flushdb()
    mona.call("GET", "/auth/me", status=401)
    mona.sign_in()
    assert [mona.analysis(id)["status"] for id in waiting] == ["queued", "queued"]
    alone.worker()
    for id in waiting:
        mona.analyzed(id)


def _is_maintainer(running: Processes, mona: Somebody) -> None:
    """As GitHub would say it, just now."""
    with psycopg.connect(running.environment["DATABASE_URL"], autocommit=True) as connection:
        user = connection.execute("UPDATE users SET seen_on_github_at = now() WHERE email = %s RETURNING id", (mona.email,))
        [(id,)] = user.fetchall()
        connection.execute(
            "INSERT INTO members (organization_id, user_id, role, github_role)"
            " SELECT organization_id, %s, 'maintainer', 'owner' FROM repositories",
            (id,),
        )
