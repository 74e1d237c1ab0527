"""Ruff: real mistakes with its fixes as suggestions that apply exactly, whatever the repository says about ruff."""

import ast
from pathlib import Path

import pytest

from review.analyzers.ruff import Ruff, rule_table
from review.analyzers.run_tool import Ran
from review.errors import AnalyzerFailed
from review.finding import Finding, Severity
from review.suggestions.patch import apply_suggestions
from tests.builders_analyzers import found_by

pytestmark = pytest.mark.integration


async def found_in(text: str | bytes, folder: Path, path: str = "src/app.py") -> dict[str, Finding]:
    return {finding.rule: finding for finding in await found_by(Ruff(), {path: text}, folder)}


def mended(text: bytes, finding: Finding) -> bytes:
    assert finding.suggestion is not None
    return apply_suggestions(text, [finding.suggestion])


@pytest.mark.parametrize(
    ("code", "rule", "severity"),
    [
        ("def f(:\n    pass\n", "invalid-syntax", Severity.HIGH),
        ("print(nowhere)\n", "F821", Severity.HIGH),
        ("assert (1, 'always true')\n", "F631", Severity.HIGH),
        ("'%s %s' % (1,)\n", "F507", Severity.HIGH),
        ("def f(a=[]):\n    return a\n", "B006", Severity.MEDIUM),
        ("try:\n    pass\nexcept:\n    pass\n", "E722", Severity.MEDIUM),
        ("async def f():\n    import time\n    time.sleep(1)\n", "ASYNC251", Severity.MEDIUM),
        ("breakpoint()\n", "T100", Severity.HIGH),
        ("import os\n", "F401", Severity.MEDIUM),
        ("try:\n    import os\nexcept ImportError:\n    pass\n", "F401", Severity.LOW),
        ("def f():\n    x = 1\n", "F841", Severity.MEDIUM),
        ("x = 1\nif x == None:\n    pass\n", "E711", Severity.LOW),
    ],
)
async def test_mistakes_are_found_and_graded(code: str, rule: str, severity: Severity, tmp_path: Path) -> None:
    finding = (await found_in(code, tmp_path))[rule]
    assert finding.severity is severity
    assert finding.quote in code
    assert finding.message.endswith((".", "?", "!", "`"))


