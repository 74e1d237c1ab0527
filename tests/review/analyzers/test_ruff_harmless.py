"""Forms of ruff's rules that are hardly ever a mistake count less, and those that only look like them do not."""

from pathlib import Path

import pytest

from review.analyzers.ruff import Ruff
from review.finding import Severity
from tests.builders_analyzers import found_by

pytestmark = pytest.mark.integration

HARMLESS = {
    "debugger that is only imported": ("T100", "import pdb\n"),
    "import that comes twice": ("F811", "import json\nimport json\n\nprint(json)\n"),
    "import that is marked": ("F401", "import plugin  # noqa: F401\n"),
    "import that is marked at its first line": ("F401", "from a import (  # noqa\n    b,\n    c,\n)\n\nprint(c)\n"),
    "fixture that a test asks for": ("F811", "from fixtures import house\n\n\ndef test_it(house):\n    assert house\n"),
    "another init's None": ("PLE0101", "class A(dict):\n    def __init__(self):\n        return super().__init__(a=1)\n"),
    "a call over lines": ("PLE0101", "class A:\n    def __init__(self):\n        return start(\n            self\n        )\n"),
    "mode zero": ("RUF064", "import os\n\nos.chmod('a', 000)\n"),
    "default that is read": ("B006", "def f(a, names=[]):\n    return [a in name for name in names]\n"),
    "annotated default": ("B006", "def f(\n    a,\n    options: dict[str, int] = {},\n):\n    return g(a, **options)\n"),
    "default that is copied": ("B006", "def f(a=[]):\n    a = [*a, 1]\n    b = list(a)\n    return b\n"),
    "altered in the next function": ("B006", "def f(a=[]):\n    print(a)\n\n\ndef g(a):\n    a.append(1)\n"),
    "closure in a loop": ("B023", "for x in (1, 2):\n    def f():\n        return x\n    print(f())\n"),
}
MEANT = {
    "test that never runs": ("F811", "def test_a():\n    assert 1\n\n\ndef test_a():\n    assert 2\n"),
    "init that gives something": ("PLE0101", "class A:\n    def __init__(self):\n        return self\n"),
    "mode that is decimal": ("RUF064", "import os\n\nos.chmod('a', 644)\n"),
    "default that grows": ("B006", "def f(a, seen=[]):\n    seen.append(a)\n    print(seen)\n"),
    "default that is written to": ("B006", "def f(a, seen={}):\n    if a:\n        seen[a] = 1\n    print(seen)\n"),
    "default that is added to": ("B006", "def f(a, seen=[]):\n    seen += [a]\n    print(seen)\n"),
    "default that is handed out": ("B006", "def f(a, seen=[]):\n    print(a)\n    return seen\n"),
    "default that is kept": ("B006", "class A:\n    def __init__(self, parts=[]):\n        self.parts = parts\n"),
    "default that is not used": ("B006", "def f(a, seen=[]):\n    return a\n"),
    "default altered in an inner function": ("B006", "def f(seen=[]):\n    def g(x):\n        seen.append(x)\n    return g\n"),
}


@pytest.mark.parametrize(("rule", "code"), HARMLESS.values(), ids=HARMLESS)
async def test_harmless_forms_of_a_rule_count_less(rule: str, code: str, tmp_path: Path) -> None:
    found = [finding for finding in await found_by(Ruff(), {"src/app.py": code}, tmp_path) if finding.rule == rule]
    assert found
    assert {finding.severity for finding in found} == {Severity.LOW}


@pytest.mark.parametrize(("rule", "code"), MEANT.values(), ids=MEANT)
async def test_what_is_meant_by_a_rule_keeps_its_grade(rule: str, code: str, tmp_path: Path) -> None:
    found = [finding for finding in await found_by(Ruff(), {"src/app.py": code}, tmp_path) if finding.rule == rule]
    assert [finding.severity for finding in found] == [Severity.MEDIUM]


@pytest.mark.parametrize(
    "path", ["src/compat.py", "src/_compat.py", "compat/py3.py", "tests/conftest.py", "src/http_compat.py"]
)
async def test_modules_of_imports_for_others_may_hold_them(path: str, tmp_path: Path) -> None:
    (finding,) = await found_by(Ruff(), {path: "import os\n"}, tmp_path)
    assert (finding.rule, finding.severity) == ("F401", Severity.LOW)


@pytest.mark.parametrize("code", ["import os\n", "import os  # noqa: E501\n"])
async def test_an_unused_import_elsewhere_is_worth_a_word(code: str, tmp_path: Path) -> None:
    (finding,) = await found_by(Ruff(), {"src/compare.py": code}, tmp_path)
    assert (finding.rule, finding.severity) == ("F401", Severity.MEDIUM)


async def test_a_package_may_offer_its_modules(tmp_path: Path) -> None:
    code = '__all__ = ["parsing"]\n'
    package, module = await found_by(Ruff(), {"a/__init__.pyi": code, "a/b.py": code}, tmp_path)
    assert (package.rule, package.severity) == ("F822", Severity.LOW)
    assert (module.rule, module.severity) == ("F822", Severity.MEDIUM)
