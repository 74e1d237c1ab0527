"""The process that reads syntax trees: rubbish ends it and not us, and the next file gets a new one."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from review import tree_process
from review.context.parse import parse
from review.tree_process import MOST_SECONDS, GaveUp, TreeProcess

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
