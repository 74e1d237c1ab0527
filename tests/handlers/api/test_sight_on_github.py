"""What people see is what GitHub lets them see, as it says now: roles, repositories, and what they lost there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers import sight_on_github
from tests.builders_api import Api, Person, open_api
from tests.builders_sign_in import github_settings, signed_in
from tests.sandbox.github import SandboxGitHub

pytestmark = pytest.mark.api


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path, github: SandboxGitHub) -> AsyncIterator[Api]:
    """The API, and an organization on the sandbox's GitHub with two repositories and the app on both."""
    for name in ("octo/hello", "octo/secret"):
        github.create_repository(name)
    github.install("octo")
    async with open_api(database_url, redis_url, tmp_path, **github_settings(github)) as opened:
        yield opened
        assert opened.bugs == []


async def repositories(person: Person) -> list[str]:
    answer = await person.get("/repositories")
    assert answer.status_code == 200, answer.text
    return [one["full_name"] for one in answer.json()["data"]["items"]]


async def roles(person: Person) -> dict[str, str]:
    """By the organization's login; without their own place."""
    answer = await person.get("/organizations")
    return {one["login"]: one["role"] for one in answer.json()["data"]["items"] if one["kind"] != "Personal"}


def grow_old(api: Api, hours: float = 0.3) -> None:
    """What GitHub said was said so long ago."""
    api.sql("UPDATE users SET seen_on_github_at = seen_on_github_at - make_interval(secs => %s)", (hours * 3600,))


def asked(github: SandboxGitHub) -> int:
    return sum(exchange.path == "/user/installations" for exchange in github.requests)


