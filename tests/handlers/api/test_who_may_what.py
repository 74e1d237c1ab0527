"""Who may do what: every endpoint by everybody, held against a table that is written out."""

from typing import Any

import psycopg
import pytest

from handlers.api import ENDPOINTS
from handlers.api.endpoint import Endpoint, Needs
from storage.accounts.role import Role
from tests.builders_api import PASSWORD, Api, Person
from tests.builders_calls import A_FILE, WHO, calls, everybody, key, things

pytestmark = pytest.mark.api

LETTERS = {401: "u", 403: "f", 404: "h"}
"""unauthenticated, forbidden, hidden; whatever else comes back is `a`, allowed: even an error about the request itself."""

EXPECTED = {
    "GET /health": "aaaaaaaaa",
    "GET /health/ready": "aaaaaaaaa",
    "GET /health/detailed": "ufffffffa",
    "GET /health/metrics": "afffffffa",
    "POST /auth/register": "aaaaaaaaa",
    "POST /auth/login": "aaaaaaaaa",
    "POST /auth/refresh": "aaaaaaaaa",
    "POST /auth/logout": "uaaaaaaaa",
    "GET /auth/sessions": "uaaaaaaaa",
    "DELETE /auth/sessions/{session}": "uhhhhhhhh",
    "GET /auth/me": "uaaaaaaaa",
    "PUT /auth/me": "uaaaaaaaa",
    "POST /auth/password": "uaaaaaaaa",
    "POST /auth/password/reset-request": "aaaaaaaaa",
    "POST /auth/password/reset": "aaaaaaaaa",
    "POST /auth/email/confirm": "aaaaaaaaa",
    "POST /auth/email/confirm-request": "uaaaaaaaa",
    "GET /auth/github": "aaaaaaaaa",
    "GET /auth/github/callback": "aaaaaaaaa",
    "GET /auth/api-keys": "uaaaaaaaa",
    "POST /auth/api-keys": "uaaaaaaaa",
    "DELETE /auth/api-keys/{id}": "uhhhhhhhh",
    "GET /users": "ufffffffa",
    "POST /users": "ufffffffa",
    "GET /users/{id}": "ufffffffa",
    "PUT /users/{id}": "ufffffffa",
    "POST /auth/tickets": "uhhaaaaah",
    "GET /organizations": "uaaaaaaaa",
    "GET /organizations/{id}": "uhaaaaaah",
    "GET /organizations/{id}/members": "uhffffaah",
    "POST /organizations/{id}/members": "uhfffffah",
    "PUT /organizations/{id}/members/{user_id}": "uhfffffah",
    "DELETE /organizations/{id}/members/{user_id}": "uhfffffah",
    "GET /repositories": "uaaaaaaaa",
    "GET /repositories/{id}": "uhhaaaaah",
    "PUT /repositories/{id}/settings": "uhhfffaah",
    "POST /repositories/{id}/index": "uhhffaaah",
    "GET /deliveries": "uaaaaaaaa",
    "GET /deliveries/{delivery}": "uhhaaaaaa",
    "POST /deliveries/{delivery}/redeliver": "uhhffaaaa",
    "GET /jobs": "uaaaaaaaa",
    "GET /jobs/{delivery}": "uhhaaaaaa",
    "POST /jobs/{delivery}/retry": "uhhffaaaa",
    "POST /jobs/{delivery}/cancel": "uhhffaaaa",
    "GET /audit": "uhffffaah",
    "POST /uploads": "uhafaaaah",
    "GET /uploads": "uaaaaaaaa",
    "GET /uploads/{id}": "uhaaaaaah",
    "DELETE /uploads/{id}": "uhfffaaah",
    "GET /uploads/{id}/files/{name:path}": "uhhhhhhhh",
    "GET /analyses": "uaaaaaaaa",
    "POST /analyses": "uhhfaaaah",
    "GET /analyses/{id}": "uhhaaaaah",
    "PUT /analyses/{id}": "uhhffaaah",
    "DELETE /analyses/{id}": "uhhffaaah",
    "GET /analyses/{id}/report": "uhhaaaaah",
    "POST /proposals": "uhhfaaaah",
    "GET /proposals": "uaaaaaaaa",
    "GET /proposals/{id}": "uhhaaaaah",
    "PUT /proposals/{id}": "uhhffaaah",
    "PUT /proposals/{id}/apply": "uhhffaaah",
    "GET /proposals/{id}/patch": "uhhaaaaah",
    "GET /proposals/{id}/files": "uhhaaaaah",
    "POST /exports": "uhffffaah",
    "GET /exports": "uaaaaaaaa",
    "GET /exports/{id}": "uhhhhhhhh",
    "GET /exports/{id}/file": "uhhhhhhhh",
    "DELETE /exports/{id}": "uhhhhhhhh",
    "GET /usage": "uhaaaaaah",
}
"""A letter for each of WHO."""


async def letter(api: Api, person: Person | None, endpoint: Endpoint, path: str, body: Any) -> str:
    """What comes back for that person, who signs in again afterwards where the call ends their session."""
    headers = {} if person is None else {"Authorization": f"Bearer {person.tokens['access_token']}"}
    request = {} if body is None else {"files": body} if body is A_FILE else {"json": body}
    answer = await api.client.request(endpoint.method, f"/api/v1{path}", headers=headers, **request)
    if person is not None and endpoint.action == "session.end":
        again = await api.client.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD})
        person.tokens = again.json()["data"]
    assert answer.status_code < 500 or answer.status_code == 503, (key(endpoint), answer.text)
    return LETTERS.get(answer.status_code, "a")


async def test_everybody_may_do_what_the_table_says_and_nothing_else(api: Api) -> None:
    people, organization, repository = await everybody(api)
    maker = await api.person()
    found = {}
    with psycopg.connect(api.settings.database_url.get_secret_value(), autocommit=True) as connection:
        for endpoint in ENDPOINTS:
            letters = ""
            for who in WHO:
                path, *body = calls(things(connection, maker, organization, repository))[key(endpoint)]
                letters += await letter(api, people[who], endpoint, path, body[0] if body else None)
            found[key(endpoint)] = letters
    assert found == EXPECTED


def test_the_table_knows_every_endpoint() -> None:
    assert list(EXPECTED) == [key(endpoint) for endpoint in ENDPOINTS]


def test_what_takes_a_role_is_refused_to_every_lesser_one() -> None:
    for endpoint in ENDPOINTS:
        letters = dict(zip(WHO, EXPECTED[key(endpoint)], strict=True))
        if endpoint.needs is Needs.NOBODY:
            continue
        assert letters["nobody"] == "u", key(endpoint)
        if (role := endpoint.needs.role) is not None:
            lesser = [who for who in WHO[3:8] if not Role(who).at_least(role)]
            assert all(letters[who] in "fh" for who in lesser), key(endpoint)
            assert letters["stranger"] in "fh", key(endpoint)
