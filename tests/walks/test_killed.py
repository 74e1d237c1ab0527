"""Processes killed with -9 wherever it hurts: within a minute the work is taken up again, and one review stands."""

import os
import signal
import time
from collections.abc import Callable

import psycopg
import pytest
import redis

from storage.queue import QUEUES
from tests.process_tree import alive
from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import LEAK, WRONG_SUM, says_wrong_sum
from tests.walks.house import FINAL
from tests.walks.processes import Processes, until

pytestmark = pytest.mark.fault

WITHIN = 60.0
"""Seconds after a death until the review must stand."""


@pytest.fixture
def pull(running: Processes, repository: Repository) -> PullRequest:
    running.models.answer(findings=[says_wrong_sum()])
    return running.github.open_pull_request(repository, LEAK | WRONG_SUM)


def during_the_fetch(running: Processes) -> Callable[[], object]:
    fault = running.github.fault("*", r"/shop\.git/", "hang")
    return lambda: fault.met


def during_the_model_call(running: Processes) -> Callable[[], object]:
    running.models.fault("hang")
    return lambda: running.models.requests


def just_before_the_post(running: Processes) -> Callable[[], object]:
    """The review is kept, the last look at the pull request hangs."""
    fault = running.github.fault("GET", "/pulls/1$", "hang", skip=1)
    return lambda: fault.met


def during_the_post(running: Processes) -> Callable[[], object]:
    """GitHub has it and works on it for seconds; nobody is there any more to hear the answer."""
    fault = running.github.fault("POST", "/pulls/1/reviews$", "slow", seconds=4)
    return lambda: fault.met


def before_the_post_is_done(running: Processes) -> Callable[[], object]:
    """The request hangs and is never done."""
    fault = running.github.fault("POST", "/pulls/1/reviews$", "hang")
    return lambda: fault.met


STAGES = [during_the_fetch, during_the_model_call, just_before_the_post, during_the_post, before_the_post_is_done]


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_killed_in_mid_review_is_replaced_and_one_review_stands(
    running: Processes, pull: PullRequest, stage: Callable[[Processes], Callable[[], object]]
) -> None:
    running.web()
    met = stage(running)
    first = running.worker()
    delivery = running.deliver(pull)
    until(met, 30, first)
    [child] = first.children()
    first.kill()
    died = time.monotonic()
    until(lambda: not alive(child), 3, first)
    running.worker()
    assert running.settled(delivery, WITHIN) == "done"
    assert time.monotonic() - died < WITHIN
    _one_review_stands(running, pull)


def test_a_worker_killed_after_the_post_before_it_is_written_down_posts_no_second_one(
    running: Processes, pull: PullRequest
) -> None:
    """The row that would say that it is posted waits for a lock while the worker dies."""
    running.web()
    fault = running.github.fault("POST", "/pulls/1/reviews$", "slow", seconds=2)
    worker = running.worker()
    delivery = running.deliver(pull)
    until(lambda: fault.met, 30, worker)
    with psycopg.connect(running.environment["DATABASE_URL"]) as connection:
        connection.execute("SELECT FROM reviews FOR UPDATE")
        until(lambda: running.standing(pull), 10, worker)
        worker.kill()
        connection.rollback()
    assert running.rows("SELECT state FROM reviews") == [("posting",)]
    running.worker()
    assert running.settled(delivery, WITHIN) == "done"
    _one_review_stands(running, pull)


def test_a_worker_frozen_before_its_post_does_not_post_when_it_thaws(running: Processes, pull: PullRequest) -> None:
    """As in a machine that is paused: the other worker has posted meanwhile."""
    running.web()
    fault = running.github.fault("GET", "/pulls/1$", "slow", seconds=2, skip=1)
    frozen = running.worker()
    delivery = running.deliver(pull)
    until(lambda: fault.met, 30, frozen)
    both = [frozen.process.pid, *frozen.children()]
    for pid in both:
        os.kill(pid, signal.SIGSTOP)
    running.worker()
    assert running.settled(delivery, WITHIN) == "done"
    for pid in both:
        os.kill(pid, signal.SIGCONT)
    until(lambda: not frozen.children(), 20, frozen)
    assert running.state(delivery) == "done"
    _one_review_stands(running, pull)


def test_a_child_killed_alone_is_replaced_by_its_own_worker(running: Processes, pull: PullRequest) -> None:
    running.web()
    running.models.fault("hang")
    worker = running.worker()
    delivery = running.deliver(pull)
    until(lambda: running.models.requests, 30, worker)
    [child] = worker.children()
    os.kill(child, signal.SIGKILL)
    assert running.settled(delivery, WITHIN) == "done"
    _one_review_stands(running, pull)


def test_a_job_whose_process_dies_each_time_becomes_a_dead_letter(running: Processes, pull: PullRequest) -> None:
    running.web()
    fault = running.github.fault("GET", "/pulls/1$", "hang", times=50)
    worker = running.worker()
    delivery = running.deliver(pull)
    killed: set[int] = set()

    def given_up() -> bool:
        for child in worker.children():
            if child not in killed and fault.met > len(killed):
                killed.add(child)
                os.kill(child, signal.SIGKILL)
        return running.state(delivery) in FINAL

    until(given_up, 120, worker)
    [(state, outcome)] = running.rows("SELECT state, outcome FROM deliveries WHERE id = %s", delivery)
    assert (state, len(killed)) == ("failed", 4)
    assert outcome.startswith("The process that worked on it died each time.")
    assert running.standing(pull) == []


def test_two_workers_share_the_work_and_nothing_is_done_twice(running: Processes, repository: Repository) -> None:
    running.web()
    pulls = [running.github.open_pull_request(repository, LEAK) for _ in range(6)]
    workers = [running.worker(), running.worker()]
    ids = [running.deliver(pull, action) for pull in pulls for action in ("opened", "reopened")]
    assert {running.settled(id) for id in ids} == {"done"}
    assert [len(running.standing(pull)) for pull in pulls] == [1] * 6
    assert all(any(line["event"] == "job done" for line in worker.lines()) for worker in workers)


def test_a_busy_worker_that_is_told_to_stop_finishes_its_job_first(running: Processes, pull: PullRequest) -> None:
    running.web()
    running.models.fault("slow", seconds=4)
    worker = running.worker()
    delivery = running.deliver(pull)
    until(lambda: running.models.requests, 30, worker)
    worker.kill(signal.SIGTERM)
    assert worker.process.wait(30) == 0
    assert running.state(delivery) == "done"
    _one_review_stands(running, pull)


def test_a_web_process_killed_between_remembering_and_queueing_loses_nothing(running: Processes, pull: PullRequest) -> None:
    """As it lies there after such a death: a row in Postgres, and Redis knows of no job."""
    web = running.web()
    delivery = running.deliver(pull)
    web.kill()
    with redis.Redis.from_url(running.environment["REDIS_URL"]) as client:
        assert client.delete(*(f"rq:queue:{name}" for name in QUEUES), f"rq:job:{delivery}") == 2
    running.worker()
    assert running.settled(delivery, WITHIN) == "done"
    _one_review_stands(running, pull)


def _one_review_stands(running: Processes, pull: PullRequest) -> None:
    assert len(running.standing(pull)) == 1
    assert len(running.github.comments(pull.repository, pull.number)) == 2
    assert running.github.reviews(pull.repository, pull.number) == running.standing(pull)
