"""Signing in with GitHub in the API's tests: the settings for the sandbox, and a browser that goes there and comes back."""

from typing import Any

import httpx

from tests.builders_api import Api, Person
from tests.sandbox.github import SandboxGitHub

HOME = "http://refactoriq.test"


def github_settings(github: SandboxGitHub) -> dict[str, Any]:
    """What an installation is set to that lets people sign in there."""
    return {
        "github_api_url": github.api_url,
        "github_web_url": github.url,
        "github_app_id": github.app_id,
        "github_client_id": github.world.client_id,
        "github_client_secret": github.client_secret,
        "public_url": HOME,
    }


async def begin(api: Api, **request: Any) -> httpx.Response:
    """The way to GitHub; the client keeps the cookie, as a browser does."""
    answer = await api.client.get("/api/v1/auth/github", **request)
    assert answer.status_code == 302, answer.text
    return answer


async def sign_in(api: Api, github: SandboxGitHub, login: str = "mona", **request: Any) -> httpx.Response:
    """There and back; gives the callback's answer."""
    there = await begin(api, **request)
    return await api.client.get(github.approve(there.headers["location"], login))


async def signed_in(api: Api, github: SandboxGitHub, login: str = "mona") -> Person:
    """That person, with an account and a session of their own."""
    answer = await sign_in(api, github, login)
    assert answer.status_code == 200, answer.text
    rows = api.sql("SELECT id, home_id, coalesce(email, '') FROM users WHERE github_login = %s", (login,))
    id, home, email = rows[0]
    return Person(api, id, home, email, answer.json()["data"])
