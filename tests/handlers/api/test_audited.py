"""The audit: whatever changes something is on record with who did it, for every endpoint there is."""

import psycopg
import pytest

from handlers.api import ENDPOINTS
from handlers.api.endpoint import Needs
from tests.builders_api import PASSWORD, Api
from tests.builders_calls import A_FILE, CALLS, everybody, key, things

pytestmark = pytest.mark.api

NOT_AUDITED = {
    "POST /auth/tickets",  # opens what one may see anyway, for a minute
    "POST /auth/password/reset-request",  # nobody knows yet whose it is
    "POST /auth/email/confirm-request",  # a mail to oneself changes nothing
}
NOT_DONE_HERE = {
    "POST /auth/register", "POST /auth/login", "POST /auth/refresh", "POST /auth/password", "POST /auth/password/reset",
    "POST /auth/email/confirm", "DELETE /auth/sessions/{session}",
    "DELETE /auth/api-keys/{id}", "POST /users", "POST /organizations/{id}/members", "POST /jobs/{delivery}/cancel",
    "POST /proposals", "PUT /proposals/{id}/apply", "DELETE /exports/{id}",
}  # fmt: skip
"""Calls of the table that come to nothing on purpose: their own tests look for what stands in the audit."""


async def test_whatever_changes_something_is_on_record_with_who_did_it(api: Api) -> None:
    people, organization, repository = await everybody(api)
    maker, owner, administrator = await api.person(), people["owner"], people["administrator"]
    unnoted, undone = [], set()
    with psycopg.connect(api.settings.database_url.get_secret_value(), autocommit=True) as connection:
        for endpoint in (endpoint for endpoint in ENDPOINTS if endpoint.method != "GET"):
            person = administrator if endpoint.needs is Needs.ADMINISTRATOR else owner
            assert person is not None
            path, *body = CALLS[key(endpoint)](things(connection, maker, organization, repository))
            given = {} if not body else {"files": body[0]} if body[0] is A_FILE else {"json": body[0]}
            api.sql("TRUNCATE audit_logs")
            answer = await person.call(endpoint.method, path, **given)
            if answer.status_code >= 300:
                undone.add(key(endpoint))
            elif not api.sql("SELECT id FROM audit_logs WHERE actor_id = %s AND address <> ''", (person.id,)):
                unnoted.append(key(endpoint))
            if endpoint.action == "session.end":
                again = await api.client.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD})
                person.tokens = again.json()["data"]
    assert set(unnoted) == NOT_AUDITED - undone
    assert undone == NOT_DONE_HERE
