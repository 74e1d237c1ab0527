"""Fetches that are broken off: cancelled, killed with -9, or with the copy taken away under a reader."""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

import pytest

from bot.git.locks import try_lock
from review.change import End
from review.errors import TryAgain
from tests.bot.git.conftest import HOST, Fetching

pytestmark = pytest.mark.fault

FETCH = """
import asyncio, json, sys
from pathlib import Path
from bot.git.cache import Repositories
from bot.git.fetching import Fetcher, Wanted
from bot.git.safety import Remote
given = json.loads(sys.stdin.read())
fetcher = Fetcher(Repositories(Path(given["folder"])))
wanted = Wanted(1, given["head"], "main", given["base"])
fetched = asyncio.run(fetcher.fetch(given["host"], given["id"], Remote(given["url"], given["token"]), wanted))
print(fetched.checkout.commits)
"""


async def another_process(fetching: Fetching) -> asyncio.subprocess.Process:
    """A process that fetches pull request 1 into the same folder."""
    pull, remote = fetching.repository.pulls[1], fetching.remote()
    given = {
        "folder": str(fetching.folder), "head": pull.head_sha, "base": pull.base_sha, "host": HOST,
        "id": fetching.repository.id, "url": remote.url, "token": remote.token,
    }  # fmt: skip
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FETCH, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    return process


async def until_git_works(fetching: Fetching) -> None:
    async with asyncio.timeout(20):
        while not any(asked.path.endswith("git-upload-pack") for asked in fetching.github.requests):
            await asyncio.sleep(0.02)


async def test_a_process_killed_in_mid_fetch_leaves_a_copy_that_the_next_one_can_use(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    fetching.github.fault("POST", "git-upload-pack", "slow", times=2, seconds=1.5)
    process = await another_process(fetching)
    await until_git_works(fetching)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert try_lock(fetching.place.write_lock) is None, "its git still works, and is still alone"
    started = time.monotonic()
    fetched = await fetching.fetch(pull)
    assert b"+a = 2" in fetched.diff
    assert time.monotonic() - started < 20


async def test_two_processes_fetch_one_repository_one_after_the_other(fetching: Fetching) -> None:
    fetching.opened({}, {"app.py": "a = 2\n"})
    fetching.github.fault("POST", "git-upload-pack", "slow", times=1, seconds=0.5)
    processes = [await another_process(fetching) for _ in range(3)]
    ended = await asyncio.gather(*(process.communicate() for process in processes))
    assert [(process.returncode, words) for process, (_, words) in zip(processes, ended, strict=True)] == [(0, b"")] * 3
    assert len({output for output, _ in ended}) == 1


@pytest.mark.parametrize("step", ["info/refs", "git-upload-pack"])
async def test_a_cancelled_fetch_leaves_no_process_and_no_lock(fetching: Fetching, step: str) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    fault = fetching.github.fault("*", step, "hang", times=1)
    task = asyncio.create_task(fetching.fetch(pull))
    async with asyncio.timeout(20):
        while not fault.met:
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for lock in (fetching.place.write_lock, fetching.place.use_lock):
        hold = try_lock(lock)
        assert hold is not None
        hold.release()
    for pid in Path("/proc").glob("[0-9]*"):
        try:
            assert str(fetching.folder) not in (pid / "cmdline").read_text(errors="replace")
        except OSError:
            continue
    assert b"+a = 2" in (await fetching.fetch(pull)).diff


async def test_a_reader_whose_copy_was_started_anew_by_another_process_tries_again_later(fetching: Fetching) -> None:
    fetched = await fetching.fetch(fetching.opened({}, {"app.py": "a = 2\n"}))
    fetching.place.remove()
    with pytest.raises(TryAgain):
        await fetched.checkout.read(End.HEAD, ["app.py"])
