"""Metrics: lines, branches and the maintainability index, of real code, within bounds for any rubbish."""

import math
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.metrics import FileMetrics, Metrics, maintainability_index, measure
from review.score import score

pytestmark = pytest.mark.integration

PYTHON = b'''"""What it is for."""

import os


def load(path, retry):  # a comment
    """Load it."""
    if path and os.path.exists(path):
        for _ in range(retry):
            print(path)
    return None
'''


def only(files: dict[str, bytes]) -> FileMetrics:
    [file] = measure(files).files
    return file


def test_a_file_has_its_lines_of_code_and_its_functions_their_branches() -> None:
    file = only({"app.py": PYTHON})
    assert (file.functions, file.outside, file.because) == ((4,), 1, "")
    assert file.lines == 6  # neither blank lines nor docstrings


@pytest.mark.parametrize(
    ("path", "source", "functions"),
    [
        ("a.js", "function f(x) { if (x && y) { return 1 } return x ? 1 : 2 }\n", (4,)),
        ("a.go", "package a\nfunc f(x int) int {\n\tfor x > 0 {\n\t\tx--\n\t}\n\treturn x\n}\n", (2,)),
        ("A.java", "class A { int f(int x) { switch (x) { case 1: return 1; case 2: return 2; } return 0; } }\n", (3,)),
        ("a.c", "int f(int x) {\n  while (x || y) x--;\n  return x;\n}\n", (3,)),
    ],
)
def test_other_languages_are_counted_too(path: str, source: str, functions: tuple[int, ...]) -> None:
    assert only({path: source.encode()}).functions == functions


def test_code_outside_of_functions_counts_where_it_branches_or_is_all_there_is() -> None:
    assert only({"a.py": b"x = 1\n"}).complexities == (1,)
    assert only({"a.py": b"def f():\n    pass\n\n\nx = 1\n"}).complexities == (1,)
    assert only({"a.py": b"def f():\n    pass\n\n\nif f():\n    x = 1\n"}).complexities == (1, 2)


def test_branches_that_are_written_into_a_function_never_raise_its_score_or_its_index() -> None:
    metrics = measure({f"{count:02}.py": a_function_of(count) for count in range(40)})
    assert [file.functions for file in metrics.files] == [(count + 1,) for count in range(40)]
    scores = [score([], Metrics((file,))).overall for file in metrics.files]
    assert scores[0] == scores[9] == 100.0
    assert all(worse < better for better, worse in pairwise(scores[9:]) if worse is not None and better is not None)
    indices = [file.maintainability or 0 for file in metrics.files]
    assert all(worse < better for better, worse in pairwise(indices))


def a_function_of(branches: int) -> bytes:
    body = "".join(f"    if x == {number}:\n        x += 1\n" for number in range(branches))
    return f"def f(x):\n{body}    return x\n".encode()


@given(st.floats(0, 1e9), st.floats(1, 1e5), st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_index_never_rises_with_volume_branches_or_lines(volume: float, branches: float, lines: float, more: float) -> None:
    index = maintainability_index(volume, branches, lines)
    assert 0 <= index <= 100
    assert maintainability_index(volume + more, branches, lines) <= index
    assert maintainability_index(volume, branches + more, lines) <= index
    assert maintainability_index(volume, branches, lines + more) <= index


def test_the_index_is_the_published_one() -> None:
    published = (171 - 5.2 * math.log(1000) - 0.23 * 5 - 16.2 * math.log(50)) * 100 / 171
    assert maintainability_index(1000, 5, 50) == pytest.approx(published) == pytest.approx(41.26, abs=0.01)


def test_languages_that_are_not_known_are_counted_by_their_lines_and_it_is_said() -> None:
    metrics = measure({"run.sh": b"#!/bin/sh\n\nls\n", "a.py": b"x = 1\n"})
    shell = metrics.files[1]
    assert (shell.lines, shell.maintainability, shell.complexities) == (2, None, ())
    assert metrics.by_lines_only == {"its language is only counted by lines": 1}
    assert (metrics.lines_of_code, metrics.complexity) == (3, 1.0)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("README.md", b"# Title\n"),
        ("data.json", b"{}\n"),
        ("logo.py", b"\x00\x01\x02"),
        ("empty.py", b""),
        ("no_ending", b"text\n"),
    ],
)
def test_prose_data_binary_and_empty_files_hold_no_code(path: str, data: bytes) -> None:
    metrics = measure({path: data})
    assert not metrics.files[0].is_code and metrics.by_lines_only == {}
    assert (metrics.lines_of_code, metrics.complexity, metrics.maintainability) == (0, None, None)


def test_the_overall_index_is_the_mean_weighted_by_lines() -> None:
    metrics = Metrics((FileMetrics("a.py", 10, maintainability=50.0), FileMetrics("b.py", 30, maintainability=90.0)))
    assert metrics.maintainability == 80.0


def test_no_comment_hides_the_code_below_it() -> None:
    hidden = b"# GENERATED CODE\n# lizard forgives\n#lizard forgive global\n" + PYTHON
    assert only({"app.py": hidden}).functions == (4,)


@pytest.mark.parametrize(
    "path",
    ["caf\udce9.py", "a\nb.py", "../../etc/passwd.py", "\u202eyp.py", "x" * 5_000 + ".py"],
    ids=lambda path: ascii(path)[:20],
)
def test_any_path_will_do(path: str) -> None:
    assert only({path: PYTHON}).functions == (4,)


RUBBISH = {
    "a.js": b"<a" * 40_000,
    "a.c": b"#define x \\\n" * 20_000,
    "a.py": b"(" * 200_000,
    "a.cpp": b"template<" * 50_000,
    "a.rb": b"#{" * 50_000,
    "a.php": b"<?php " + b"if(" * 50_000,
    "a.rs": bytes(range(1, 256)) * 400,
    "a.java": b"a<" * 50_000 + b"?",
}


@pytest.mark.parametrize("path", RUBBISH)
def test_rubbish_neither_hangs_nor_raises(path: str) -> None:
    started = time.monotonic()
    files = {path: RUBBISH[path], "good.py": PYTHON}
    metrics = measure(files)
    assert {file.path: file.functions for file in metrics.files}["good.py"] == (4,)
    assert time.monotonic() - started < 12
    assert path in [file.path for file in metrics.files]


def test_what_lizard_cannot_do_is_counted_by_lines_and_it_is_said() -> None:
    file = only({"a.ts": b"<" + b"a?" * 60_000 + b"\n"})
    assert (file.lines, file.because, file.maintainability) == (1, "too much for its reader", None)


def test_a_file_larger_than_a_megabyte_is_not_read() -> None:
    assert only({"a.py": b"x = 1\n" * 200_000}).because == "larger than 1 MB"


def test_what_comes_after_the_time_is_counted_by_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["review.metrics"], "MOST_SECONDS", -1.0)
    assert only({"a.py": PYTHON}).because == "the time for measuring was over"
