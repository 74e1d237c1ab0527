"""The process that reads syntax trees: rubbish ends it and not us, and the next file gets a new one."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from review import tree_process
from review.context.parse import parse
from review.tree_process import ENVIRONMENT, MOST_CPU_SECONDS, MOST_SECONDS, GaveUp, TreeProcess

pytestmark = pytest.mark.unit

RUBBISH = {"a.py": "/*" * 50 + "\n", "A.java": "a<" * 50 + "\n"}
"""Repeated a few hundred times, these cost tree-sitter gigabytes."""


@pytest.fixture
def process() -> Iterator[TreeProcess]:
    process = TreeProcess()
    yield process
    process.close()


@pytest.mark.parametrize("path", RUBBISH)
def test_a_file_that_costs_its_parser_gigabytes_is_cut_by_lines(path: str) -> None:
    started = time.monotonic()
    parsed = parse(path, RUBBISH[path].encode() * 300)
    assert parsed.note == "too much for its parser"
    assert sum(chunk.last_line + 1 - chunk.first_line for chunk in parsed.chunks) == 300
    assert time.monotonic() - started < 2 * MOST_SECONDS


def test_after_the_parser_gave_up_the_next_file_is_read(process: TreeProcess) -> None:
    with pytest.raises(GaveUp):
        process.definitions("python", RUBBISH["a.py"] * 300)
    assert [found.symbol for found in process.definitions("python", "def load():\n    return 1\n")] == ["load"]


def test_an_interrupted_question_leaves_no_answer_for_the_next_one(
    process: TreeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_given: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(tree_process, "_read", interrupted)
        process.definitions("python", "def load():\n    return 1\n")
    assert [found.symbol for found in process.definitions("python", "def save():\n    return 1\n")] == ["save"]


def test_a_forked_process_asks_one_of_its_own(process: TreeProcess) -> None:
    assert process.definitions("python", "def load():\n    return 1\n")
    child = os.fork()
    if child == 0:
        found = process.definitions("python", "def save():\n    return 1\n")
        process.close()
        os._exit(0 if [each.symbol for each in found] == ["save"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [found.symbol for found in process.definitions("python", "def load():\n    return 1\n")] == ["load"]


def test_code_in_the_working_directory_is_not_run(
    process: TreeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "review").mkdir()
    (tmp_path / "review" / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (tmp_path / "struct.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend("")
    assert process.definitions("python", "def load():\n    return 1\n")
    assert not (tmp_path / "ran").exists()


def asked(process: TreeProcess) -> int:
    """The number of the system's process that answers."""
    assert process.definitions("python", "def load():\n    return 1\n")
    assert process._process
    return process._process.pid


def test_it_sees_none_of_our_secrets_and_has_a_folder_and_a_session_of_its_own(
    process: TreeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "made-up")
    number = asked(process)
    environment = Path(f"/proc/{number}/environ").read_text().rstrip("\0").split("\0")
    assert dict(each.split("=", 1) for each in environment) == ENVIRONMENT
    assert Path(f"/proc/{number}/cwd").resolve() == Path("/")
    assert os.getsid(number) == number


def test_no_question_may_burn_more_than_its_seconds(process: TreeProcess) -> None:
    soft, _ = resource.prlimit(asked(process), resource.RLIMIT_CPU)
    assert MOST_CPU_SECONDS < soft <= MOST_CPU_SECONDS + 2


ORPHAN = """
import time
from review.tree_process import TreeProcess
process = TreeProcess()
process.definitions("python", "def load(): pass")
print(process._process.pid, flush=True)
time.sleep(60)
"""


def test_it_ends_after_its_parent_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as parent:
        assert parent.stdout
        status = Path(f"/proc/{int(parent.stdout.readline())}/status")
        parent.kill()
    until = time.monotonic() + 5
    while status.exists() and "(zombie)" not in status.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    assert not status.exists() or "(zombie)" in status.read_text()


def test_one_that_does_not_even_read_is_given_up_and_after_much_waste_nothing_is_asked(
    process: TreeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(asked(process), signal.SIGSTOP)
    monkeypatch.setattr(tree_process, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(tree_process, "MOST_WASTED_SECONDS", 0.1)
    started = time.monotonic()
    with pytest.raises(GaveUp):
        process.definitions("python", "a = 1\n" * 100_000)
    assert time.monotonic() - started < 2
    with pytest.raises(GaveUp):
        process.definitions("python", "a = 1\n")
    assert process._process is None
