"""What a process takes: memory and processor time, as the kernel counts them."""

import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def memory_of(pid: int) -> int:
    """Resident bytes of that process; none where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cpu() -> float:
    """Seconds of processor time that this process has used, with the children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
