"""Running a tool: whatever it does, it ends, leaves nothing behind, and its failure has a name."""

import asyncio
import sys
from pathlib import Path
from time import monotonic

import pytest

from review.analyzers.run_tool import MAX_ARGUMENTS, batches, run_tool
from review.errors import AnalyzerFailed
from tests.process_tree import gone

pytestmark = pytest.mark.integration


def python(program: str) -> list[str]:
    return [sys.executable, "-I", "-c", program]


async def test_the_exit_code_the_output_and_the_complaints_come_back(tmp_path: Path) -> None:
    ran = await run_tool(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), tmp_path)
    assert (ran.code, ran.out, ran.complaints) == (3, b"out\n", "err")


async def test_a_tool_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "ours")
    ran = await run_tool(python("import os; print(sorted(os.environ))"), tmp_path)
    assert b"GITHUB" not in ran.out
    assert b"PYTHON" not in ran.out


async def test_a_tool_that_does_not_exist_has_failed(tmp_path: Path) -> None:
    ran = await run_tool(["/nowhere/tool"], tmp_path)
    assert ran.code == 127
    with pytest.raises(AnalyzerFailed, match="could not be started"):
        await run_tool(["/bin/true"], tmp_path / "missing")


async def test_a_crash_is_named_by_its_signal(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerFailed, match="signal 11"):
        await run_tool(python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"), tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has no limit on the address space")
async def test_memory_is_bounded(tmp_path: Path) -> None:
    ran = await run_tool(python("x = bytearray(3 << 30)"), tmp_path)
    assert (ran.code, "MemoryError" in ran.complaints) == (1, True)


async def test_a_flood_of_output_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerFailed, match="more than 32 MB"):
        await run_tool(python("while True: print('x' * 100_000)"), tmp_path)


async def test_a_flood_of_complaints_holds_nobody_up(tmp_path: Path) -> None:
    ran = await run_tool(python("import sys\nfor _ in range(200): print('e' * 50_000, file=sys.stderr)"), tmp_path)
    assert ran.code == 0
    assert len(ran.complaints) == 8 * 1024


@pytest.mark.parametrize("program", ["while True: pass", "while True: print('x' * 1000, flush=True)"])
async def test_cancelling_kills_a_tool_that_hangs_or_floods(program: str, tmp_path: Path) -> None:
    start = monotonic()
    with pytest.raises((TimeoutError, AnalyzerFailed)):
        async with asyncio.timeout(0.2):
            await run_tool(python(program), tmp_path)
    assert monotonic() - start < 5


async def test_cancelling_with_a_full_pipe_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_stream: asyncio.StreamReader) -> bytes:
        await asyncio.sleep(60)
        return b""

    monkeypatch.setattr("review.analyzers.run_tool._read", hang)
    start = monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await run_tool(python("while True: print('x' * 1000)"), tmp_path)
    assert monotonic() - start < 5


async def test_children_of_a_tool_die_with_it(tmp_path: Path) -> None:
    ran = await run_tool(["/bin/sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"], tmp_path)
    assert await gone(int(ran.out))


@pytest.mark.unit
def test_many_paths_are_split_into_runs_that_fit_a_command_line() -> None:
    paths = [f"{'d' * 100}/{number}.py" for number in range(3_000)]
    runs = list(batches(paths))
    assert [path for run in runs for path in run] == paths
    assert len(runs) > 1
    assert all(sum(map(len, run)) <= MAX_ARGUMENTS for run in runs)
    assert list(batches([])) == []


async def test_complaints_name_no_folder_of_this_machine(tmp_path: Path) -> None:
    program = f"import sys; sys.exit('cannot read {tmp_path}/app.py: see /usr/lib/x/y.so and https://a.b/c, or a/b.py')"
    ran = await run_tool(python(program), tmp_path)
    assert ran.complaints == "cannot read app.py: see y.so and https://a.b/c, or a/b.py"
