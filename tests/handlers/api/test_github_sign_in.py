"""Signing in with GitHub: new accounts, known ones, links, and everybody who should not get in."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.builders_api import Api, open_api
from tests.builders_sign_in import HOME, begin, github_settings, sign_in
from tests.sandbox.github import SandboxGitHub

pytestmark = pytest.mark.api

MONA = [("old@example.com", False, True), ("mona@example.com", True, True)]


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path, github: SandboxGitHub) -> AsyncIterator[Api]:
    """The API, set up for signing in on the sandbox's GitHub."""
    github.person("mona", "Mona Lisa", MONA)
    async with open_api(database_url, redis_url, tmp_path, **github_settings(github)) as opened:
        yield opened
        assert opened.bugs == []


async def me(api: Api, signed_in: httpx.Response) -> dict[str, object]:
    assert signed_in.status_code == 200, signed_in.text
    token = signed_in.json()["data"]["access_token"]
    answer = await api.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    data: dict[str, object] = answer.json()["data"]
    return data


async def test_whoever_signs_in_for_the_first_time_gets_an_account_with_their_proved_address(
    api: Api, github: SandboxGitHub
) -> None:
    account = await me(api, await sign_in(api, github))
    assert account["email"] == "mona@example.com"
    assert account["full_name"] == "Mona Lisa"
    assert account["github_login"] == "mona"
    assert account["email_confirmed"] is True


async def test_the_second_sign_in_finds_the_account_of_the_first_whatever_the_login_is_by_then(
    api: Api, github: SandboxGitHub
) -> None:
    first = await me(api, await sign_in(api, github))
    github.person("mona").user.login = "lisa"
    second = await me(api, await sign_in(api, github))
    assert second["id"] == first["id"]
    assert second["github_login"] == "lisa"


async def test_the_browser_is_sent_away_with_state_and_pkce_and_a_cookie_that_no_script_reads(api: Api) -> None:
    there = await begin(api)
    query = dict(parse_qsl(urlsplit(there.headers["location"]).query))
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert query["redirect_uri"] == f"{HOME}/api/v1/auth/github/callback"
    cookie = there.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/api/v1/auth/github" in cookie
    assert query["state"] not in cookie


async def test_behind_https_the_cookie_goes_back_by_https_alone(
    database_url: str, redis_url: str, tmp_path: Path, github: SandboxGitHub
) -> None:
    settings = {"github_client_id": "x", "github_client_secret": "y", "public_url": "https://refactoriq.example.com"}
    async with open_api(database_url, redis_url, tmp_path, **settings) as api:
        there = await begin(api)
    assert "Secure" in there.headers["set-cookie"]


async def test_a_callback_in_another_browser_signs_nobody_in_and_ends_the_sign_in(api: Api, github: SandboxGitHub) -> None:
    back = github.approve((await begin(api)).headers["location"], "mona")
    cookies = dict(api.client.cookies)
    api.client.cookies.clear()
    assert (await api.client.get(back)).status_code == 401
    api.client.cookies.update(cookies)
    assert (await api.client.get(back)).status_code == 401
    assert api.sql("SELECT count(*) FROM users") == [(0,)]


async def test_a_state_that_we_never_gave_out_is_refused(api: Api, github: SandboxGitHub) -> None:
    back = github.approve((await begin(api)).headers["location"], "mona")
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    answer = await api.client.get("/api/v1/auth/github/callback", params={"code": code, "state": "forged"})
    assert answer.status_code == 401


async def test_a_callback_is_good_once(api: Api, github: SandboxGitHub) -> None:
    back = github.approve((await begin(api)).headers["location"], "mona")
    cookies = dict(api.client.cookies)
    assert (await api.client.get(back)).status_code == 200
    api.client.cookies.update(cookies)
    assert (await api.client.get(back)).status_code == 401


async def test_a_code_that_was_stolen_from_another_sign_in_does_not_fit_the_verifier(api: Api, github: SandboxGitHub) -> None:
    stolen = dict(parse_qsl(urlsplit(github.approve((await begin(api)).headers["location"], "mona")).query))["code"]
    mine = dict(parse_qsl(urlsplit((await begin(api)).headers["location"]).query))["state"]
    answer = await api.client.get("/api/v1/auth/github/callback", params={"code": stolen, "state": mine})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused_by_github")
    assert api.sql("SELECT count(*) FROM users") == [(0,)]


async def test_whoever_presses_cancel_is_told_so(api: Api, github: SandboxGitHub) -> None:
    github.world.people.denies = True
    answer = await sign_in(api, github)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused_by_github")
    assert "access_denied" in answer.json()["error"]["message"]


async def test_an_address_that_somebody_registered_without_proving_it_gives_them_nothing_of_its_owner(
    api: Api, github: SandboxGitHub
) -> None:
    squatter = await api.person("mona")
    account = await me(api, await sign_in(api, github))
    assert account["id"] != squatter.id
    assert account["email"] is None
    assert (await squatter.get("/auth/me")).json()["data"]["github_login"] == ""


