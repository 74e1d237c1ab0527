"""The fixtures of the walks: a house without models, one with both providers, and pull requests worth a review."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from review.providers import preload
from tests.conftest import own_database
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.sandbox.world import PullRequest, Repository
from tests.walks.house import SECRET_KEY, House, environment, open_house
from tests.walks.processes import Processes, processes

KEYS = {"OPENAI_API_KEY": "sk-openai-for-tests-only", "ANTHROPIC_API_KEY": "sk-anthropic-for-tests-only"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are meant for GitHub's replicas and for people pushing, cut short."""
    # The table of jobs gives its functions the names of their modules.
    monkeypatch.setattr(sys.modules["handlers.jobs.review_pull_request"], "REPLICA_LAG", 0.01)
    for name in ("handlers.publish.REPLICA_LAG", "bot.source.PAUSE"):
        monkeypatch.setattr(name, 0.01)
    monkeypatch.setattr("handlers.publish.LOOKS", (0.01, 0.05, 0.1))
    monkeypatch.setattr("handlers.reviewing.WATCH_EVERY", 0.1)


@pytest.fixture(scope="module")
def shared_database_url(postgres_url: str) -> Iterator[str]:
    """One migrated database for the walks of a module: to make one takes as long as a review."""
    yield from own_database(postgres_url)


@pytest.fixture
def emptied_database_url(shared_database_url: str) -> str:
    """That database, with nothing in it."""
    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM deliveries")
        connection.execute("DELETE FROM reviews")
        connection.execute("DELETE FROM organizations")  # and all that belongs to them
    return shared_database_url


@pytest.fixture
async def house(
    github: SandboxGitHub, models: SandboxModels, emptied_database_url: str, redis_url: str, tmp_path: Path, quick: None
) -> AsyncIterator[House]:
    """A house without a model's key."""
    given = environment(github, models, emptied_database_url, redis_url, tmp_path / "data")
    async with open_house(github, models, given) as opened:
        yield opened


@pytest.fixture
async def thinking_house(
    github: SandboxGitHub, models: SandboxModels, emptied_database_url: str, redis_url: str, tmp_path: Path, quick: None
) -> AsyncIterator[House]:
    """A house with the keys of both providers; the models find nothing until told otherwise."""
    preload()
    given = environment(github, models, emptied_database_url, redis_url, tmp_path / "data", **KEYS)
    async with open_house(github, models, given) as opened:
        yield opened


BASE = {
    "shop/cart.py": '"""A cart."""\n\n\ndef total(prices):\n    """The sum."""\n    return sum(prices)\n',
    "README.md": "# Shop\n",
}
MISTAKES = {
    "shop/cart.py": (
        '"""A cart."""\n\nimport subprocess\n\n\ndef total(prices, extra=[]):\n    """The sum."""\n'
        "    extra.append(1)\n    return sum(prices) + len(extra)\n\n\ndef label(name):\n"
        '    if name == None:\n        return ""\n    return subprocess.run(f"label {name}", shell=True)\n'
    )
}
"""A mutable default, a shell that obeys a stranger, a comparison with None."""

LEAK = {"config.js": f'export const key = "{"AKIA"}Q7XJ3M5N2P4R6T7V";\n'}
"""A key of AWS, as it looks: the quickest finding there is, for stories that are about something else."""

WRONG_SUM = {"src/sum.js": "export function sum(a, b) {\n  return a - b;\n}\n"}
"""A mistake that only a model sees: `says_wrong_sum` is what it says."""

SOUND = {"README.md": "# Shop\n\nIt sells.\n"}
"""Nothing to find."""


def says_wrong_sum(**changes: Any) -> dict[str, Any]:
    """A model's finding on WRONG_SUM, in the form that models are asked for."""
    return {
        "path": "src/sum.js",
        "line": 2,
        "quote": "  return a - b;",
        "severity": "high",
        "category": "correctness",
        "rule": "wrong-operator",
        "message": "The difference is returned where the sum is meant.",
        "confidence": 0.9,
        "fix": {"original": "  return a - b;", "replacement": "  return a + b;"},
        **changes,
    }


@pytest.fixture
def repository(github: SandboxGitHub) -> Repository:
    """A repository with the app installed."""
    made = github.create_repository("octo/shop", BASE)
    github.install("octo")
    return made


@pytest.fixture
def pull(github: SandboxGitHub, repository: Repository) -> PullRequest:
    """A member's pull request with one thing to find."""
    return github.open_pull_request(repository, LEAK, title="Labels")


NO_LIMITS = dict.fromkeys(("REQUESTS_PER_MINUTE", "LOGINS_PER_MINUTE", "ANALYSES_PER_HOUR"), "100000")


@pytest.fixture
def running(
    github: SandboxGitHub, models: SandboxModels, database_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Processes]:
    """Real processes, with the keys of both models; the test starts and kills what it wants."""
    given = environment(github, models, database_url, redis_url, tmp_path / "data", **KEYS)
    with processes(github, models, given, tmp_path / "logs") as held:
        yield held


@pytest.fixture
def alone(
    github: SandboxGitHub, models: SandboxModels, database_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Processes]:
    """Processes that know of no GitHub and of no model."""
    given = {
        "ENVIRONMENT": "test",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(tmp_path / "data"),
        "LOG_FORMAT": "json",
        **NO_LIMITS,
    }
    with processes(github, models, given, tmp_path / "logs") as held:
        yield held
        assert [line for line in held.log() if line.get("event") == "bug"] == []
