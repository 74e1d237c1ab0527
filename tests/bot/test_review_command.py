"""`refactoriq review`: the report alone on stdout, exit codes, formats, `--apply`, and what a hostile checkout cannot do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.commands.review import review
from bot.settings import ModelSettings
from review.errors import UserError
from tests.builders import BuiltRepository, Executable, a_checkout, a_repository, git
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
BASE = "import subprocess\n\n\ndef names():\n    return []\n"
HEAD = BASE + "\n\ndef run(command, seen=[]):\n    subprocess.call(command + '!', shell=True)\n    return seen\n"


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ModelSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def checkout(tmp_path: Path) -> BuiltRepository:
    return a_checkout(tmp_path / "checkout", {"app.py": BASE}, {"app.py": HEAD})


def run(path: Path, *, base: str | None = None, head: str | None = None, format: str = "text", **options: object) -> int:
    """The command, in this process."""
    fail_on, apply = options.get("fail_on"), options.get("apply", False)
    return review(path, base, head, format, str(fail_on) if fail_on else None, bool(apply))


def process(folder: Path, *arguments: str, stdout: int = subprocess.PIPE, **more: str) -> subprocess.CompletedProcess[bytes]:
    """The command as people run it."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)} | more
    command = [sys.executable, "-m", "bot", "review", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=60)


def test_stdout_is_the_report_and_stderr_the_rest(checkout: BuiltRepository) -> None:
    done = process(checkout.path)
    assert done.returncode == 0, done.stderr
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "app.py:9  high  security  bandit B602\n" in out
    assert "    -def run(command, seen=[]):\n    +def run(command, seen=None):\n" in out
    assert re.search(r"^\d findings \(1 high, 1 medium\) in 1 file\.$", out, re.MULTILINE)
    assert "Read: 1 file, 5 changed lines." in out
    assert "No model looked at this change" in out and "OPENAI_API_KEY" in out
    assert "\x1b" not in out
    assert f"Compared with {checkout.base[:12]} (main)." in err
    assert "analyzers: " in err and "Traceback" not in err


