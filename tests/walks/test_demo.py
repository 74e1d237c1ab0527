"""The demo as a person meets it: what it prints, how it ends, and that it leaves nothing running and nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.builders import a_checkout, git
from tests.process_tree import kill, tree

pytestmark = pytest.mark.walk

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120
REPORTED = "signed pull_request.opened delivered"


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demo in a process, with no HOME, no key, and all its temporary files in that folder."""
    hidden = ("HOME", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    # Warnings are errors in tests; what a library warns of is not for a person to read.
    environment |= {"TMPDIR": str(folder), "PYTHONWARNINGS": "default", "DATABASE_URL": "postgresql://nobody@nowhere.invalid/"}
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.sandbox.demo", *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield started
    finally:
        kill(tree(started.pid))
        started.communicate()


def gone(pids: list[int]) -> bool:
    """Whether all of these processes have ended within a few seconds."""
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


def until(started: subprocess.Popen[str], words: str) -> str:
    """What it has printed, up to the line with these words."""
    assert started.stdout is not None
    shown = ""
    for line in started.stdout:
        shown += line
        if words in line:
            return shown
    pytest.fail(f"it ended without saying {words!r}: {shown}")


def test_from_nothing_to_a_review_with_suggestions_that_were_tried(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        shown, errors = started.communicate(timeout=PATIENCE)
    assert (started.returncode, errors) == (0, "")
    assert "no model is pretended" in shown and "Models: none." in shown
    for step in (
        "Postgres",
        "tables",
        "web process",
        "fetched with git",
        "ruff, bandit",
        "tried on the files",
        "review posted",
    ):
        assert re.search(rf"{step}.* \d+\.\d s$", shown, re.MULTILINE), step
    assert "answered 202" in shown
    assert re.search(r"^deploy/settings.yml:4  critical  security$", shown, re.MULTILINE)
    assert re.search(r"^shop/orders.py:30  medium  correctness$", shown, re.MULTILINE)
    assert "    -         if self.discount is 0:\n    +         if self.discount == 0:\n" in shown
    assert re.search(r"GitHub was asked [1-6] times by REST", shown)
    assert re.search(r"Proved: [1-9]\d* suggestions, .*; (\d+) of \1 files parsed", shown)
    assert "**" not in shown and "<!--" not in shown and "<details" not in shown
    assert list(tmp_path.iterdir()) == []


def test_any_range_of_any_repository_is_reviewed_a_shallow_clone_with_a_space_in_its_path_too(tmp_path: Path) -> None:
    origin = a_checkout(
        tmp_path / "origin", {"a.py": "x = 1\n"}, {"a.py": "x = 1\n\n\ndef f(y: list = []) -> list:\n    return y\n"}
    )
    git(tmp_path, "clone", "--quiet", "--depth=2", "--branch=change", f"file://{origin.path}", "a clone")
    temporary = tmp_path / "t"
    temporary.mkdir()
    with demo(temporary, "--repo", str(tmp_path / "a clone")) as started:
        shown, errors = started.communicate(timeout=PATIENCE)
    assert (started.returncode, errors) == (0, "")
    assert "    - def f(y: list = []) -> list:\n" in shown
    assert git(tmp_path / "a clone", "status", "--porcelain") == b""
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        (["--repo", "{tmp}"], "is no git repository"),
        (["--repo", str(ROOT), "--base", "nosuch"], "There is no commit nosuch"),
        (["--repo", str(ROOT), "--base", "HEAD"], "nothing to review"),
        (["--head", "HEAD"], "need REPO"),
    ],
)
def test_what_cannot_be_reviewed_is_a_sentence_and_a_failure(tmp_path: Path, arguments: list[str], because: str) -> None:
    with demo(tmp_path, *(word.format(tmp=tmp_path) for word in arguments)) as started:
        shown, errors = started.communicate(timeout=PATIENCE)
    assert started.returncode == 1
    assert because in errors and "Traceback" not in errors
    assert shown == ""


@pytest.mark.fault
def test_ctrl_c_leaves_nothing_running_and_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        until(started, REPORTED)
        family = tree(started.pid)
        started.send_signal(signal.SIGINT)
        _, errors = started.communicate(timeout=PATIENCE)
        assert len(family) > 5
        assert gone(family)
    assert started.returncode == 130
    assert "Stopped (SIGINT)" in errors and "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault
def test_a_reader_that_goes_away_leaves_nothing_running_and_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        until(started, "tables")
        family = tree(started.pid)
        assert started.stdout is not None
        started.stdout.close()
        assert started.wait(PATIENCE) != 0
        assert gone(family)
        assert started.stderr is not None and "Traceback" not in started.stderr.read()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault
def test_a_demo_that_is_killed_takes_its_processes_with_it(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        until(started, REPORTED)
        family = tree(started.pid)
        started.kill()
        assert gone(family[1:])


@pytest.mark.fault
def test_a_worker_that_dies_is_a_failure_with_the_reason(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        until(started, "tables")
        workers = worker_of(started.pid)
        kill(workers)
        _, errors = started.communicate(timeout=PATIENCE)
    assert started.returncode == 1
    assert "The worker process ended" in errors
    assert list(tmp_path.iterdir()) == []


def worker_of(pid: int) -> list[int]:
    """The worker of that demo, as soon as it is there."""
    for _ in range(200):
        for one in tree(pid):
            command = Path(f"/proc/{one}/cmdline")
            if command.exists() and b"\0worker\0" in command.read_bytes():
                return [one]
        time.sleep(0.05)
    pytest.fail("the demo started no worker")
