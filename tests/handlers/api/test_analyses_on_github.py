"""Analyses of pull requests and of repositories at a ref: what is read, who sees them, and that nothing is posted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.installations import Tenant
from tests.builders_analyses import BAD, asked, on_record, shown, types
from tests.builders_api import Api, Person, on_github, open_api
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.walks.conftest import says_wrong_sum

pytestmark = pytest.mark.api

SUM = "def total(items):\n    result = 0\n    for item in items:\n        result -= item\n    return result\n"


@pytest.fixture
async def api(
    github: SandboxGitHub, models: SandboxModels, database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Api]:
    """The API of an installation that is the sandbox's app."""
    more = {"openai_base_url": models.openai_base_url, "anthropic_base_url": models.anthropic_base_url}
    async with open_api(database_url, redis_url, tmp_path / "data", **on_github(github), **more) as opened:
        yield opened
        assert opened.bugs == []


async def a_member(api: Api, tenant: Tenant, name: str = "mona", *, reads: bool = True) -> Person:
    person = await api.person(name)
    api.join(person, tenant.organization_id, github="member")
    if reads:
        api.may_read(person, tenant)
    return person


def writes(github: SandboxGitHub) -> list[str]:
    """What was asked of GitHub besides reading and tokens."""
    asked_for = [f"{one.method} {one.path}" for one in github.rest_requests]
    return [one for one in asked_for if not one.startswith("GET ") and "access_tokens" not in one]


async def test_a_pull_request_is_analyzed_as_its_reviewer_sees_it_and_nothing_is_posted(
    api: Api, github: SandboxGitHub
) -> None:
    repository = github.create_repository("octo/app", {"old.py": BAD, "app.py": "a = 1\n"})
    tenant = await on_record(api, github, repository)
    pull = github.open_pull_request(repository, {"new.py": BAD})
    mona = await a_member(api, tenant)
    id = await asked(mona, repository="Octo/App", pull_request=pull.number)
    assert await api.work() == {}
    found = await shown(mona, id)
    assert (found["status"], found["subject"], found["pull_request"]) == ("completed", "pull_request", pull.number)
    assert (found["repository"], found["repository_id"]) == ("octo/app", tenant.repository_id)
    assert found["head_sha"] == pull.head_sha
    assert {issue["file"] for issue in found["results"]["issues"]} == {"new.py"}, "what was there before is not told"
    assert found["results"]["coverage"]["changed_lines"] == 6
    assert writes(github) == []


async def test_a_repository_at_a_ref_is_analyzed_whole_by_its_own_rules(api: Api, github: SandboxGitHub) -> None:
    rules = "paths:\n  exclude: [left/]\n"
    files = {"app.py": BAD, "left/b.py": BAD, "go.sum": "x\n", ".refactoriq.yml": rules, "empty.py": "", "README.md": "# Hi\n"}
    repository = github.create_repository("octo/app", files)
    tenant = await on_record(api, github, repository)
    mona = await a_member(api, tenant)
    id = await asked(mona, repository_id=tenant.repository_id, ref="main")
    assert await api.work() == {}
    found = await shown(mona, id)
    assert (found["status"], found["subject"], found["ref"]) == ("completed", "repository", "main")
    assert found["head_sha"] == repository.branch("main")
    assert {"security", "correctness"} <= types(found)
    assert {issue["file"] for issue in found["results"]["issues"]} == {"app.py"}
    skipped = {one["file"]: one["because"] for one in found["results"]["coverage"]["skipped"]}
    assert skipped == {"left/b.py": "left out by the rules", "go.sum": "lock file", "empty.py": "empty"}
    assert set(found["results"]["coverage"]["read"]) == {".refactoriq.yml", "README.md", "app.py"}
    assert writes(github) == []


async def test_what_is_not_there_fails_with_a_sentence(api: Api, github: SandboxGitHub) -> None:
    repository = github.create_repository("octo/app", {"app.py": BAD})
    tenant = await on_record(api, github, repository)
    mona = await a_member(api, tenant)
    no_ref = await asked(mona, repository="octo/app", ref="no-such")
    no_pull = await asked(mona, repository="octo/app", pull_request=99)
    await api.work()
    assert (await shown(mona, no_ref))["error"] == "octo/app has no branch, tag or commit no-such: check the name."
    assert (await shown(mona, no_pull))["error"].startswith("octo/app has no pull request 99")


async def test_a_member_who_may_not_read_the_repository_sees_nothing_of_its_analyses(api: Api, github: SandboxGitHub) -> None:
    repository = github.create_repository("octo/app", {"app.py": BAD})
    tenant = await on_record(api, github, repository)
    mona, hubot = await a_member(api, tenant), await a_member(api, tenant, "hubot", reads=False)
    id = await asked(mona, repository="octo/app", ref="main")
    await api.work()
    await shown(mona, id)
    answers = [
        await hubot.get(f"/analyses/{id}"),
        await hubot.delete(f"/analyses/{id}"),
        await hubot.post("/analyses", {"repository": "octo/app", "ref": "main"}),
        await hubot.post("/analyses", {"repository_id": tenant.repository_id, "ref": "main"}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert (await hubot.get("/analyses")).json()["data"]["items"] == []
    assert [one["id"] for one in (await mona.get("/analyses")).json()["data"]["items"]] == [id]


async def test_what_models_cost_is_counted_by_the_day(
    github: SandboxGitHub, models: SandboxModels, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    repository = github.create_repository("octo/app", {"sum.py": SUM})
    models.answer(findings=[says_wrong_sum()])
    given = on_github(github) | {"openai_base_url": models.openai_base_url, "openai_api_key": "sk-test"}
    async with open_api(database_url, redis_url, tmp_path / "data", **given) as api:
        tenant = await on_record(api, github, repository)
        mona = await a_member(api, tenant)
        id = await asked(mona, repository="octo/app", ref="main")
        await api.work()
        usage = (await shown(mona, id))["results"]["usage"]
        rows = api.sql("SELECT scope, provider, calls, input_tokens, output_tokens, cost::float FROM usage_days")
    assert (usage["calls"], usage["unpriced_models"]) == (1, [])
    assert usage["cost"] > 0
    expected = (tenant.repository_id, "openai", 1, usage["input_tokens"], usage["output_tokens"], usage["cost"])
    assert rows == [expected]


async def test_an_installation_that_is_gone_is_told_before_anything_is_queued(api: Api, github: SandboxGitHub) -> None:
    repository = github.create_repository("octo/app", {"app.py": BAD})
    tenant = await on_record(api, github, repository)
    mona = await a_member(api, tenant)
    api.sql("UPDATE installations SET state = 'suspended'")
    answer = await mona.post("/analyses", {"repository": "octo/app", "ref": "main"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert api.sql("SELECT count(*) FROM analyses") == [(0,)]
