"""Bandit: dangerous calls, graded by our table, whatever the repository says about bandit."""

from pathlib import Path
from time import monotonic

import pytest

from review.analyzers.bandit import Bandit, _worth_reading
from review.analyzers.run_tool import Ran
from review.errors import AnalyzerFailed
from review.finding import Category, Finding, Severity
from tests.builders_analyzers import found_by

pytestmark = pytest.mark.integration


async def found_in(text: str | bytes, folder: Path, path: str = "src/app.py") -> dict[str, Finding]:
    return {finding.rule: finding for finding in await found_by(Bandit(), {path: text}, folder)}


DANGEROUS = [
    ("eval(input())\n", "B307", Severity.HIGH),
    ("exec (text)\n", "B102", Severity.MEDIUM),
    ("import subprocess\nsubprocess.run(f'ls {x}', shell=True)\n", "B602", Severity.HIGH),
    ("import os\nos.system('ls ' + x)\n", "B605", Severity.HIGH),
    ("import requests\nrequests.get(url, verify=False, timeout=1)\n", "B501", Severity.HIGH),
    ("import requests\nrequests.get(url)\n", "B113", Severity.MEDIUM),
    ("import yaml\nyaml.load(text)\n", "B506", Severity.HIGH),
    ("import pickle\npickle.loads(data)\n", "B301", Severity.MEDIUM),
    ("import hashlib\npassword_hash = hashlib.md5(password)\n", "B324", Severity.MEDIUM),
    ("import hashlib\nkey = hashlib.md5(text)\n", "B324", Severity.LOW),
    ("db.execute('SELECT * FROM users WHERE name = %s' % name)\n", "B608", Severity.MEDIUM),
    ("db.execute('update users set name = ' + name)\n", "B608", Severity.MEDIUM),
    ("import jinja2\njinja2.Environment()\n", "B701", Severity.MEDIUM),
    ("import ssl\nssl.wrap_socket(ssl_version=ssl.PROTOCOL_SSLv3)\n", "B502", Severity.HIGH),
    ("from OpenSSL import SSL\nSSL.Context(method=SSL.SSLv3_METHOD)\n", "B502", Severity.MEDIUM),
    ("import flask\napp.run(debug = True)\n", "B201", Severity.HIGH),
    ("import paramiko\nc.set_missing_host_key_policy(paramiko.AutoAddPolicy)\n", "B507", Severity.HIGH),
]


@pytest.mark.parametrize(("code", "rule", "severity"), DANGEROUS)
async def test_dangerous_calls_are_found_and_graded(code: str, rule: str, severity: Severity, tmp_path: Path) -> None:
    finding = (await found_in(code, tmp_path))[rule]
    assert finding.severity is severity
    assert finding.category is (Category.CORRECTNESS if rule == "B113" else Category.SECURITY)
    assert finding.quote in code
    assert finding.help_url.startswith("https://")


HARMLESS = [
    ("exec(compile(file.read(), name, 'exec'), settings)\n", "B102"),
    ("eval(compile(source, name, 'eval'))\n", "B307"),
    ("eval('__IPYTHON__')\n", "B307"),
    ("import tarfile\ntarfile.open(x).extractall(to, filter=checked)\n", "B202"),
    ("import pickle\nwith open(cache, 'rb') as file:\n    data = pickle.load(file)\n", "B301"),
    ("import marshal\ncode = marshal.load(file)\n", "B302"),
    ("print(TEXT.format(script=script, shell=options.shell))\n", "B604"),
    ("raise Error(f'Cannot select requirements from the file {name!r}: {error}')\n", "B608"),
    ("import jinja2\njinja2.Environment(**options)\n", "B701"),
    ("from mako.template import Template\nTemplate(filename=name)\n", "B702"),
]


@pytest.mark.parametrize(("code", "rule"), HARMLESS)
async def test_forms_that_are_hardly_ever_a_mistake_count_less(code: str, rule: str, tmp_path: Path) -> None:
    assert (await found_in(code, tmp_path))[rule].severity is Severity.LOW