async def test_a_member_sees_the_repositories_that_they_may_read_and_no_others(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona")
    github.allow("mona", "octo/hello", "push")
    mona = await signed_in(api, github)
    assert await repositories(mona) == ["octo/hello"]
    assert await roles(mona) == {"octo": "member"}
    secret = api.sql("SELECT id FROM repositories WHERE full_name = 'octo/hello'")[0][0]
    assert (await mona.get(f"/repositories/{secret}")).status_code == 200


async def test_an_admin_of_the_organization_owns_it_here_and_reads_all_of_it(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    assert await repositories(mona) == ["octo/hello", "octo/secret"]
    assert await roles(mona) == {"octo": "owner"}


@pytest.mark.parametrize(("role", "state"), [("admin", "pending"), ("billing_manager", "active"), ("", "")])
async def test_whoever_is_no_member_yet_or_none_at_all_is_a_viewer(
    api: Api, github: SandboxGitHub, role: str, state: str
) -> None:
    github.allow("mona", "octo/hello", "admin")
    if role:
        github.make_member("octo", "mona", role, state)
    mona = await signed_in(api, github)
    assert await roles(mona) == {"octo": "viewer"}
    assert await repositories(mona) == ["octo/hello"]


async def test_a_person_owns_what_is_installed_on_their_own_account(api: Api, github: SandboxGitHub) -> None:
    github.create_repository("mona/notes", owner_type="User")
    github.install("mona")
    github.person("mona")
    github.allow("hubot", "mona/notes")
    assert await roles(await signed_in(api, github)) == {"mona": "owner"}
    assert await roles(await signed_in(api, github, "hubot")) == {"mona": "viewer"}


async def test_without_the_permission_to_read_members_everybody_is_a_viewer(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    for installation in github.world.installations.values():
        del installation.permissions["members"]
    assert await roles(await signed_in(api, github)) == {"octo": "viewer"}


async def test_what_is_lost_on_github_is_gone_at_the_next_asking(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona")
    github.allow("mona", "octo/hello")
    github.allow("mona", "octo/secret")
    mona = await signed_in(api, github)
    secret = api.sql("SELECT id FROM repositories WHERE full_name = 'octo/secret'")[0][0]
    github.allow("mona", "octo/secret", None)
    assert (await mona.get(f"/repositories/{secret}")).status_code == 200
    grow_old(api)
    assert (await mona.get(f"/repositories/{secret}")).status_code == 404
    assert await repositories(mona) == ["octo/hello"]
    github.allow("mona", "octo/hello", None)
    github.leave("octo", "mona")
    grow_old(api)
    assert (await repositories(mona), await roles(mona)) == ([], {})
    assert api.sql("SELECT count(*) FROM repository_readers") == [(0,)]


async def test_a_role_that_was_set_here_outlives_github_and_opens_nothing(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona")
    github.allow("mona", "octo/hello")
    mona = await signed_in(api, github)
    api.sql("UPDATE members SET role = 'admin' WHERE user_id = %s AND github_role = 'member'", (mona.id,))
    github.leave("octo", "mona")
    github.allow("mona", "octo/hello", None)
    grow_old(api)
    assert (await repositories(mona), await roles(mona)) == ([], {"octo": "admin"})


async def test_the_app_removed_or_suspended_shows_nothing(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    installation = next(iter(github.world.installations.values()))
    installation.suspended = True
    grow_old(api)
    assert (await repositories(mona), await roles(mona)) == ([], {})
    installation.suspended = False
    grow_old(api)
    assert await roles(mona) == {"octo": "owner"}
    installation.removed = True
    grow_old(api)
    assert await roles(mona) == {}


async def test_a_repository_that_was_taken_from_the_app_does_not_come_back_by_a_late_answer(
    api: Api, github: SandboxGitHub
) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    api.sql("UPDATE repositories SET removed = true WHERE full_name = 'octo/secret'")
    grow_old(api)
    assert await repositories(mona) == ["octo/hello"]


async def test_installations_of_another_app_count_for_nothing(
    database_url: str, redis_url: str, tmp_path: Path, github: SandboxGitHub
) -> None:
    github.create_repository("octo/hello")
    github.install("octo")
    github.make_member("octo", "mona", "admin")
    settings = github_settings(github) | {"github_app_id": "99"}
    async with open_api(database_url, redis_url, tmp_path, **settings) as api:
        assert await roles(await signed_in(api, github)) == {}


async def test_access_that_was_taken_back_ends_everything_of_github_but_not_the_account(
    api: Api, github: SandboxGitHub
) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    github.world.people.revoke("mona")
    grow_old(api)
    assert (await repositories(mona), await roles(mona)) == ([], {})
    assert api.sql("SELECT github_tokens FROM users") == [(None,)]
    assert (await mona.get("/auth/me")).status_code == 200
    assert await roles(await signed_in(api, github)) == {"octo": "owner"}


async def test_while_github_is_away_what_was_known_counts_for_a_day(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    github.fault("GET", "/user/installations", "500", times=100)
    grow_old(api, hours=23)
    assert await roles(mona) == {"octo": "owner"}
    grow_old(api, hours=2)
    assert (await repositories(mona), await roles(mona)) == ([], {})
    assert api.sql("SELECT count(*) FROM members WHERE github_role IS NOT NULL") == [(1,)]


async def test_after_a_failure_github_is_left_in_peace_for_a_while(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    github.fault("GET", "/user/installations", "secondary_limit", times=100)
    grow_old(api)
    before = asked(github)
    for _ in range(3):
        assert await roles(mona) == {"octo": "owner"}
    assert asked(github) == before + 1


async def test_requests_that_come_at_once_ask_once(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    grow_old(api)
    before = asked(github)
    found = await asyncio.gather(*(roles(mona) for _ in range(8)))
    assert found == [{"octo": "owner"}] * 8
    assert asked(github) == before + 1


async def test_what_was_asked_lately_is_not_asked_again(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    before = len(github.requests)
    await roles(mona)
    assert len(github.requests) == before


async def test_a_request_does_not_wait_long_for_a_slow_github_and_its_answer_is_kept_all_the_same(
    api: Api, github: SandboxGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.make_member("octo", "mona")
    github.allow("mona", "octo/hello")
    mona = await signed_in(api, github)
    monkeypatch.setattr(sight_on_github, "WAIT", 0.1)
    github.leave("octo", "mona")
    github.allow("mona", "octo/hello", None)
    github.fault("GET", "/user/installations", "slow", seconds=0.6)
    grow_old(api)
    assert await roles(mona) == {"octo": "member"}
    async with asyncio.timeout(10):
        while await roles(mona):
            await asyncio.sleep(0.05)


async def test_an_expired_token_is_renewed_and_the_new_one_kept(api: Api, github: SandboxGitHub) -> None:
    github.world.people.token_seconds = 60  # less than the margin
    github.make_member("octo", "mona")
    github.allow("mona", "octo/hello")
    mona = await signed_in(api, github)
    for _ in range(2):  # with the old refresh token, the second time would end it all
        grow_old(api)
        assert await roles(mona) == {"octo": "member"}
    assert len(github.world.people.tokens) == 4
    assert sum(token.alive for token in github.world.people.tokens.values()) == 1


async def test_a_token_that_github_lost_is_renewed(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    for token in github.world.people.tokens.values():
        token.revoked = True
    grow_old(api)
    assert await roles(mona) == {"octo": "owner"}


async def test_more_than_a_page_of_repositories_is_read_whole(api: Api, github: SandboxGitHub) -> None:
    for number in range(105):
        github.create_repository(f"octo/r{number:03}")
        github.allow("mona", f"octo/r{number:03}")
    mona = await signed_in(api, github)
    assert api.sql("SELECT count(*) FROM repository_readers WHERE user_id = %s", (mona.id,)) == [(105,)]


async def test_what_changed_by_github_is_on_record_in_the_organization(api: Api, github: SandboxGitHub) -> None:
    github.make_member("octo", "mona", "admin")
    mona = await signed_in(api, github)
    grow_old(api)
    await roles(mona)
    github.make_member("octo", "mona")
    github.allow("mona", "octo/hello")
    grow_old(api)
    await roles(mona)
    octo = api.sql("SELECT id FROM organizations WHERE login = 'octo'")[0][0]
    rows = api.sql("SELECT actor, subject, details FROM audit_logs WHERE organization_id = %s ORDER BY id", (octo,))
    said = [("GitHub", f"user:{mona.id}", {"github_role": role}) for role in ("owner", "member")]
    assert rows == said