def test_a_reader_that_has_seen_enough_is_no_failure(checkout: BuiltRepository) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = process(checkout.path, "--format", "sarif", stdout=writer)
    os.close(writer)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_what_a_person_can_mend_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = process(tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("refactoriq: ") and b"is not in a git repository" in done.stderr


def test_a_hostile_name_in_an_error_reaches_no_terminal(tmp_path: Path) -> None:
    done = process(tmp_path, "no\x1b[31mwhere")
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr and b"\\x1b[31m" in done.stderr


@pytest.mark.parametrize(("severity", "code"), [("critical", 0), ("high", 1), ("medium", 1), ("info", 1)])
def test_fail_on_exits_1_at_that_severity_or_worse(checkout: BuiltRepository, severity: str, code: int) -> None:
    assert run(checkout.path, fail_on=severity) == code


def test_fail_on_is_0_where_nothing_was_found(checkout: BuiltRepository) -> None:
    assert run(checkout.path, base="change", head="change", fail_on="info") == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"format": "xml"}, "There is no format xml: use one of text, json, markdown, sarif, html, pdf."),
        ({"fail_on": "bad"}, "There is no severity bad: --fail-on takes one of critical, high, medium, low, info."),
        ({"apply": True, "head": "change"}, "--apply writes into the files on disk"),
    ],
)
def test_options_that_are_none_are_named_with_those_that_are(
    checkout: BuiltRepository, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        run(checkout.path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("format", ["json", "sarif"])
def test_a_format_for_programs_is_a_whole_document(
    checkout: BuiltRepository, capsysbinary: pytest.CaptureFixture[bytes], format: str
) -> None:
    run(checkout.path, format=format)
    told = capsysbinary.readouterr()
    document = json.loads(told.out)
    assert b"No model looked at this change" in told.err
    findings = document["findings"] if format == "json" else document["runs"][0]["results"]
    assert len(findings) == 2


@pytest.mark.parametrize(("format", "start"), [("html", b"<!DOCTYPE html>"), ("pdf", b"%PDF-")])
def test_a_document_for_people_is_written_too(
    checkout: BuiltRepository, capsysbinary: pytest.CaptureFixture[bytes], format: str, start: bytes
) -> None:
    run(checkout.path, format=format)
    assert capsysbinary.readouterr().out.startswith(start)


def test_markdown_is_written_too(checkout: BuiltRepository, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(checkout.path, format="markdown")
    assert capsysbinary.readouterr().out.startswith(b"# RefactorIQ: 2 findings (1 high, 1 medium) in 1 file\n")


def test_nothing_changed_is_nothing_to_review(checkout: BuiltRepository, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(checkout.path, base="change") == 0
    assert capsys.readouterr().out.startswith("Nothing that can be reviewed.")


def test_the_rules_are_those_of_the_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strict = {"app.py": BASE, ".refactoriq.yml": "severity: high\nnonsense: 1\n"}
    built = a_checkout(tmp_path / "checkout", strict, {"app.py": HEAD, ".refactoriq.yml": "paths: {exclude: ['*']}\n"})
    (built.path / ".refactoriq.yml").write_text("analyzers: {bandit: false}\n")
    run(built.path)
    out = capsys.readouterr().out
    assert "1 finding (1 high)" in out and "below the severity threshold, high" in out
    assert "unknown key `nonsense`" in out


def test_with_a_key_the_model_is_asked(
    checkout: BuiltRepository, models: SandboxModels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sandbox")
    monkeypatch.setenv("OPENAI_BASE_URL", models.openai_base_url)
    run(checkout.path)
    assert [request.provider for request in models.requests] == ["openai"]
    out = capsys.readouterr().out
    assert "Models: openai" in out and "No model looked" not in out


def test_a_strangers_env_file_sends_no_key_anywhere(
    checkout: BuiltRepository, models: SandboxModels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.path / ".env").write_text(f"OPENAI_API_KEY=theirs\nOPENAI_BASE_URL={models.openai_base_url}\n")
    monkeypatch.chdir(checkout.path)
    run(Path())
    assert models.requests == []
    assert "No model looked at this change" in capsys.readouterr().out


def test_another_projects_settings_in_the_environment_do_no_harm(
    checkout: BuiltRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DATABASE_URL": "mysql://x", "ENVIRONMENT": "staging", "PORT": "web", "LOG_LEVEL": "loud"}.items():
        monkeypatch.setenv(name, value)
    assert run(checkout.path) == 0


def test_apply_writes_what_was_verified_and_says_so(checkout: BuiltRepository, capsys: pytest.CaptureFixture[str]) -> None:
    file = checkout.path / "app.py"
    assert run(checkout.path, apply=True) == 0
    assert "def run(command, seen=None):\n    if seen is None:\n        seen = []\n" in file.read_text()
    assert "Wrote 1 suggestion into app.py." in capsys.readouterr().err
    assert git(checkout.path, "status", "--porcelain").decode() == " M app.py\n"
    run(checkout.path, apply=True)
    assert "There is no verified suggestion to write." in capsys.readouterr().err


def test_apply_keeps_mode_and_line_ends(tmp_path: Path) -> None:
    crlf = HEAD.replace("\n", "\r\n")
    built = a_checkout(tmp_path / "checkout", {"app.py": BASE}, {"app.py": Executable(crlf)})
    run(built.path, apply=True)
    data = (built.path / "app.py").read_bytes()
    assert b"seen=None):\r\n    if seen is None:\r\n" in data and b"\n" not in data.replace(b"\r\n", b"")
    assert os.access(built.path / "app.py", os.X_OK)


def test_apply_keeps_the_line_ends_that_only_this_disk_has(checkout: BuiltRepository) -> None:
    git(checkout.path, "config", "core.autocrlf", "true")
    file = checkout.path / "app.py"
    file.write_bytes(HEAD.replace("\n", "\r\n").encode())
    run(checkout.path, apply=True)
    data = file.read_bytes()
    assert b"seen=None):\r\n" in data and b"\n" not in data.replace(b"\r\n", b"")


def test_apply_needs_a_work_tree(tmp_path: Path) -> None:
    built = a_repository(tmp_path / "bare.git", {"app.py": BASE}, {"app.py": HEAD})
    with pytest.raises(UserError, match="needs a work tree"):
        run(built.path, base="main", apply=True)


def test_hostile_names_and_code_reach_no_terminal_raw(tmp_path: Path) -> None:
    escape = "\x1b]0;owned\x07\x1b[2J"
    built = a_checkout(
        tmp_path / "checkout", {"a.py": "x = 1\n"}, {f"{escape}.py": f"def f(x=[]):  # {escape}\n    return x\n"}
    )
    (built.path / f"{escape}.bin").write_bytes(b"\0")
    done = process(built.path, PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr and b"\x07" not in done.stdout + done.stderr
    assert b"\\x1b]0;owned\\x07\\x1b[2J.py:1" in done.stdout


def test_an_output_that_knows_ascii_only_gets_the_rest_written_out(tmp_path: Path) -> None:
    built = a_checkout(tmp_path / "checkout", {"a.py": "x = 1\n"}, {"日本.py": "def f(x=[]):\n    return x\n"})
    done = process(built.path, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert rb"\u65e5\u672c.py:1" in done.stdout
