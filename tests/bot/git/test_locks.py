"""Locks between tasks and between processes, given back however their holder ends."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.git.locks import lock, locked, try_lock
from review.errors import TryAgain

pytestmark = pytest.mark.integration

HOLDER = """
import asyncio, sys
from pathlib import Path
from bot.git.locks import try_lock
hold = try_lock(Path(sys.argv[1]), shared=len(sys.argv) > 2)
print("held" if hold else "refused", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(path: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock (shared where a word follows) until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_one_writer_at_a_time_and_readers_together(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    one, two = try_lock(path, shared=True), try_lock(path, shared=True)
    assert one is not None
    assert two is not None
    assert try_lock(path) is None
    one.release()
    assert try_lock(path) is None
    two.release()
    alone = try_lock(path)
    assert alone is not None
    assert try_lock(path, shared=True) is None
    alone.release()
    alone.release()


def test_a_lock_that_nobody_knows_of_any_more_is_given_back(tmp_path: Path) -> None:
    hold = try_lock(tmp_path / "a.lock")
    assert try_lock(tmp_path / "a.lock") is None
    del hold
    assert try_lock(tmp_path / "a.lock") is not None


def test_another_process_keeps_the_lock_until_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with another_process(path) as process:
        assert try_lock(path, shared=True) is None
        process.send_signal(signal.SIGKILL)
        process.wait(5)
        assert try_lock(path) is not None


def test_readers_in_two_processes_keep_a_remover_out(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with another_process(path, "shared"):
        mine = try_lock(path, shared=True)
        assert mine is not None
        mine.release()
        assert try_lock(path) is None


async def test_a_lock_is_waited_for_without_blocking_others(tmp_path: Path) -> None:
    order = []

    async def use(name: str) -> None:
        async with locked(tmp_path / "a.lock"):
            order.append(f"{name} in")
            await asyncio.sleep(0.02)
            order.append(f"{name} out")

    await asyncio.gather(use("a"), use("b"), use("c"))
    assert [step.split()[1] for step in order] == ["in", "out"] * 3


async def test_waiting_ends_with_a_sentence(tmp_path: Path) -> None:
    hold = try_lock(tmp_path / "42.write")
    assert hold is not None
    with pytest.raises(TryAgain, match=r"working on 42 for 0\.05 seconds"):
        await lock(tmp_path / "42.write", seconds=0.05)
    hold.release()


async def test_a_failure_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with locked(tmp_path / "a.lock"):
            raise ZeroDivisionError
    assert try_lock(tmp_path / "a.lock") is not None
