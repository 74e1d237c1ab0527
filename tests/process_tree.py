"""Processes and their children as Linux counts them under /proc: who they are, how much memory and time they take."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and all that descend from it, parents first; only itself where there is no /proc."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_fields(folder)[1]), []).append(int(folder.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, and of its children that have ended."""
    return sum(map(int, _fields(Path(f"/proc/{pid}"))[11:15])) / TICKS


def memory(pids: list[int], kind: str = "Pss") -> int:
    """Bytes of these processes together: by `Pss` a page that several share counts once, by `Rss` in each of them."""
    return sum(_rollup(pid, kind) for pid in pids)


def alive(pid: int) -> bool:
    """Whether it runs: one that has ended, and that nobody has waited for, does not count."""
    try:
        return _fields(Path(f"/proc/{pid}"))[0] != "Z"
    except OSError:
        return False


async def gone(pid: int) -> bool:
    """Whether it ends within two seconds."""
    for _ in range(200):
        if not alive(pid):
            return True
        await asyncio.sleep(0.01)
    return False


def kill(pids: list[int]) -> None:
    """SIGKILL for each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _fields(folder: Path) -> list[str]:
    """The words of /proc/PID/stat after the name, which may hold anything: state first, then the parent (proc(5))."""
    return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()


def _rollup(pid: int, kind: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                return int(line.split()[1]) * 1024
    return 0
