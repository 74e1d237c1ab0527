"""The sandbox's door: app JWTs, installation tokens, permissions, and what a stranger may see."""

import time

import httpx
import jwt
import pytest

from tests.sandbox.app_key import AppKey, make_app_key
from tests.sandbox.conftest import Octo, app_jwt
from tests.sandbox.github import SandboxGitHub

pytestmark = pytest.mark.integration


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("issuer", ["4711", "Iv23liSANDBOX4711"])
def test_a_fresh_jwt_of_the_app_is_let_in_under_its_id_or_client_id(bare: httpx.Client, app_key: AppKey, issuer: str) -> None:
    answer = bare.get("/app", headers=bearer(app_jwt(app_key, issuer)))
    assert (answer.status_code, answer.json()["slug"]) == (200, "refactoriq")


def test_a_jwt_that_is_too_long_too_old_from_the_future_or_of_another_app_is_unauthorized(
    bare: httpx.Client, app_key: AppKey
) -> None:
    wrong = [
        app_jwt(app_key, expires=700),
        app_jwt(app_key, expires=-1),
        app_jwt(app_key, issued=120),
        app_jwt(app_key, issuer="1"),
        app_jwt(make_app_key()),
        jwt.encode({"iss": "4711", "iat": int(time.time()), "exp": int(time.time()) + 60}, "x" * 32, algorithm="HS256"),
        "rubbish",
    ]
    assert [bare.get("/app", headers=bearer(token)).status_code for token in wrong] == [401] * len(wrong)


def test_a_token_is_narrowed_to_repositories_and_expires(octo: Octo, bare: httpx.Client, app_key: AppKey) -> None:
    octo.github.create_repository("octo/other", {"a": "b"})
    octo.github.world.token_seconds = 0.3
    path = f"/app/installations/{octo.installation.id}/access_tokens"
    answer = bare.post(path, json={"repositories": ["app"], "permissions": {}}, headers=bearer(app_jwt(app_key)))
    token = answer.json()
    assert answer.status_code == 201
    assert [repository["name"] for repository in token["repositories"]] == ["app"]
    assert bare.get("/repos/octo/app", headers=bearer(token["token"])).status_code == 200
    assert bare.get("/repos/octo/other", headers=bearer(token["token"])).status_code == 404
    time.sleep(0.35)
    late = bare.get("/repos/octo/app", headers=bearer(token["token"]))
    assert (late.status_code, late.json()["message"]) == (401, "Bad credentials")


def test_no_token_is_given_for_more_than_the_installation_holds(octo: Octo, bare: httpx.Client, app_key: AppKey) -> None:
    path = f"/app/installations/{octo.installation.id}/access_tokens"
    refused = [{"permissions": {"contents": "write"}}, {"repositories": ["nothing"]}]
    answers = [bare.post(path, json=body, headers=bearer(app_jwt(app_key))).status_code for body in refused]
    assert answers == [422, 422]


def test_suspended_installations_get_403_and_removed_ones_404(octo: Octo, bare: httpx.Client, app_key: AppKey) -> None:
    path = f"/app/installations/{octo.installation.id}/access_tokens"
    octo.installation.suspended = True
    assert bare.post(path, headers=bearer(app_jwt(app_key))).status_code == 403
    assert octo.get().status_code == 403
    octo.installation.suspended, octo.installation.removed = False, True
    assert bare.post(path, headers=bearer(app_jwt(app_key))).status_code == 404
    assert octo.get().status_code == 401


def test_tokens_may_be_long_or_forty_characters(octo: Octo) -> None:
    octo.github.world.long_tokens = False
    assert len(octo.github.token(octo.installation)) == 40
    octo.github.world.long_tokens = True
    assert len(octo.github.token(octo.installation)) > 255


def test_a_private_repository_does_not_exist_for_strangers(octo: Octo, bare: httpx.Client) -> None:
    octo.github.create_repository("octo/open", {"a": "b"}, private=False)
    assert bare.get("/repos/octo/app").status_code == 404
    assert bare.get("/repos/octo/open").status_code == 200
    octo.github.delete_repository("octo/open")
    assert bare.get("/repos/octo/open").status_code == 404


def test_a_missing_permission_is_named(octo: Octo) -> None:
    octo.installation.permissions["pull_requests"] = "read"
    octo.api.headers.update(bearer(octo.github.token(octo.installation)))
    answer = octo.review()
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")
    assert answer.headers["x-accepted-github-permissions"] == "pull_requests=write"
    assert octo.get("/pulls/1/files").status_code == 200


def test_writing_to_a_public_repository_without_the_app_is_forbidden(octo: Octo) -> None:
    octo.github.create_repository("else/open", {"a": "b"}, private=False)
    octo.github.open_pull_request("else/open", {"a": "c"})
    answer = octo.api.post("/repos/else/open/issues/1/comments", json={"body": "x"})
    assert answer.status_code == 403


def test_a_revoked_token_is_worth_nothing(octo: Octo) -> None:
    octo.github.revoke_tokens()
    assert octo.get().status_code == 401


def test_unknown_paths_versions_and_nameless_agents_are_refused_and_all_is_remembered(octo: Octo) -> None:
    assert octo.get("/nothing/here").status_code == 404
    assert octo.get("", headers={"x-github-api-version": "1999-01-01"}).status_code == 400
    assert octo.get("", headers={"user-agent": ""}).status_code == 403
    log = octo.github.requests
    assert [exchange.status for exchange in log] == [404, 400, 403]
    assert log[0].path == "/repos/octo/app/nothing/here"
    assert "authorization" not in log[0].headers


def test_the_api_stands_at_the_root_too(octo: Octo, github: SandboxGitHub) -> None:
    answer = httpx.get(f"{github.url}/repos/octo/app", headers=octo.api.headers, trust_env=False)
    assert answer.json()["full_name"] == "octo/app"


def test_a_body_that_is_no_json_object_is_400(octo: Octo) -> None:
    path = "/repos/octo/app/pulls/1/reviews"
    answers = [octo.api.post(path, content=body).status_code for body in (b"{", b"[1]", b"\xff", b"[" * 100_000)]
    assert answers == [400] * 4
