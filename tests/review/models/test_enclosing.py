"""The function or class around a line, in any language."""

import pytest

from review.models.enclosing import enclosing_symbol

pytestmark = pytest.mark.unit

PYTHON = (
    "class A:\n    def f(self):\n        if x:\n            y()\n\n        z()\n\n    def g(self):\n        pass\n\n\ntop = 1\n"
)
GO = "func (s *S) Run() error {\n\tfor {\n\t\tx()\n\t}\n}\n"
SCRIPT = "export default class A {\n  run() {\n    x()\n  }\n}\nexport async function f() {\n  y()\n}\n"
RUST = "impl A {\n    pub(crate) fn f(&self) {\n        x();\n    }\n}\n"


@pytest.mark.parametrize(
    ("text", "line", "symbol"),
    [
        (PYTHON, 4, (2, "def f(self):")),
        (PYTHON, 5, (2, "def f(self):")),
        (PYTHON, 6, (2, "def f(self):")),
        (PYTHON, 8, (1, "class A:")),
        (PYTHON, 12, (0, "")),
        (PYTHON, 1, (0, "")),
        (PYTHON, 99, (0, "")),
        (GO, 3, (1, "func (s *S) Run() error {")),
        (SCRIPT, 3, (1, "export default class A {")),
        (SCRIPT, 7, (6, "export async function f() {")),
        (RUST, 3, (2, "pub(crate) fn f(&self) {")),
        ("", 1, (0, "")),
    ],
)
def test_the_innermost_symbol_around_a_line_is_found(text: str, line: int, symbol: tuple[int, str]) -> None:
    assert enclosing_symbol(text.split("\n"), line) == symbol


def test_a_long_line_is_shortened() -> None:
    assert len(enclosing_symbol(["def f(" + "a, " * 200, "    x"], 2)[1]) == 120
