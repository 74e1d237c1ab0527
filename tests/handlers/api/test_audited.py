"""The audit: whatever changes something is on record with who did it, for every endpoint there is."""

import pytest

from handlers.api import ENDPOINTS
from handlers.api.endpoint import Needs
from tests.builders_api import Api
from tests.handlers.api.test_who_may_what import ELSEWHERE, made
from tests.handlers.api.who import CALLS, a_world

pytestmark = pytest.mark.api

NOT_AUDITED = {
    "POST /auth/tickets",  # opens what one may see anyway, for a minute
    "POST /auth/register",  # is on record under the new account
    "POST /auth/password/reset-request",  # nobody knows yet whose it is
    "POST /auth/email/confirm-request",  # a mail to oneself changes nothing
}


async def test_whatever_changes_something_is_on_record_with_who_did_it(api: Api) -> None:
    world = await a_world(api)
    unnoted, done = set(), 0
    for endpoint in ENDPOINTS:
        row = f"{endpoint.method} {endpoint.path}"
        if endpoint.method == "GET" or row in ELSEWHERE:
            continue
        who = "administrator" if endpoint.needs is Needs.ADMINISTRATOR else "owner"
        before = api.sql("SELECT coalesce(max(id), 0) FROM audit_logs")[0][0]
        answer = await made(world, who, row, CALLS[row])
        if answer.status_code < 300:
            done += 1
            of_theirs = "SELECT id FROM audit_logs WHERE id > %s AND actor_id = %s AND address <> ''"
            if not api.sql(of_theirs, (before, world.people[who].id)):
                unnoted.add(row)
    assert unnoted <= NOT_AUDITED
    assert done > 15, "most calls of the table come to nothing"