async def test_an_address_that_both_sides_have_proof_of_is_the_same_person(api: Api, github: SandboxGitHub) -> None:
    mona = await api.person("mona")
    api.sql("UPDATE users SET confirmed_at = now() WHERE id = %s", (mona.id,))
    assert (await me(api, await sign_in(api, github)))["id"] == mona.id


async def test_an_address_that_github_has_no_proof_of_is_not_taken(api: Api, github: SandboxGitHub) -> None:
    github.person("hubot", "", [("boss@example.com", True, False)])
    boss = await api.person("boss")
    api.sql("UPDATE users SET confirmed_at = now() WHERE id = %s", (boss.id,))
    account = await me(api, await sign_in(api, github, "hubot"))
    assert account["id"] != boss.id
    assert account["email"] is None


async def test_without_the_permission_for_addresses_people_sign_in_all_the_same(api: Api, github: SandboxGitHub) -> None:
    github.world.people.may_read_emails = False
    assert (await me(api, await sign_in(api, github)))["email"] is None


async def test_github_is_linked_to_the_account_that_is_signed_in(api: Api, github: SandboxGitHub) -> None:
    boss = await api.person("boss")
    headers = {"Authorization": f"Bearer {boss.tokens['access_token']}"}
    account = await me(api, await sign_in(api, github, params={"link": "true"}, headers=headers))
    assert account["id"] == boss.id
    assert account["github_login"] == "mona"
    assert (await me(api, await sign_in(api, github)))["id"] == boss.id


async def test_linking_takes_a_session_and_lasts_no_longer_than_it(api: Api, github: SandboxGitHub) -> None:
    assert (await api.client.get("/api/v1/auth/github", params={"link": "true"})).status_code == 401
    boss = await api.person("boss")
    headers = {"Authorization": f"Bearer {boss.tokens['access_token']}"}
    there = await begin(api, params={"link": "true"}, headers=headers)
    await boss.post("/auth/logout")
    assert (await api.client.get(github.approve(there.headers["location"], "mona"))).status_code == 401
    assert api.sql("SELECT github_id FROM users") == [(None,)]


async def test_a_github_account_belongs_to_one_user_and_a_user_has_one(api: Api, github: SandboxGitHub) -> None:
    first = await me(api, await sign_in(api, github))
    boss = await api.person("boss")
    headers = {"Authorization": f"Bearer {boss.tokens['access_token']}"}
    taken = await sign_in(api, github, params={"link": "true"}, headers=headers)
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "conflict")
    github.person("hubot")
    assert (await sign_in(api, github, "hubot", params={"link": "true"}, headers=headers)).status_code == 200
    github.person("lisa")
    assert (await sign_in(api, github, "lisa", params={"link": "true"}, headers=headers)).status_code == 409
    rows = api.sql("SELECT id, github_login FROM users ORDER BY id")
    assert rows == [(first["id"], "mona"), (boss.id, "hubot")]


async def test_a_closed_account_does_not_open_by_github(api: Api, github: SandboxGitHub) -> None:
    account = await me(api, await sign_in(api, github))
    api.sql("UPDATE users SET disabled_at = now() WHERE id = %s", (account["id"],))
    assert (await sign_in(api, github)).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\tb", ""])
async def test_the_way_back_leads_to_a_path_of_ours_and_nowhere_else(api: Api, path: str) -> None:
    assert (await api.client.get("/api/v1/auth/github", params={"redirect": path})).status_code == 422


async def test_the_path_that_was_asked_for_comes_with_the_tokens(api: Api, github: SandboxGitHub) -> None:
    answer = await sign_in(api, github, params={"redirect": "/analyses?page=2"})
    assert answer.json()["data"]["redirect"] == "/analyses?page=2"
    assert answer.headers["cache-control"] == "no-store"


async def test_without_a_client_id_it_is_off_and_says_what_to_set(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with open_api(database_url, redis_url, tmp_path) as api:
        for path in ("/auth/github", "/auth/github/callback"):
            answer = await api.client.get(f"/api/v1{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "feature_off")
            assert "GITHUB_CLIENT_ID" in answer.json()["error"]["message"]


async def test_what_github_lets_us_act_with_is_kept_encrypted(api: Api, github: SandboxGitHub) -> None:
    await me(api, await sign_in(api, github))
    kept = bytes(api.sql("SELECT github_tokens FROM users")[0][0])
    tokens = github.world.people.tokens.values()
    assert not any(token.text.encode() in kept or token.refresh.encode() in kept for token in tokens)


async def test_a_wrong_client_secret_is_a_sentence_for_the_administrator(
    database_url: str, redis_url: str, tmp_path: Path, github: SandboxGitHub
) -> None:
    github.person("mona")
    settings = github_settings(github) | {"github_client_secret": "wrong"}
    async with open_api(database_url, redis_url, tmp_path, **settings) as api:
        answer = await sign_in(api, github)
    assert answer.status_code == 409
    assert "GITHUB_CLIENT_SECRET" in answer.json()["error"]["message"]


async def test_while_github_is_away_nobody_signs_in_and_is_asked_to_come_again(api: Api, github: SandboxGitHub) -> None:
    github.fault("POST", "/login/oauth/access_token", "500")
    answer = await sign_in(api, github)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
