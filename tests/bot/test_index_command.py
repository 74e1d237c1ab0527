"""`refactoriq index`: an installed repository from the command line, and what would be indexed of a checkout."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.commands.index import index
from bot.worker import attempt
from review.errors import UserError
from tests.builders import a_checkout
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.walks.house import House, environment, open_house

pytestmark = pytest.mark.integration

FILES = {
    "shop/cart.py": "def total(prices):\n    return sum(prices)\n",
    "shop/label.js": "function label(name) {\n  return name;\n}\n",
    "binary.py": b"\x00\x01",
    "logo.png": b"\x89PNG",
}


def test_of_a_checkout_it_shows_what_would_be_indexed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_checkout(tmp_path / "shop", FILES, {"shop/more.py": "x = 1\n"})
    index(str(tmp_path / "shop"))
    said = capsys.readouterr().out
    assert "python                2 files          3 lines" in said
    assert "javascript             1 file          3 lines" in said
    assert "Together 3 files, 6 lines, " in said
    assert "2 files left out:" in said
    assert "1  binary" in said
    assert "Nothing was kept." in said


@pytest.mark.parametrize("what", ["nonsense", "a/b/c", "-", "https://github.com/octo/shop"])
def test_what_is_neither_a_folder_nor_a_name_is_said(what: str) -> None:
    with pytest.raises(UserError, match="neither a folder on this machine nor OWNER/REPO"):
        index(what)


def test_a_folder_without_a_repository_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not in a git repository"):
        index(str(tmp_path))


@pytest.fixture
def installed(
    github: SandboxGitHub,
    models: SandboxModels,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """A repository with the app on it, and the settings of a RefactorIQ that knows it, in the environment."""
    github.create_repository("octo/shop", FILES)
    given = environment(github, models, database_url, redis_url, tmp_path / "data")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    # Logs of the test process stay as they are.
    monkeypatch.setattr("bot.commands.index.set_up_logs", lambda _settings: None)
    return given


async def told(github: SandboxGitHub, models: SandboxModels, given: dict[str, str]) -> None:
    """GitHub tells of the installation; nothing is indexed yet."""
    async with open_house(github, models, given) as house:
        await install(house)


async def install(house: House) -> None:
    await house.deliver("installation", house.github.installation_payload(house.github.install("octo")))
    job = await house.next_job()
    assert job is not None
    await attempt(house.settings, job["kind"], job["arguments"])


def test_an_installed_repository_is_indexed_in_this_process(
    github: SandboxGitHub, models: SandboxModels, installed: dict[str, str]
) -> None:
    asyncio.run(told(github, models, installed))
    done = CliRunner().invoke(app, ["index", "OCTO/shop"])
    assert done.exit_code == 0, done.output
    assert "Indexed octo/shop at " in done.stdout
    assert ": 2 files, " in done.stdout
    assert "; 2 parsed; 2 skipped" in done.stdout
    again = CliRunner().invoke(app, ["index", "octo/shop"])
    assert "; 0 parsed" in again.stdout


def test_an_unknown_repository_is_said_to_be_not_installed(installed: dict[str, str]) -> None:
    with pytest.raises(UserError, match="octo/other is not installed: install the app on it"):
        index("octo/other")
