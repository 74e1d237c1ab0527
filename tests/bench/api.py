"""Lists and details of the API where there are a million rows of each, read over 16 connections at once."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg

from storage.embedded import embedded_services
from tests.bench.table import held, table
from tests.builders_api import PASSWORD
from tests.builders_many import Many, fill
from tests.processes import answers, environment, free_port, process

CONNECTIONS = 16
GOAL = 0.025
"""Seconds that one request of a hundred may exceed."""

UNLIMITED = dict.fromkeys(("REQUESTS_PER_MINUTE", "LOGINS_PER_MINUTE", "ANALYSES_PER_HOUR"), "1000000000")


def measure(folder: Path, *, rows: int, others: int, seconds: float) -> str:
    """The table. Raises AssertionError when a request was refused."""
    with ExitStack() as stack:
        services = stack.enter_context(embedded_services(folder / "services"))
        port = free_port()
        variables = environment(services, folder, {"GITHUB_WEBHOOK_SECRET": "w" * 32, "PORT": str(port), **UNLIMITED})
        stack.enter_context(process("migrate", variables, folder)).wait()
        many = fill(services.database_url, rows, others)
        web = stack.enter_context(process("web", variables, folder))
        url = f"http://127.0.0.1:{port}"
        web.wait_for(answers(f"{url}/api/v1/health/ready"))
        token = _owner(url, services.database_url, many)
        paths = _paths(services.database_url, many)
        return _figures(_load(port, seconds, token, paths), rows)


def _owner(url: str, database_url: str, many: Many) -> str:
    """The access token of somebody who may read everything of that organization, and single repositories of another one."""
    who = {"email": "mona@example.com", "password": PASSWORD}
    with httpx.Client(base_url=f"{url}/api/v1") as client:
        made = client.post("/auth/register", json=who)
        assert made.status_code == 201, made.text
        signed_in = client.post("/auth/login", json=who).json()["data"]
    with psycopg.connect(database_url) as connection:
        user = made.json()["data"]["id"]
        member = "INSERT INTO members (organization_id, user_id, github_role) VALUES (%s, %s, %s)"
        connection.execute(member, (many.organization_id, user, "owner"))
        connection.execute(member, (many.organization_id + 1, user, "viewer"))
        connection.execute(
            "INSERT INTO repository_readers (organization_id, repository_id, user_id, permission)"
            " SELECT organization_id, id, %s, 'read' FROM repositories WHERE organization_id = %s ORDER BY id LIMIT 20",
            (user, many.organization_id + 1),
        )
        connection.execute("UPDATE users SET seen_on_github_at = now() WHERE id = %s", (user,))
    return str(signed_in["access_token"])


def _paths(database_url: str, many: Many) -> list[str]:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT max(id) FROM analyses WHERE organization_id = %s AND status = 'completed'", (many.organization_id,)
        ).fetchone()
    assert row is not None
    one = f"organization_id={many.organization_id}"
    return [
        "/api/v1/analyses",
        f"/api/v1/analyses?{one}&limit=50",
        f"/api/v1/analyses?{one}&sort=-score",
        f"/api/v1/analyses?repository_id={many.repository_id}",
        f"/api/v1/analyses/{row[0]}",
        "/api/v1/proposals",
        "/api/v1/deliveries",
        f"/api/v1/jobs?{one}",
        f"/api/v1/audit?{one}",
        "/api/v1/uploads",
        "/api/v1/repositories",
    ]


def _load(port: int, seconds: float, token: str, paths: list[str]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.bench.get_load", str(port), str(CONNECTIONS), str(seconds), token, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=len(paths) * (seconds + 30))
    assert done.returncode == 0, done.stderr
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    refused = [run["refused"] for run in measured if run["refused"]]
    assert not refused, refused
    return measured


def _figures(measured: list[dict[str, Any]], rows: int) -> str:
    lines = [
        [
            run["path"],
            f"{run['per_second']:,.0f}",
            f"{run['p50'] * 1000:.1f}",
            f"{run['p99'] * 1000:.1f}",
            held(run["p99"] < GOAL),
        ]
        for run in measured
    ]
    title = f"The API at {rows:,} analyses, {CONNECTIONS} connections, one web process; goal: p99 below {GOAL * 1000:.0f} ms"
    return table(title, ["", "a second", "p50 ms", "p99 ms", "held"], lines)
