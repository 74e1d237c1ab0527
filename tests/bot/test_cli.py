"""The command line itself: help, sentences in place of stack traces, exit codes, a quick start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
COMMANDS = ("review", "serve", "web", "worker", "migrate", "doctor", "jobs")
HEAVY = ("alembic", "anthropic", "githubkit", "openai", "psycopg", "redis", "rq", "starlette", "uvicorn")


def refactoriq(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder, with these settings and none of this machine's."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "100"} | settings
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_help_names_every_command(tmp_path: Path) -> None:
    done = refactoriq(tmp_path, "--help")
    assert done.returncode == 0
    assert [name for name in COMMANDS if f" {name} " not in done.stdout] == []


def test_the_help_of_review_names_its_options(tmp_path: Path) -> None:
    done = refactoriq(tmp_path, "review", "--help")
    assert done.returncode == 0
    assert [o for o in ("--base", "--head", "--format", "--fail-on", "--apply") if o not in done.stdout] == []


@pytest.mark.parametrize("arguments", [("nonsense",), ("review", "--nonsense"), ("jobs", "retry")])
def test_a_command_line_that_is_none_is_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = refactoriq(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["web", "worker", "migrate", "jobs"])
def test_a_process_without_its_database_says_what_to_set(tmp_path: Path, command: str) -> None:
    done = refactoriq(tmp_path, command)
    assert done.returncode == 2
    assert done.stderr.startswith("refactoriq: ") and "_URL is not set" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["web", "worker", "migrate", "serve"])
def test_production_without_secrets_does_not_start(tmp_path: Path, command: str) -> None:
    done = refactoriq(tmp_path, command, ENVIRONMENT="production")
    assert done.returncode == 2
    assert "SECRET_KEY is missing" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_serve_on_a_database_that_is_away_ends_with_a_sentence(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/app", "REDIS_URL": "redis://127.0.0.1:1"}
    done = refactoriq(tmp_path, "serve", **away)
    assert done.returncode == 2
    assert "could not be migrated" in done.stderr and "Traceback" not in done.stderr


def test_the_command_line_imports_nothing_that_only_one_command_needs() -> None:
    program = f"import bot.cli, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_review_imports_no_server_no_database_and_no_sdk(tmp_path: Path) -> None:
    program = f"import bot.commands.review, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
