"""How every endpoint of the API is called, with one of everything to call it for, and people of every role."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg import Connection

from handlers.api.endpoint import Endpoint
from tests.builders_api import PASSWORD, Api, Person

WHO = ("nobody", "stranger", "blind", "viewer", "member", "maintainer", "admin", "owner", "administrator")
"""`blind` is a member to whom GitHub does not show the repository; `administrator` is the instance's, and no member."""

Call = tuple[Any, ...]

number = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Things:
    """One of everything, made anew for each call by somebody who is not asking: ids."""

    organization: int
    repository: int
    analysis: int
    running: int
    upload: int
    proposal: int
    rejected: int
    export: int
    delivery: str
    user: int


A_FILE = {"file": ("a.py", b"print(1)")}


CALLS: dict[str, Callable[[Things], Call]] = {
    "GET /health": lambda _: ("/health",),
    "GET /health/ready": lambda _: ("/health/ready",),
    "GET /health/detailed": lambda _: ("/health/detailed",),
    "GET /health/metrics": lambda _: ("/health/metrics",),
    "POST /auth/register": lambda _: ("/auth/register", {"email": "not an address", "password": PASSWORD}),
    "POST /auth/login": lambda _: ("/auth/login", {}),
    "POST /auth/refresh": lambda _: ("/auth/refresh", {}),
    "POST /auth/logout": lambda _: ("/auth/logout",),
    "GET /auth/sessions": lambda _: ("/auth/sessions",),
    "DELETE /auth/sessions/{session}": lambda _: ("/auth/sessions/none-of-mine",),
    "GET /auth/me": lambda _: ("/auth/me",),
    "PUT /auth/me": lambda _: ("/auth/me", {"full_name": "Mona"}),
    "POST /auth/password": lambda _: ("/auth/password", {"old_password": PASSWORD, "new_password": "short"}),
    "POST /auth/password/reset-request": lambda _: ("/auth/password/reset-request", {"email": "nobody@example.com"}),
    "POST /auth/password/reset": lambda _: ("/auth/password/reset", {}),
    "POST /auth/email/confirm": lambda _: ("/auth/email/confirm", {}),
    "POST /auth/email/confirm-request": lambda _: ("/auth/email/confirm-request",),
    "GET /auth/github": lambda _: ("/auth/github",),
    "GET /auth/github/callback": lambda _: ("/auth/github/callback",),
    "GET /auth/api-keys": lambda _: ("/auth/api-keys",),
    "POST /auth/api-keys": lambda _: ("/auth/api-keys", {"name": "ci", "scopes": ["analysis:read"]}),
    "DELETE /auth/api-keys/{id}": lambda _: ("/auth/api-keys/999999",),
    "GET /users": lambda _: ("/users",),
    "POST /users": lambda _: ("/users", {}),
    "GET /users/{id}": lambda of: (f"/users/{of.user}",),
    "PUT /users/{id}": lambda of: (f"/users/{of.user}", {"disabled": False}),
    "POST /auth/tickets": lambda of: ("/auth/tickets", {"analysis_id": of.analysis}),
    "GET /organizations": lambda _: ("/organizations",),
    "GET /organizations/{id}": lambda of: (f"/organizations/{of.organization}",),
    "GET /organizations/{id}/members": lambda of: (f"/organizations/{of.organization}/members",),
    "POST /organizations/{id}/members": lambda of: (
        f"/organizations/{of.organization}/members",
        {"user_id": of.user, "role": "viewer"},
    ),
    "PUT /organizations/{id}/members/{user_id}": lambda of: (
        f"/organizations/{of.organization}/members/{of.user}",
        {"role": "member"},
    ),
    "DELETE /organizations/{id}/members/{user_id}": lambda of: (f"/organizations/{of.organization}/members/{of.user}",),
    "GET /repositories": lambda _: ("/repositories",),
    "GET /repositories/{id}": lambda of: (f"/repositories/{of.repository}",),
    "PUT /repositories/{id}/settings": lambda of: (f"/repositories/{of.repository}/settings", {"reviews": False}),
    "POST /repositories/{id}/index": lambda of: (f"/repositories/{of.repository}/index",),
    "GET /deliveries": lambda _: ("/deliveries",),
    "GET /deliveries/{delivery}": lambda of: (f"/deliveries/{of.delivery}",),
    "POST /deliveries/{delivery}/redeliver": lambda of: (f"/deliveries/{of.delivery}/redeliver",),
    "GET /jobs": lambda _: ("/jobs",),
    "GET /jobs/{delivery}": lambda of: (f"/jobs/{of.delivery}",),
    "POST /jobs/{delivery}/retry": lambda of: (f"/jobs/{of.delivery}/retry",),
    "POST /jobs/{delivery}/cancel": lambda of: (f"/jobs/{of.delivery}/cancel",),
    "GET /audit": lambda of: (f"/audit?organization_id={of.organization}",),
    "POST /uploads": lambda of: (f"/uploads?organization_id={of.organization}", A_FILE),
    "GET /uploads": lambda _: ("/uploads",),
    "GET /uploads/{id}": lambda of: (f"/uploads/{of.upload}",),
    "DELETE /uploads/{id}": lambda of: (f"/uploads/{of.upload}",),
    "GET /uploads/{id}/files/{name:path}": lambda of: (f"/uploads/{of.upload}/files/a.py",),
    "GET /analyses": lambda _: ("/analyses",),
    "POST /analyses": lambda of: ("/analyses", {"repository_id": of.repository, "pull_request": 7}),
    "GET /analyses/{id}": lambda of: (f"/analyses/{of.analysis}",),
    "PUT /analyses/{id}": lambda of: (f"/analyses/{of.analysis}", {"title": "Another"}),
    "DELETE /analyses/{id}": lambda of: (f"/analyses/{of.analysis}",),
    "GET /analyses/{id}/report": lambda of: (f"/analyses/{of.running}/report",),
    "POST /proposals": lambda of: ("/proposals", {"analysis_id": of.analysis, "issues_to_fix": ["security-999"]}),
    "GET /proposals": lambda _: ("/proposals",),
    "GET /proposals/{id}": lambda of: (f"/proposals/{of.proposal}",),
    "PUT /proposals/{id}": lambda of: (f"/proposals/{of.proposal}", {"state": "approved"}),
    "PUT /proposals/{id}/apply": lambda of: (f"/proposals/{of.rejected}/apply", {"confirm": True}),
    "GET /proposals/{id}/patch": lambda of: (f"/proposals/{of.proposal}/patch",),
    "GET /proposals/{id}/files": lambda of: (f"/proposals/{of.proposal}/files",),
    "POST /exports": lambda of: ("/exports", {"kind": "audit", "format": "csv", "organization_id": of.organization}),
    "GET /exports": lambda _: ("/exports",),
    "GET /exports/{id}": lambda of: (f"/exports/{of.export}",),
    "GET /exports/{id}/file": lambda of: (f"/exports/{of.export}/file",),
    "DELETE /exports/{id}": lambda of: (f"/exports/{of.export}",),
    "GET /usage": lambda of: (f"/usage?organization_id={of.organization}",),
}
"""How each endpoint is called, by method and path: the path that is asked, and the body where there is one."""