MEANT = [
    ("eval(text)\n", "B307", Severity.MEDIUM),
    ("eval(request.args['sum'])\n", "B307", Severity.HIGH),
    ("import pickle\npickle.load(request.files['data'])\n", "B301", Severity.MEDIUM),
    ("start(command, shell=True)\n", "B604", Severity.MEDIUM),
    ("text = f'SELECT name FROM users WHERE id = {id}'\n", "B608", Severity.MEDIUM),
    ("sql = f'select name from users where id = {id}'\n", "B608", Severity.MEDIUM),
    ("import tarfile\ntarfile.open(x).extractall(to)\n", "B202", Severity.MEDIUM),
]


@pytest.mark.parametrize(("code", "rule", "severity"), MEANT)
async def test_what_only_looks_like_a_harmless_form_keeps_its_grade(
    code: str, rule: str, severity: Severity, tmp_path: Path
) -> None:
    assert (await found_in(code, tmp_path))[rule].severity is severity


async def test_a_call_over_several_lines_is_quoted_whole(tmp_path: Path) -> None:
    code = "import subprocess\nsubprocess.run(\n    command,\n    shell=True,\n)\n"
    location = (await found_in(code, tmp_path))["B602"].location
    assert location.first_line <= 4 <= location.last_line


async def test_in_tests_it_counts_less(tmp_path: Path) -> None:
    assert (await found_in("eval(x)\n", tmp_path, "tests/test_a.py"))["B307"].severity is Severity.LOW


async def test_comments_and_settings_of_the_repository_have_no_say(tmp_path: Path) -> None:
    (tmp_path / ".bandit").write_text("[bandit]\nskips: B307\nexclude: src\n")
    (tmp_path / "pyproject.toml").write_text("[tool.bandit]\nskips = ['B307']\n")
    (tmp_path / "bandit.yaml").write_text("skips: ['B307']\n")
    assert "B307" in await found_in("eval(x)  # nosec\n", tmp_path, "src/CVS/.git_/app.py")


async def test_modules_beside_the_code_are_not_imported(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    code = f"open({str(mark)!r}, 'w')\n"
    names = ["sitecustomize.py", "usercustomize.py", "bandit.py", "stevedore.py", "ast.py", "json.py", "x.pth"]
    await found_by(Bandit(), dict.fromkeys(names, code) | {"app.py": "eval(x)\n"}, tmp_path / "root")
    assert not mark.exists()


async def test_a_broken_file_is_named_and_the_others_stand(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerFailed, match=r"it could not read bad\.py") as failure:
        await found_by(Bandit(), {"bad.py": "eval(\n", "good.py": "eval(x)\n"}, tmp_path)
    assert [finding.rule for finding in failure.value.findings] == ["B307"]


async def test_many_lines_are_shared_between_two_processes_and_none_is_lost(tmp_path: Path) -> None:
    files = {f"m{number}.py": "x = 1\n" * 20_000 + "eval(x)\n" for number in range(4)}
    found = await found_by(Bandit(), files, tmp_path)
    assert sorted((finding.path, finding.location.first_line) for finding in found) == [(name, 20_001) for name in files]


@pytest.mark.parametrize(
    "ran", [Ran(2, b"", "usage\nno such option"), Ran(0, b"", ""), Ran(1, b"{}", ""), Ran(1, b"rubbish", "")]
)
async def test_a_crash_or_a_nonsensical_answer_is_a_failure_with_a_reason(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answers(_command: list[str], _folder: Path) -> Ran:
        return ran

    monkeypatch.setattr("review.analyzers.bandit.run_tool", answers)
    (tmp_path / "a.py").write_text("eval(x)\n")
    with pytest.raises(AnalyzerFailed, match=r"no such option|could not be read|ended with 0"):
        await Bandit().analyze(tmp_path, ["a.py"])


@pytest.mark.unit
def test_files_without_any_dangerous_word_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from a import b\n\n\ndef evaluate(x):\n    return x.execute(b)\n")
    assert not _worth_reading(tmp_path / "a.py")


@pytest.mark.unit
@pytest.mark.parametrize("unit", ["select ", "update ", "delete ", "import ", "debug ", "verify "])
def test_a_text_made_to_be_slow_is_not(unit: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(unit * (1_000_000 // len(unit)))
    start = monotonic()
    _worth_reading(tmp_path / "a.py")
    assert monotonic() - start < 2
