"""`refactoriq doctor`: everything well, everything away, and each thing that can be wrong, with what to do."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.checkups.checkup import Line, State
from bot.checkups.github import EVENTS, PERMISSIONS, _events, _permissions
from bot.commands.doctor import doctor
from review.errors import UserError
from tests.bot.told import state, told
from tests.sandbox.faults import Kind
from tests.sandbox.github import SandboxGitHub

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("alone")]

ROOT = Path(__file__).parents[2]
SECRET = "an-unmistakable-secret-" * 3


def running(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **settings: str) -> tuple[int, str]:
    """The whole command: its exit code and what it prints."""
    for name, value in settings.items():
        monkeypatch.setenv(name.upper(), value)
    code = doctor()
    return code, capsys.readouterr().out


@pytest.fixture
def app(github: SandboxGitHub) -> dict[str, str]:
    """The settings of the sandbox's app."""
    return {"github_api_url": github.api_url, "github_app_id": github.app_id, "github_private_key": github.private_key}


def test_when_all_is_well_each_thing_has_its_line_and_the_exit_code_is_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], app: dict[str, str], database_url: str, redis_url: str
) -> None:
    code, out = running(
        monkeypatch, capsys, **app, database_url=database_url, redis_url=redis_url, secret_key=SECRET,
        github_webhook_secret=f"{SECRET}one,{SECRET}two", public_url="https://riq.example.com", openai_api_key=f"sk-{SECRET}",
    )  # fmt: skip
    assert code == 0, out
    subjects = {line[9:].split("  ")[0] for line in out.splitlines()}
    assert subjects == {
        "settings", "Python", "git", "DATA_DIR", "STORAGE_URL", "SECRET_KEY",
        "DATABASE_URL", "pgvector", "migrations", "roles", "REDIS_URL",
        "GitHub", "permissions", "events", "GITHUB_WEBHOOK_SECRET", "PUBLIC_URL", "Models", "Embeddings",
    }  # fmt: skip
    assert "wrong" not in out
    assert "2 secrets are accepted" in out and "not tried" in out
    assert SECRET not in out and "PRIVATE KEY" not in out


def test_when_everything_is_away_it_says_what_to_do_and_the_exit_code_is_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], app_key: Any
) -> None:
    code, out = running(
        monkeypatch, capsys, database_url="postgres://u:hidden-pass@127.0.0.1:1/db", redis_url="redis://:hidden-pass@127.0.0.1:1/0",
        github_api_url="http://127.0.0.1:1", github_app_id="1", github_private_key=app_key.private, data_dir="/proc/nowhere",
        github_webhook_secret=SECRET, https_proxy="nonsense", ssl_cert_file="/nowhere.pem",
    )  # fmt: skip
    assert code == 1
    wrong = {line[9:].split("  ")[0]: line for line in out.splitlines() if line.startswith("wrong")}
    assert set(wrong) == {"DATABASE_URL", "REDIS_URL", "GitHub", "DATA_DIR", "HTTPS_PROXY", "SSL_CERT_FILE"}
    assert "Check DATABASE_URL" in wrong["DATABASE_URL"] and "Check REDIS_URL" in wrong["REDIS_URL"]
    assert "hidden-pass" not in out


@pytest.mark.slow
def test_services_that_never_answer_are_given_up_after_a_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], app_key: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port, started = silent.getsockname()[1], time.monotonic()
        code, out = running(
            monkeypatch, capsys, database_url=f"postgres://u:p@127.0.0.1:{port}/db", redis_url=f"redis://127.0.0.1:{port}/0",
            github_api_url=f"http://127.0.0.1:{port}", github_app_id="1", github_private_key=app_key.private,
        )  # fmt: skip
    assert code == 1
    assert {line[9:].split("  ")[0] for line in out.splitlines() if line.startswith("wrong")} >= {
        "DATABASE_URL",
        "REDIS_URL",
        "GitHub",
    }
    assert time.monotonic() - started < 20


def test_with_no_settings_at_all_nothing_is_wrong_and_serve_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = running(monkeypatch, capsys)
    assert code == 0, out
    assert out.count("`refactoriq serve` brings its own") == 2
    assert "the analyzers review alone" in out


