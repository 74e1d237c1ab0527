"""The sandbox's sign-in pages, and what a person's own token may see: as strict as GitHub's own."""

import base64
import hashlib
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.sandbox.github import SandboxGitHub

pytestmark = pytest.mark.integration

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def code(github: SandboxGitHub, **more: str) -> dict[str, str]:
    """What the browser brings back."""
    query = {"client_id": github.world.client_id, "state": "s", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    url = httpx.URL(f"{github.url}/login/oauth/authorize", params=query | more)
    return dict(parse_qsl(urlsplit(github.approve(str(url), "mona")).query))


def token(github: SandboxGitHub, **given: str) -> dict[str, str]:
    client = {"client_id": github.world.client_id, "client_secret": github.client_secret}
    answer = httpx.post(
        f"{github.url}/login/oauth/access_token", data=client | given, headers={"accept": "application/json"}, trust_env=False
    )
    body: dict[str, str] = answer.json()
    return body


@pytest.fixture(autouse=True)
def _mona(github: SandboxGitHub) -> None:
    github.person("mona", "Mona", [("mona@example.com", True, True)])


def test_a_code_is_good_once_for_whoever_knows_the_verifier_and_the_secret(github: SandboxGitHub) -> None:
    assert token(github, code=code(github)["code"], code_verifier="w" * 43)["error"] == "bad_verification_code"
    assert token(github, code=code(github)["code"])["error"] == "bad_verification_code"
    wrong = token(github, code=code(github)["code"], code_verifier=VERIFIER, client_secret="wrong")
    assert wrong["error"] == "incorrect_client_credentials"
    good = code(github)["code"]
    assert token(github, code=good, code_verifier=VERIFIER)["access_token"].startswith("ghu_")
    assert token(github, code=good, code_verifier=VERIFIER)["error"] == "bad_verification_code"


def test_browsers_are_sent_to_the_apps_callback_and_nowhere_else_and_only_with_s256(github: SandboxGitHub) -> None:
    assert code(github, redirect_uri="https://evil.example/")["error"] == "redirect_uri_mismatch"
    assert code(github, code_challenge_method="plain")["error"] == "invalid_request"


def test_a_refresh_token_is_good_once_and_ends_the_old_token(github: SandboxGitHub) -> None:
    first = token(github, code=code(github)["code"], code_verifier=VERIFIER)
    second = token(github, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second["access_token"] != first["access_token"]
    assert token(github, grant_type="refresh_token", refresh_token=first["refresh_token"])["error"] == "bad_refresh_token"
    with httpx.Client(base_url=github.api_url, trust_env=False) as api:
        statuses = [
            api.get("/user", headers={"authorization": f"Bearer {one['access_token']}"}).status_code for one in (first, second)
        ]
    assert statuses == [401, 200]


def test_a_person_is_told_of_what_they_may_read_and_not_of_the_rest(github: SandboxGitHub) -> None:
    github.create_repository("octo/hello")
    github.create_repository("octo/secret")
    github.create_repository("cats/closed")
    installed, other = github.install("octo"), github.install("cats")
    github.make_member("octo", "mona")
    github.allow("mona", "octo/hello", "maintain")
    given = token(github, code=code(github)["code"], code_verifier=VERIFIER)["access_token"]
    with httpx.Client(base_url=github.api_url, trust_env=False, headers={"authorization": f"Bearer {given}"}) as api:
        listed = api.get("/user/installations").json()
        [repository] = api.get(f"/user/installations/{installed.id}/repositories").json()["repositories"]
        assert [one["id"] for one in listed["installations"]] == [installed.id]
        assert repository["full_name"] == "octo/hello"
        assert [name for name, may in repository["permissions"].items() if may] == ["pull", "triage", "push", "maintain"]
        assert api.get(f"/user/installations/{other.id}/repositories").status_code == 404
        assert api.get("/user/memberships/orgs/octo").json()["role"] == "member"
        assert api.get("/user/memberships/orgs/cats").status_code == 404
        assert api.get("/user/emails").json()[0]["email"] == "mona@example.com"


def test_an_installations_token_is_nobodys_own(github: SandboxGitHub) -> None:
    github.create_repository("octo/hello")
    headers = {"authorization": f"Bearer {github.token(github.install('octo'))}"}
    assert httpx.get(f"{github.api_url}/user", headers=headers, trust_env=False).status_code == 401
