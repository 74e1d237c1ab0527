"""The running API against its own description: whatever a program makes of it, the answers are as described."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bot.settings import read_settings
from bot.web import Doors
from handlers.api import ENDPOINTS
from handlers.api.openapi import describe
from handlers.middleware import Guarded
from tests.builders_api import PASSWORD
from tests.conftest import own_database

pytestmark = [pytest.mark.api, pytest.mark.slow]

EXAMPLES = 10
AT_GITHUB = "^/auth/github"
"""Sends people to GitHub, which is not there."""

# Parameters that nobody knows are ignored in a query, as they are everywhere on the web: sending them tries nothing.
CONFIG = SchemathesisConfig.from_dict({"generation": {"allow-extra-parameters": False}})
schema = schemathesis.openapi.from_dict(describe(ENDPOINTS, ""), config=CONFIG).exclude(path_regex=AT_GITHUB)


@dataclass(slots=True)
class Running:
    """The API on a port, with an administrator and something to see. `bugs` are the errors that it reported."""

    url: str
    email: str
    bugs: list[BaseException]

    def signed_in(self) -> dict[str, str]:
        """Headers of a new session: many a call ends the one that it is made in."""
        answer = httpx.post(f"{self.url}/auth/login", json={"email": self.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}


@pytest.fixture(scope="module")
def own_database_url(postgres_url: str) -> Iterator[str]:
    yield from own_database(postgres_url)


@pytest.fixture
def running(own_database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Running]:
    """The web process in a thread."""
    many = dict.fromkeys(("requests_per_minute", "logins_per_minute", "analyses_per_hour"), 1_000_000)
    read = read_settings(
        environment="test",
        secret_key="k" * 40,
        database_url=own_database_url,
        redis_url=redis_url,
        data_dir=str(tmp_path),
        **many,
    )
    bugs: list[BaseException] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = Guarded(Doors(read), lambda error, **_: bugs.append(error))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, proxy_headers=False))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield _peopled(f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1", own_database_url, bugs)
        server.should_exit = True
        thread.join(20)
    assert bugs == []


def _peopled(url: str, database_url: str, bugs: list[BaseException]) -> Running:
    """With somebody else, whose low id is the one that is hit by chance, and an administrator."""
    emails = [f"{name}-{time.monotonic_ns()}@example.com" for name in ("mona", "admin")]
    for email in emails:
        made = httpx.post(f"{url}/auth/register", json={"email": email, "password": PASSWORD})
        assert made.status_code == 201, made.text
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE users SET administrator = true WHERE email = %s", (emails[-1],))
    running = Running(url, emails[-1], bugs)
    headers = running.signed_in()
    httpx.post(f"{url}/uploads", files={"files": ("a.py", b"print(1)\n")}, headers=headers).raise_for_status()
    httpx.post(f"{url}/auth/api-keys", json={"name": "ci", "scopes": ["upload:read"]}, headers=headers).raise_for_status()
    return running


# It writes no archives by itself; those have tests of their own.
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload media types")
@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_as_described(case: schemathesis.Case, running: Running) -> None:
    """What fits the description may be refused all the same: a link that was never mailed, a cursor that no list gave out."""
    case.call_and_validate(base_url=running.url, headers=running.signed_in(), excluded_checks=[positive_data_acceptance])
