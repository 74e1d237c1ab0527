"""Who may do what: every endpoint, asked by one of every role, cell by cell."""

import re

import httpx
import pytest

from handlers.api import ENDPOINTS
from handlers.api.serve import PREFIX
from tests.builders_api import Api
from tests.handlers.api.who import CALLS, ROLES, Call, World, a_world

pytestmark = pytest.mark.api

# other: signed in, and nothing to do with the organization; instance: its administrator, who has nothing to do with it either.
# yes: they get past the door, whatever becomes of the call. 404: they see none. 403: they see it, and their role is too low.
# A session of that name nobody has, and an export is seen by whoever asked for it alone.
TABLE = """
                                              nobody  other   viewer  member  maint.  admin   owner   instance
GET /health                                   yes     yes     yes     yes     yes     yes     yes     yes
GET /health/ready                             yes     yes     yes     yes     yes     yes     yes     yes
GET /health/detailed                          401     403     403     403     403     403     403     yes
GET /health/metrics                           yes     403     403     403     403     403     403     yes
POST /auth/register                           yes     yes     yes     yes     yes     yes     yes     yes
POST /auth/password/reset-request             yes     yes     yes     yes     yes     yes     yes     yes
POST /auth/password/reset                     yes     yes     yes     yes     yes     yes     yes     yes
POST /auth/email/confirm                      yes     yes     yes     yes     yes     yes     yes     yes
GET /auth/sessions                            401     yes     yes     yes     yes     yes     yes     yes
DELETE /auth/sessions/{session}               401     404     404     404     404     404     404     404
GET /auth/me                                  401     yes     yes     yes     yes     yes     yes     yes
PUT /auth/me                                  401     yes     yes     yes     yes     yes     yes     yes
POST /auth/password                           401     yes     yes     yes     yes     yes     yes     yes
POST /auth/email/confirm-request              401     yes     yes     yes     yes     yes     yes     yes
GET /auth/api-keys                            401     yes     yes     yes     yes     yes     yes     yes
POST /auth/api-keys                           401     yes     yes     yes     yes     yes     yes     yes
DELETE /auth/api-keys/{id}                    401     yes     yes     yes     yes     yes     yes     yes
POST /auth/tickets                            401     404     yes     yes     yes     yes     yes     404
GET /users                                    401     403     403     403     403     403     403     yes
POST /users                                   401     403     403     403     403     403     403     yes
GET /users/{id}                               401     403     403     403     403     403     403     yes
PUT /users/{id}                               401     403     403     403     403     403     403     yes
GET /organizations                            401     yes     yes     yes     yes     yes     yes     yes
GET /organizations/{id}                       401     404     yes     yes     yes     yes     yes     404
GET /organizations/{id}/members               401     404     403     403     403     yes     yes     404
POST /organizations/{id}/members              401     404     403     403     403     403     yes     404
PUT /organizations/{id}/members/{user_id}     401     404     403     403     403     403     yes     404
DELETE /organizations/{id}/members/{user_id}  401     404     403     403     403     403     yes     404
GET /repositories                             401     yes     yes     yes     yes     yes     yes     yes
GET /repositories/{id}                        401     404     yes     yes     yes     yes     yes     404
PUT /repositories/{id}/settings               401     404     403     403     403     yes     yes     404
POST /repositories/{id}/index                 401     404     403     403     yes     yes     yes     404
GET /deliveries                               401     yes     yes     yes     yes     yes     yes     yes
GET /deliveries/{delivery}                    401     404     yes     yes     yes     yes     yes     yes
POST /deliveries/{delivery}/redeliver         401     404     403     403     yes     yes     yes     yes
GET /jobs                                     401     yes     yes     yes     yes     yes     yes     yes
GET /jobs/{delivery}                          401     404     yes     yes     yes     yes     yes     yes
POST /jobs/{delivery}/retry                   401     404     403     403     yes     yes     yes     yes
POST /jobs/{delivery}/cancel                  401     404     403     403     yes     yes     yes     yes
GET /audit                                    401     404     403     403     403     yes     yes     404
POST /uploads                                 401     404     403     yes     yes     yes     yes     404
GET /uploads                                  401     yes     yes     yes     yes     yes     yes     yes
GET /uploads/{id}                             401     404     yes     yes     yes     yes     yes     404
DELETE /uploads/{id}                          401     404     403     403     yes     yes     yes     404
GET /uploads/{id}/files/{name:path}           401     404     yes     yes     yes     yes     yes     404
GET /analyses                                 401     yes     yes     yes     yes     yes     yes     yes
POST /analyses                                401     404     403     yes     yes     yes     yes     404
GET /analyses/{id}                            401     404     yes     yes     yes     yes     yes     404
PUT /analyses/{id}                            401     404     403     403     yes     yes     yes     404
DELETE /analyses/{id}                         401     404     403     403     yes     yes     yes     404
POST /proposals                               401     404     403     yes     yes     yes     yes     404
GET /proposals                                401     yes     yes     yes     yes     yes     yes     yes
GET /proposals/{id}                           401     404     yes     yes     yes     yes     yes     404
PUT /proposals/{id}                           401     404     403     403     yes     yes     yes     404
PUT /proposals/{id}/apply                     401     404     403     403     yes     yes     yes     404
POST /exports                                 401     404     403     yes     yes     yes     yes     404
GET /exports                                  401     yes     yes     yes     yes     yes     yes     yes
GET /exports/{id}                             401     404     404     404     404     404     404     404
DELETE /exports/{id}                          401     404     404     404     404     404     404     404
GET /usage                                    401     yes     yes     yes     yes     yes     yes     yes
"""