async def everybody(api: Api) -> tuple[dict[str, Person | None], int, int]:
    """The people, the organization and its repository."""
    [tenant] = await api.organization()
    people: dict[str, Person | None] = {"nobody": None}
    for who in WHO[1:]:
        people[who] = person = await api.person(administrator=who == "administrator")
        if who in ("stranger", "administrator"):
            continue
        api.join(person, tenant.organization_id, "member" if who == "blind" else who)
        if who != "blind":
            api.may_read(person, tenant)
    return people, tenant.organization_id, tenant.repository_id


def _insert(connection: Connection[Any], table: str, **values: Any) -> Any:
    columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING id"
    row = connection.execute(statement.encode(), tuple(values.values())).fetchone()
    assert row is not None
    return row[0]


def things(connection: Connection[Any], maker: Person, organization: int, repository: int) -> Things:
    """One of everything there, made by `maker`."""
    insert = partial(_insert, connection)

    n = next(number)
    analysis = insert(
        "analyses", organization_id=organization, repository_id=repository, number=7, head_sha="a" * 40, requested_by=maker.id
    )
    running = insert(
        "analyses", organization_id=organization, repository_id=repository, number=7, status="running", requested_by=maker.id
    )
    upload = insert(
        "uploads",
        organization_id=organization,
        user_id=maker.id,
        object_key=f"uploads/{n}.zip",
        files=0,
        size=0,
        expires_at="2099-01-01",
    )
    proposal = insert(
        "proposals", organization_id=organization, repository_id=repository, analysis_id=analysis, state="proposed",
        wanted=["security-001"], user_id=maker.id,
    )  # fmt: skip
    rejected = insert(
        "proposals", organization_id=organization, repository_id=repository, analysis_id=analysis, state="rejected",
        wanted=["security-001"], user_id=maker.id,
    )  # fmt: skip
    export = insert(
        "exports", organization_id=organization, user_id=maker.id, kind="usage", format="csv", state="queued",
        expires_at="2099-01-01",
    )  # fmt: skip
    delivery = insert(
        "deliveries", id=f"d-{n}", event="pull_request", action="opened", account_id=100, installation_id=101,
        repository_id=9001, state="failed", job=b'{"kind": "review_pull_request", "queue": "default", "arguments": {}}',
    )  # fmt: skip
    user = insert("users", home_id=maker.home, email=f"somebody-{n}@example.com")
    connection.execute("INSERT INTO members (organization_id, user_id, role) VALUES (%s, %s, 'viewer')", (organization, user))
    return Things(organization, repository, analysis, running, upload, proposal, rejected, export, delivery, user)


def key(endpoint: Endpoint) -> str:
    """An endpoint's row in the table."""
    return f"{endpoint.method} {endpoint.path}"
