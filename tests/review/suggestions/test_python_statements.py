"""Compiling only what an edit touches: what compiles there compiles as a whole; the other way round nothing is promised."""

import argparse
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.suggestions.python_statements import touched_statements
from tests.builders_diff import PROPERTY

pytestmark = pytest.mark.unit

PIECES = st.sampled_from([
    "import os", "x = (\n2)", "x = 1; \\\nz = 2", "class A:\n    b = 1\n\n    def f(self):\n        return 1\n\n    c = 2",
    "class B: c = 1", "class O:\n    '''Doc.'''\n\n    class C:\n        d = 1\n        e = 2\n    f = 3\n    g = 4", "# no",
    "@dec\ndef f():\n    '''\nDoc.\n    '''\n    yield 1", "if x:\n    a\nelse:\n    b", "try:\n    a\nexcept E:\n    b", "",
    "class T:\n\tt = 1\n\tu = 2", "async def g():\n    await h()", "s = '''\nx = 1\n'''; t = 3",
])  # fmt: skip
LINES = st.sampled_from([
    "x = 1", "2)", "x = 1; \\", "class A:", "    b = 1", "    def f(self):", "        return 1", "    pass", "else:",
    "    class C:", "        d = 1", "@dec", "    @dec", "def f():", "if x:",
    "'''", "    '''", "", "try:", "except E:", "  odd = 1", "\tt", "(",
])  # fmt: skip


@st.composite
def edits(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A file that compiles, and what a small edit made of it."""
    before = "\n".join(draw(st.lists(PIECES, min_size=1, max_size=5))).split("\n")
    after = list(before)
    first = draw(st.integers(0, len(after)))
    after[first : first + draw(st.integers(0, 3))] = draw(st.lists(LINES, max_size=3))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    old, new = ("".join(line + end for line in lines).encode() for lines in (before, after))
    return old, new


def compiles(data: bytes) -> bool:
    try:
        compile(data, "x", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def held(before: bytes, after: bytes) -> bool | None:
    """What touched_statements says, after holding it against the whole file."""
    touched = touched_statements(before, after)
    if touched is None or not compiles(touched):
        return None
    assert compiles(after), (before, after, touched)
    return True


@settings(PROPERTY, max_examples=300)
@given(edits())
def test_what_compiles_between_its_neighbours_compiles_in_its_file(edit: tuple[bytes, bytes]) -> None:
    assert compiles(edit[0])
    held(*edit)


def test_edits_of_a_real_file_are_judged_by_a_small_part_of_it() -> None:
    source = Path(argparse.__file__).read_bytes()
    lines = source.splitlines(keepends=True)
    chance = random.Random(7)
    judged = 0
    for _ in range(40):
        first = chance.randrange(len(lines) - 5)
        last = first + chance.choice([0, 1, 1, 3])
        new = chance.choice([[], lines[first : first + 1] * 2, [b"    pass\n"], lines[first : first + 2], [b"x = 1\n"]])
        judged += bool(held(source, b"".join([*lines[:first], *new, *lines[last:]])))
    assert judged > 5
    touched = touched_statements(source, source.replace(b"def add_subparsers", b"def add_more"))
    assert touched and len(touched) < 3000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1\nb = 2\n", "a = 1b = 2\n"),
        ("class A:\n    b = 1\n    c = 2\n", "class A:\nclass B:\n    b = 1\n    c = 2\n"),
        ("class A:\n    b = 1\n    c = 2\n", "class A:\n    b = 1\nx = 1\n    c = 2\n"),
        ("a = 1; \\\nb = 2\n", "a = 1; \\\ndef b(): pass\n"),
        ("a = '''\n'''; b = 2\n", "a = '''\n'''; b = '''\n"),
        ("def f():\n    pass\ng = 1\n", "@dec\ng = 1\n"),
        ("from __future__ import annotations\n", "import os\nx = 1\nfrom __future__ import annotations\n"),
        ("x = 1\ny = 2\n", "x = 1\nglobal x\n"),
    ],
)
def test_what_only_breaks_together_with_its_neighbours_is_not_passed(before: str, after: str) -> None:
    assert compiles(before.encode())
    assert not compiles(after.encode())
    assert held(before.encode(), after.encode()) is None
