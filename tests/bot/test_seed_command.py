"""`refactoriq seed`: real data for every list, made once, made anew, and never in production."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.commands.seed import DEMO, seed
from review.errors import UserError
from tests.builders_api import Person, open_api

pytestmark = [pytest.mark.integration, pytest.mark.slow]

STATES = {"ignored", "received", "running", "retrying", "done", "superseded", "failed"}


@pytest.fixture
def here(database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of this test's database, and no model's key."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "ENVIRONMENT": "test", "SECRET_KEY": "a secret key that only tests use, long enough", "DATABASE_URL": database_url,
        "REDIS_URL": redis_url, "DATA_DIR": str(tmp_path), "OPENAI_API_KEY": "sk-never-asked", "OPENAI_BASE_URL": "http://[::1]:9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


@pytest.fixture
def password(here: None, capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed of the first run."""
    seed()
    said = capsys.readouterr().out
    assert f"Sign in as {DEMO}" in said
    return said.rsplit(": ", 1)[1].strip()


@pytest.fixture
async def demo(password: str, database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Person]:
    """The sample's user, signed in with that password."""
    async with open_api(database_url, redis_url, tmp_path) as api:
        answer = await api.client.post("/api/v1/auth/login", json={"email": DEMO, "password": password})
        assert answer.status_code == 200, answer.text
        [(id, home)] = api.sql("SELECT id, home_id FROM users WHERE email = %s", (DEMO,))
        yield Person(api, id, home, DEMO, answer.json()["data"])
        assert api.bugs == []


async def test_every_list_shows_something_to_the_sample_user(demo: Person) -> None:
    organization = next(one for one in await items(demo, "/organizations") if one["login"] == "octo-sample")
    of_it = {"organization_id": organization["id"]}
    assert len(await items(demo, "/repositories", of_it)) == 3
    assert {one["role"] for one in await items(demo, f"/organizations/{organization['id']}/members")} == {
        "owner", "admin", "maintainer", "member", "viewer",
    }  # fmt: skip
    analyses = await items(demo, "/analyses", of_it)
    assert len(analyses) == 40
    assert {one["status"] for one in analyses} == {"completed", "failed", "cancelled"}
    assert len({one["created_at"][:10] for one in analyses}) > 20
    assert len({one["score"] for one in analyses}) > 4
    assert {one["state"] for one in await items(demo, "/deliveries", of_it)} == STATES
    assert {one["state"] for one in await items(demo, "/jobs", of_it)} == STATES - {"ignored"}
    assert {one["state"] for one in await items(demo, "/proposals", of_it)} == {"proposed", "rejected", "applied"}
    assert [one["status"] for one in await items(demo, "/exports")] == ["ready"]
    assert len(await items(demo, "/audit", of_it)) > 40
    assert len(await items(demo, "/users")) == 5
    used = (await demo.get("/usage", params=of_it)).json()["data"]
    assert len(used["items"]) > 20 and used["total_cost"] > 0
    await _is_really_there(demo)


async def _is_really_there(demo: Person) -> None:
    """Files, a patch, and results, behind what the lists show."""
    [upload, *_] = await items(demo, "/uploads")
    zipped = await demo.get(f"/uploads/{upload['upload_id']}", headers={"Accept": "application/zip"})
    assert zipped.content.startswith(b"PK")
    [applied] = await items(demo, "/proposals", {"state": "applied"})
    assert (await demo.get(f"/proposals/{applied['proposal_id']}/patch")).content.startswith(b"diff --git")
    worst = (await items(demo, "/analyses", {"sort": "score"}))[0]
    results = (await demo.get(f"/analyses/{worst['id']}")).json()["data"]["results"]
    assert {"security", "correctness"} <= {issue["type"] for issue in results["issues"]}


def test_a_second_run_changes_nothing_and_force_makes_it_anew(
    password: str, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(database_url)
    seed()
    assert "is there already" in capsys.readouterr().out
    assert everything(database_url) == before
    seed(force=True)
    assert password not in capsys.readouterr().out
    after = everything(database_url)
    assert {table: len(ids) for table, ids in after.items()} == {table: len(ids) for table, ids in before.items()}
    assert not set(after["analyses"]) & set(before["analyses"])


def test_production_is_refused_with_a_sentence(here: None, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(UserError, match="sample data does not belong here"):
        seed()
    assert everything(database_url)["organizations"] == []


async def items(demo: Person, path: str, query: Mapping[str, Any] = {}) -> list[dict[str, Any]]:
    """All that one page of that list shows."""
    answer = await demo.get(path, params={**query, "limit": 100})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["items"]
    return found


def everything(database_url: str) -> dict[str, list[Any]]:
    """The ids in every table that the sample fills."""
    tables = ("organizations", "users", "repositories", "analyses", "uploads", "proposals", "exports", "deliveries")
    with psycopg.connect(database_url) as connection:
        return {
            table: [row[0] for row in connection.execute(f"SELECT id FROM {table} ORDER BY id").fetchall()] for table in tables
        }