FORMS = {
    "plain": b"import os\n\n\ndef f(a, b=[]):\n    return not a in b\n",
    "crlf": b"import os\r\n\r\n\r\ndef f(a, b=[]):\r\n    return not a in b\r\n",
    "tabs": b"import os\n\n\ndef f(a, b=[]):\n\treturn not a in b\n",
    "no final newline": b"import os\n\n\ndef f(a, b=[]):\n    return not a in b",
    "byte order mark": b"\xef\xbb\xbfimport os\n\n\ndef f(a, b=[]):\n    return not a in b\n",
    "form feed": b"import os\n\x0c\n\ndef f(a, b=[]):\n    return not a in b\n",
    "wide characters": "import os\n\n\ndef f(a, b=[]):\n    return 'ü😀' and not a in b\n".encode(),
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_fix_applies_exactly_in_every_form_of_file(form: str, tmp_path: Path) -> None:
    text = FORMS[form]
    found = await found_in(text, tmp_path)
    assert mended(text, found["E713"]) == text.replace(b"not a in b", b"a not in b")
    shared = mended(text, found["B006"])
    end = b"\r\n" if form == "crlf" else b"\n"
    assert b"def f(a, b=None):" + end in shared
    assert (shared.count(b"\r\n") == shared.count(b"\n")) is (form == "crlf")
    assert shared.endswith(b"\n") is text.endswith(b"\n")
    ast.parse(shared)
    if form == "byte order mark":
        assert found["F401"].suggestion is None  # the first line carries the mark, a comment cannot
    else:
        assert mended(text, found["F401"]).split(b"\n", 1)[0].strip() == b""


async def test_several_edits_of_one_fix_are_one_suggestion(tmp_path: Path) -> None:
    text = b"def f(a=[], *, b):\n    '''Words.'''\n    a.append(b)\n    return a\n"
    finding = (await found_in(text, tmp_path))["B006"]
    assert mended(text, finding) == (
        b"def f(a=None, *, b):\n    '''Words.'''\n    if a is None:\n        a = []\n    a.append(b)\n    return a\n"
    )


async def test_a_broken_file_is_one_finding(tmp_path: Path) -> None:
    found = await found_by(Ruff(), {"app.py": "def f(:\n  x = (\n    y = [\n"}, tmp_path)
    assert [finding.rule for finding in found if finding.rule == "invalid-syntax"] == ["invalid-syntax"]


async def test_nothing_is_said_of_a_broken_file_but_the_first_mistake_in_its_syntax(tmp_path: Path) -> None:
    code = "def f(a=[]):\n    try:\n        g()\n    except OSError, error:\n        print error\n"
    found = await found_by(Ruff(), {"old.py": code, "app.py": "print(nowhere)\n"}, tmp_path)
    assert [(finding.path, finding.rule) for finding in found] == [("app.py", "F821"), ("old.py", "invalid-syntax")]
    assert found[1].quote == "        print error"


async def test_new_syntax_is_no_mistake(tmp_path: Path) -> None:
    code = "type Pair[T] = tuple[T, T]\n\n\ndef f(x):\n    match x:\n        case 1:\n            return f'{x!r:>{x}} {'a'}'\n"
    assert "invalid-syntax" not in await found_in(code, tmp_path)


async def test_in_tests_and_examples_idioms_count_less(tmp_path: Path) -> None:
    code = "def f(a=[]):\n    return a\n"
    assert (await found_in(code, tmp_path / "1", "tests/test_a.py"))["B006"].severity is Severity.LOW
    assert (await found_in("print(x)\n", tmp_path / "2", "docs/a.py"))["F821"].severity is Severity.LOW
    assert (await found_in("print(x)\n", tmp_path / "3", "tests/data/a.py"))["F821"].severity is Severity.LOW
    assert (await found_in("print(x)\n", tmp_path / "4", "tests/test_a.py"))["F821"].severity is Severity.HIGH


async def test_comments_and_settings_of_the_repository_have_no_say(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nextend-exclude = ['*']\n[tool.ruff.lint]\nignore = ['ALL']\n")
    (tmp_path / "ruff.toml").write_text("this is = not toml")
    (tmp_path / ".gitignore").write_text("*\n")
    code = "# ruff: noqa\n# flake8: noqa\ndef f(a=[]):  # noqa\n    return a\n"
    assert "B006" in await found_in(code, tmp_path, "build/app.py")


async def test_a_file_that_is_not_utf_8_is_named_and_the_others_stand(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerFailed, match=r"it could not read bad\.py") as failure:
        await found_by(Ruff(), {"bad.py": b"x = '\xff'\n", "good.py": "print(nowhere)\n"}, tmp_path)
    assert [finding.rule for finding in failure.value.findings] == ["F821"]


@pytest.mark.parametrize(
    "ran", [Ran(2, b"", "ruff failed\nmore"), Ran(0, b"not json", ""), Ran(0, b'[{"code": 1}]', ""), Ran(101, b"", "")]
)
async def test_a_crash_or_a_nonsensical_answer_is_a_failure_with_a_reason(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answers(_command: list[str], _folder: Path) -> Ran:
        return ran

    monkeypatch.setattr("review.analyzers.ruff.run_tool", answers)
    with pytest.raises(AnalyzerFailed, match=r"ruff failed$|could not be read|ended with 101"):
        await Ruff().analyze(tmp_path, ["a.py"])


@pytest.mark.unit
def test_no_rule_stands_twice_in_the_table_and_none_is_both_asked_for_and_ignored() -> None:
    table = rule_table()
    assert not set(table.select.split(",")) & set(table.ignore.split(","))
    assert set(table.grades).isdisjoint(table.ignore.split(","))
    asked = tuple(table.select.split(","))
    assert {rule for rule in table.grades if not rule.startswith(asked) and rule != "invalid-syntax"} == set()
