"""Every change leaves its row in the audit: who did what to what, from where."""

import pytest

from tests.builders_api import Api
from tests.handlers.api.test_who_may_what import made
from tests.handlers.api.who import CALLS, a_world

pytestmark = pytest.mark.api

NO_CHANGE = {
    "POST /auth/tickets": "a ticket changes nothing, and is over in a minute",
    "POST /auth/password/reset-request": "anybody may ask, for any address: the mail is on record, and what comes of it",
    "POST /auth/email/confirm-request": "the mail is on record, and the confirmation",
}
CHANGES = [row for row in CALLS if not row.startswith("GET ") and row not in NO_CHANGE]


async def test_whatever_is_changed_is_on_record_with_who_did_it(api: Api) -> None:
    world = await a_world(api)
    unrecorded, done = [], 0
    for row in CHANGES:
        for who in ("owner", "administrator"):
            [(last,)] = api.sql("SELECT coalesce(max(id), 0) FROM audit_logs")
            answer = await made(world, who, row, CALLS[row])
            if answer.status_code >= 300:
                continue
            done += 1
            id = world.people[who].id if row != "POST /auth/register" else answer.json()["data"]["id"]
            told = api.sql("SELECT actor_id, subject, address, request_id FROM audit_logs WHERE id > %s", (last,))
            here = ("127.0.0.1", answer.headers["x-request-id"])
            if not any((actor == id or subject == f"user:{id}") and tuple(where) == here for actor, subject, *where in told):
                unrecorded.append(f"{row} by {who}")
    assert unrecorded == []
    assert done > 15