ELSEWHERE = {
    "POST /auth/login": "in test_auth.py",
    "POST /auth/refresh": "in test_auth.py",
    "POST /auth/logout": "in test_auth.py: it would end the caller's session",
    "GET /auth/github": "in test_github_sign_in.py",
    "GET /auth/github/callback": "in test_github_sign_in.py",
    "GET /analyses/{id}/report": "in test_reports.py: who may read the analysis may read its reports",
    "GET /proposals/{id}/patch": "in test_proposals.py: files stand behind them",
    "GET /proposals/{id}/files": "in test_proposals.py: files stand behind them",
    "GET /exports/{id}/file": "in test_exports.py: a file stands behind it",
}
"""What has no row here, and where it is tried."""

ROWS = {" ".join(words[:2]): words[2:] for line in TABLE.strip().splitlines()[1:] if (words := line.split())}


def test_every_endpoint_has_its_row() -> None:
    named = {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
    assert sorted(named) == sorted([*ROWS, *ELSEWHERE])
    assert ROWS.keys() == CALLS.keys()


async def test_everybody_may_do_what_the_table_says_and_nothing_else(api: Api) -> None:
    world = await a_world(api)
    for who in ("nobody", *ROLES):
        column = ["nobody", *ROLES].index(who)
        wrong = {row: got for row in ROWS if (got := await cell(world, who, row)) != ROWS[row][column]}
        assert wrong == {}, f"as {who}: what was answered in place of what stands in the table"


async def cell(world: World, who: str, row: str) -> str:
    """What that row's call comes to for them: `yes`, or the status that keeps them from it."""
    answer = await made(world, who, row, CALLS[row])
    kept_out = answer.status_code in (401, 403, 404) and answer.json()["error"]["code"] != "invalid_credentials"
    return str(answer.status_code) if kept_out else "yes"


async def made(world: World, who: str, row: str, call: Call) -> httpx.Response:
    about = "x" if who == "nobody" else await call.about(world, who)
    places = [about, "x" if call.second is None else await call.second(world, who)]
    method, _, path = row.partition(" ")
    path = re.sub(r"\{[^}]+\}", lambda _: str(places.pop(0)), path) + call.query.format(about)
    request = {"json": call.body(about if who != "nobody" else 1)} if call.body else {}
    if call.files:
        request = {"files": {"files": ("a.py", b"print(1)\n")}}
    if who == "nobody":
        return await world.api.client.request(method, PREFIX + path.replace("=x", "=1"), **request)  # type: ignore[arg-type]
    return await world.people[who].call(method, path, **request)
