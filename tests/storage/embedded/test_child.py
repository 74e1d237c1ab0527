"""Child processes: they die with us, give up their lock when they do, and end even when they do not want to."""

import fcntl
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage.embedded import child

pytestmark = pytest.mark.integration

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def wait_for(log: Path, words: str) -> None:
    deadline = time.monotonic() + 10
    while words not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, f"no {words!r} in {log}"
        time.sleep(0.02)


def test_a_child_that_ignores_the_signal_is_killed_in_the_end(tmp_path: Path) -> None:
    process = child.start([sys.executable, "-c", STUBBORN], tmp_path / "log", signal.SIGTERM)
    wait_for(tmp_path / "log", "up")
    child.stop(process, (signal.SIGTERM, 0.2))
    assert process.returncode == -signal.SIGKILL
    child.stop(process, (signal.SIGTERM, 0.2))


def test_a_child_that_obeys_is_given_its_time(tmp_path: Path) -> None:
    obeys = "trap 'sleep 0.3; exit 7' TERM; echo up; while :; do sleep 0.05; done"
    process = child.start(["sh", "-c", obeys], tmp_path / "log", signal.SIGTERM)
    wait_for(tmp_path / "log", "up")
    child.stop(process, (signal.SIGTERM, 10))
    assert process.returncode == 7


def test_a_child_holds_the_lock_that_it_inherits_until_it_ends(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)
        process = child.start(["sleep", "30"], tmp_path / "log", signal.SIGTERM, lock=ours.fileno())
    with (tmp_path / "lock").open("w") as theirs:
        with pytest.raises(BlockingIOError):
            fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child.stop(process, (signal.SIGTERM, 5))
        fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("run_as", list(child.RunAs), ids=lambda run_as: run_as.name)
def test_a_child_gets_its_signal_when_its_parent_is_killed(tmp_path: Path, run_as: child.RunAs) -> None:
    if run_as not in (child.RunAs.SELF, child.choose_user()):
        pytest.skip("Servers do not run like this here.")
    log = tmp_path / "log"
    trap = "trap 'echo told; exit' INT; echo up; while :; do sleep 0.05; done"
    parent = (
        "import signal, sys, time; from pathlib import Path; from storage.embedded import child;"
        f"child.start(['sh', '-c', {trap!r}], Path(sys.argv[1]), signal.SIGINT, child.RunAs.{run_as.name}); time.sleep(60)"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", parent, str(log)], cwd=root) as process:
        wait_for(log, "up")
        process.kill()
    wait_for(log, "told")