def test_settings_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = running(monkeypatch, capsys, database_url="mysql://u:hidden-pass@db/x", port="many")
    assert code == 1
    assert "DATABASE_URL must start with postgresql://" in out and "PORT" in out
    assert "hidden-pass" not in out


def test_what_production_misses_is_named_beside_all_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = running(monkeypatch, capsys, environment="production", secret_key="short")
    assert code == 1
    for name in ("DATABASE_URL", "REDIS_URL", "GITHUB_APP_ID", "GITHUB_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET"):
        assert f"{name} is missing" in out
    assert "SECRET_KEY is too short" in out
    assert "brings its own" not in out and "Python" in out


def test_the_process_itself_ends_with_the_exit_code(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "REDIS_URL": "redis://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "doctor"], cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert b"wrong    REDIS_URL" in done.stdout and b"Traceback" not in done.stderr


async def test_a_key_of_another_app_is_refused(app: dict[str, str]) -> None:
    [line] = await told("GitHub", **app | {"github_app_id": "999999"})
    assert line.state is State.WRONG and "does not know the app by its key" in line.sentence


async def test_a_key_that_is_no_rsa_key_is_refused() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"
    with pytest.raises(UserError, match="GITHUB_PRIVATE_KEY is no RSA private key"):
        await told("GitHub", github_app_id="1", github_private_key=key)


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.LOSE_ANSWER, Kind.HTML])
async def test_a_github_that_fails_is_wrong(github: SandboxGitHub, app: dict[str, str], kind: Kind) -> None:
    github.fault("GET", "/app$", kind)
    [line] = await told("GitHub", **app)
    assert line.state is State.WRONG and github.api_url in line.sentence


def test_permissions_and_events_are_held_against_what_the_app_needs() -> None:
    assert _permissions(PERMISSIONS)[0].state is State.OK
    assert _permissions(PERMISSIONS | {"checks": "write"})[0].state is State.WARNING
    [lacking] = _permissions(PERMISSIONS | {"pull_requests": "read"})
    assert lacking.state is State.WRONG and "pull_requests: write" in lacking.sentence
    assert _events(["pull_request", "push", "repository", "star"])[0].state is State.OK
    assert _events([])[0].state is State.WRONG


def test_the_manifest_asks_for_exactly_that() -> None:
    manifest = yaml.safe_load((ROOT / "app.yml").read_text())
    assert manifest["default_permissions"] == PERMISSIONS
    assert tuple(manifest["default_events"]) == EVENTS


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "warning"),
        ("http://riq.example.com", "warning"),
        ("http://localhost:8000", "ok"),
        ("https://riq.example.com", "ok"),
    ],
)
async def test_the_public_address_should_be_https(url: str, expected: str) -> None:
    assert await state("PUBLIC_URL", public_url=url) == expected


async def test_the_data_folder_must_be_one_that_can_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert await state("DATA_DIR", data_dir=tmp_path / "new" / "folder") is State.OK
    assert not (tmp_path / "new").exists()
    assert await state("DATA_DIR", data_dir=tmp_path / "file" / "below") is State.WRONG
    assert await state("STORAGE_URL", storage_url=f"file://{tmp_path}/objects") is State.OK
    with pytest.raises(UserError, match="cannot be kept"):
        await state("STORAGE_URL", storage_url=f"file://{tmp_path}/file/below")


async def test_secrets_are_measured_and_never_shown() -> None:
    assert await state("SECRET_KEY", secret_key=SECRET) is State.OK
    assert await state("SECRET_KEY", secret_key="short") is State.WARNING
    assert await state("GITHUB_WEBHOOK_SECRET", github_webhook_secret="short") is State.WARNING
    assert await state("GITHUB_WEBHOOK_SECRET", github_app_id="1") is State.WRONG


async def test_a_proxy_is_shown_without_its_password() -> None:
    [line] = await told("HTTPS_PROXY", https_proxy="http://me:hidden-pass@proxy.example.com:3128")
    assert line == Line(State.OK, "HTTPS_PROXY", "proxy.example.com:3128.")


async def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    assert await state("SSL_CERT_FILE", ssl_cert_file=str(tmp_path / "empty.pem")) is State.WRONG
