"""One command with bounds: what it says, how it ends, and that nothing of it is left running."""

import asyncio
import contextlib
import gc
import os
import signal
import time
from pathlib import Path

import pytest

from bot.git.errors import GitTooMuch
from bot.git.locks import try_lock
from bot.git.process import WORDS, Bounds, run
from tests.process_tree import gone

pytestmark = pytest.mark.integration

PATH = {"PATH": "/usr/bin:/bin"}


async def sh(script: str, bounds: Bounds | None = None, **more: object) -> tuple[int, bytes, str]:
    ended = await run(["/bin/sh", "-c", script], PATH, bounds or Bounds(seconds=20), **more)  # type: ignore[arg-type]
    return ended.code, ended.output, ended.words


async def test_output_words_and_code_come_back() -> None:
    assert await sh("cat; echo bad >&2; exit 3", given=b"in\n") == (3, b"in\n", "bad")


async def test_only_the_given_environment_is_there() -> None:
    _, output, _ = await sh("env")
    assert {line.split(b"=")[0] for line in output.splitlines()} <= {b"PATH", b"PWD", b"_", b"SHLVL", b"OLDPWD"}


async def test_what_fetches_leaves_no_image_of_its_memory() -> None:
    assert (await sh("ulimit -c", Bounds(seconds=20, file_bytes=1_000_000)))[1] == b"0\n"


async def test_it_runs_in_no_folder_of_anybodys() -> None:
    assert (await sh("pwd"))[1] == b"/\n"


async def test_a_flood_of_words_is_kept_to_its_end() -> None:
    _, _, words = await sh("i=0; while [ $i -lt 3000 ]; do echo words $i >&2; i=$((i+1)); done")
    assert len(words) <= WORDS
    assert words.endswith("words 2999")


async def test_a_large_input_and_output_do_not_wait_for_each_other() -> None:
    given = b"x" * 5_000_000
    assert (await sh("cat", given=given))[1] == given


async def test_a_command_that_reads_nothing_may_be_given_much() -> None:
    assert (await sh("exit 4", given=b"x" * 5_000_000))[0] == 4


async def test_what_came_before_a_bound_may_count() -> None:
    command, bounds = ["/bin/sh", "-c", "yes"], Bounds(seconds=20, output=1_000_001)
    much = await run(command, PATH, bounds, partly=True)
    assert (much.cut, len(much.output), much.output[:4]) == (True, 1_000_001, b"y\ny\n")
    late = await run(["/bin/sh", "-c", "echo first; sleep 60"], PATH, Bounds(seconds=0.5), partly=True)
    assert (late.cut, late.output, late.code) == (True, b"first\n", -signal.SIGKILL)
    whole = await run(["/bin/sh", "-c", "echo all; exit 3"], PATH, Bounds(seconds=20), partly=True)
    assert (whole.cut, whole.output, whole.code) == (False, b"all\n", 3)


async def test_too_much_output_ends_it_soon() -> None:
    started = time.monotonic()
    with pytest.raises(GitTooMuch, match="more than 3 MB"):
        await sh("yes", Bounds(seconds=20, output=3_000_000))
    assert time.monotonic() - started < 5


async def test_too_much_output_of_a_child_that_outlives_its_parent_ends_too() -> None:
    with pytest.raises(GitTooMuch):
        await sh("yes & exit 0", Bounds(seconds=20, output=3_000_000))


async def test_too_much_time_ends_the_whole_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(GitTooMuch, match=r"longer than 0\.5 seconds"):
        await sh(f"sleep 60 & echo $! > {note}; trap '' TERM; wait", Bounds(seconds=0.5))
    assert await gone(int(note.read_text()))


async def test_a_child_left_behind_by_a_command_that_ended_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    await sh(f"sleep 60 >/dev/null 2>&1 </dev/null & echo $! > {note}")
    assert await gone(int(note.read_text()))


async def test_cancelling_ends_the_whole_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    task = asyncio.create_task(sh(f"sleep 60 & echo $! > {note}.new; mv {note}.new {note}; wait"))
    async with asyncio.timeout(5):
        while not note.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(int(note.read_text()))


async def test_a_file_over_the_bound_ends_the_writer(tmp_path: Path) -> None:
    script = f"head -c 2000000 /dev/zero > {tmp_path}/file"
    code, _, words = await sh(script, Bounds(seconds=20, file_bytes=1_000_000))
    assert code != 0 or words
    assert (tmp_path / "file").stat().st_size <= 1_000_000
    assert (await sh(script, Bounds(seconds=20, file_bytes=3_000_000)))[0] == 0


async def test_arguments_are_never_read_by_the_shell_that_sets_the_bound(tmp_path: Path) -> None:
    words = ["$(touch x)", "`id`", "a b", "", "*", "'\"", "-n"]
    ended = await run(["/usr/bin/printf", "%s\\n", *words], PATH, Bounds(file_bytes=10_000))
    assert ended.output.decode().split("\n")[:-1] == words


async def test_a_command_keeps_the_lock_that_it_was_handed_until_it_ends(tmp_path: Path) -> None:
    """As when this process is killed in the middle of a fetch: the git that goes on must still be alone."""
    hold = try_lock(tmp_path / "lock")
    assert hold is not None
    task = asyncio.create_task(sh("sleep 60", held=(hold.descriptor,)))
    await asyncio.sleep(0.1)
    hold.release()
    assert try_lock(tmp_path / "lock") is None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert try_lock(tmp_path / "lock") is not None


async def test_no_descriptor_and_no_signal_mask_leaks_into_the_command(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        _, output, _ = await sh("ls -l /proc/self/fd")
    assert b"/open" not in output


async def test_commands_leave_no_zombies() -> None:
    await asyncio.gather(*(sh("exit 0") for _ in range(10)))
    states = set()
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError):
            states.add(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
    assert "Z" not in states


async def test_input_that_is_never_read_does_not_keep_it_waiting() -> None:
    with pytest.raises(GitTooMuch):
        await sh("sleep 60", Bounds(seconds=0.3), given=b"x" * 5_000_000)
    gc.collect()  # a pipe left open is a warning, and warnings are errors


async def test_a_command_killed_from_outside_ends_with_its_signal() -> None:
    assert (await sh("kill -KILL $$"))[0] == -signal.SIGKILL
