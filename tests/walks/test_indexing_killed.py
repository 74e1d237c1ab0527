"""A worker killed with -9 while it indexes: the next one goes on where it stopped, and nobody ever sees half of it."""

import os
import signal

import pytest

from tests.process_tree import alive
from tests.sandbox.world import Repository
from tests.walks.processes import Processes, until

pytestmark = pytest.mark.fault

MANY = 1_000


def source(number: int, version: int) -> str:
    functions = (f"def work_{number}_{n}(value):\n    return value + {version + n}\n\n\n" for n in range(4))
    return f'"""Part {number}."""\n\n\n' + "".join(functions)


@pytest.fixture
def large(running: Processes) -> Repository:
    files = {f"part{n % 30}/file{n}.py": source(n, 1) for n in range(MANY)}
    made = running.github.create_repository("octo/large", files)
    running.github.install("octo")
    return made


def kept(running: Processes) -> int:
    return int(running.rows("SELECT count(*) FROM code_blobs")[0][0])


def seen(running: Processes) -> tuple[int, str]:
    """What a reader sees in one look: how many files, and as of which commit."""
    rows = running.rows("SELECT (SELECT count(*) FROM code_files), coalesce((SELECT commit_sha FROM code_indexes), '')")
    return int(rows[0][0]), str(rows[0][1])


def push(running: Processes, repository: Repository) -> str:
    """Tell the web process of a push to main; gives the delivery's id."""
    payload = running.github.push_payload(repository, "0" * 40)
    answer = running.github.deliver(f"{running.url}/webhooks/github", "push", payload)
    assert answer.status_code == 202, answer.text
    return running.github.world.deliveries[-1].guid


def kill_between(running: Processes, least: int, most: int) -> None:
    """Start a worker, and kill it and its child once so many blobs are kept."""
    worker = running.worker()
    until(lambda: least < kept(running), 60, worker)
    children = worker.children()
    worker.kill(signal.SIGKILL)
    until(lambda: not any(alive(child) for child in children), 3, worker)
    assert kept(running) < most, "it was done already: the repository must be larger"


def test_a_worker_killed_while_it_indexes_is_replaced_and_a_reader_sees_all_or_nothing(
    running: Processes, large: Repository
) -> None:
    running.web()
    delivery = push(running, large)
    kill_between(running, 100, MANY)
    kept_before = kept(running)
    assert seen(running) == (0, "")
    worker = running.worker()
    looks: set[tuple[int, str]] = set()
    until(lambda: looks.add(seen(running)) or running.state(delivery) == "done", 60, worker)
    first = str(large.branch("main"))
    assert looks <= {(0, ""), (MANY, first)}
    assert seen(running) == (MANY, first)
    [(outcome,)] = running.rows("SELECT outcome FROM deliveries WHERE id = %s", delivery)
    assert f"; {MANY - kept_before:,} parsed" in outcome, "what was kept is not parsed anew"

    # Now with an old index: it serves until the new one is whole.
    for running_worker in running.started[1:]:
        if running_worker.process.poll() is None:
            os.kill(running_worker.process.pid, signal.SIGKILL)
            running_worker.process.wait(10)
    changes = {f"part{n % 30}/file{n}.py": source(n, 2) for n in range(MANY)} | {"more.py": "x = 1\n"}
    running.github.push_base(large, changes)
    second, delivery = str(large.branch("main")), push(running, large)
    kill_between(running, MANY + 100, 2 * MANY)
    assert seen(running) == (MANY, first)
    worker = running.worker()
    looks.clear()
    until(lambda: looks.add(seen(running)) or running.state(delivery) == "done", 60, worker)
    assert looks <= {(MANY, first), (MANY + 1, second)}
    assert seen(running) == (MANY + 1, second)
    assert kept(running) == MANY + 1
