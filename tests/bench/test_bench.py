"""The bench itself: every part runs and prints its goals, whatever the figures are."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.changes import a_real_change

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("lines", [50, 2_000])
def test_a_real_change_adds_about_as_many_lines_as_were_asked_for_and_parses_at_both_ends(lines: int) -> None:
    change = a_real_change(lines)
    assert lines * 0.9 <= change.lines <= lines
    assert change == a_real_change(lines)
    assert set(change.base) <= set(change.head)
    for text in (*change.base.values(), *change.head.values()):
        ast.parse(text)


@pytest.mark.parametrize("part", ["receiver", "engine", "worker", "code-index"])
def test_each_part_runs_and_prints_its_goals(part: str) -> None:
    command = [sys.executable, "-m", "tests.bench", part, "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert part.capitalize().replace("-", " ") in done.stdout
    assert re.search(r"\b(yes|NO)\b", done.stdout)
