"""One of every role in an organization with one of everything, and for each endpoint the call that would do something."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from storage.accounts.role import Role
from storage.deliveries import Deliveries
from storage.installations import Tenant
from tests.builders_api import Api, Person
from tests.builders_storage import a_new_delivery

ROLES = (
    "stranger",
    *(role.value for role in (Role.VIEWER, Role.MEMBER, Role.MAINTAINER, Role.ADMIN, Role.OWNER)),
    "administrator",
)
"""The stranger has an account and nothing to do with the organization; nor has the instance's administrator."""

JOB = b'{"kind": "review_pull_request", "queue": "default", "arguments": {"delivery_id": "one"}}'


@dataclass(slots=True)
class World:
    """Whoever is in the organization, and who made what is there: somebody else, an owner."""

    api: Api
    tenant: Tenant
    maker: Person
    people: dict[str, Person]

    async def user(self, _: str = "") -> int:
        """A new member, whom nobody needs."""
        somebody = await self.api.person()
        self.api.join(somebody, self.tenant.organization_id, "viewer")
        return somebody.id

    async def key(self, name: str) -> int:
        made = await self.people[name].post("/auth/api-keys", {"name": "ci", "scopes": ["upload:read"]})
        return int(made.json()["data"]["id"])

    async def organization(self, _: str = "") -> int:
        return self.tenant.organization_id

    async def repository(self, _: str = "") -> int:
        return self.tenant.repository_id

    async def upload(self, _: str = "") -> int:
        made = await self.maker.call(
            "POST", "/uploads", files={"files": ("x", b"print(1)\n")}, params={"organization_id": self.tenant.organization_id}
        )
        return int(made.json()["data"]["upload_id"])

    async def analysis(self, _: str = "") -> int:
        return self._add(
            "INSERT INTO analyses (organization_id, repository_id, requested_by) VALUES (%s, %s, %s) RETURNING id",
            (self.tenant.organization_id, self.tenant.repository_id, self.maker.id),
        )

    async def proposal(self, _: str = "", state: str = "proposed") -> int:
        return self._add(
            "INSERT INTO proposals (organization_id, repository_id, analysis_id, user_id, state, wanted, patch_key, files_key)"
            " VALUES (%s, %s, %s, %s, %s, '{}', 'none', 'none') RETURNING id",
            (self.tenant.organization_id, self.tenant.repository_id, await self.analysis(), self.maker.id, state),
        )

    async def rejected_proposal(self, _: str = "") -> int:
        return await self.proposal(state="rejected")

    async def export(self, _: str = "") -> int:
        return self._add(
            "INSERT INTO exports (organization_id, user_id, kind, format, filters, state, expires_at)"
            " VALUES (%s, %s, 'analyses', 'csv', %s, 'queued', now() + interval '1 day') RETURNING id",
            (self.tenant.organization_id, self.maker.id, Jsonb({})),
        )

    async def delivery(self, _: str = "") -> str:
        id = secrets.token_hex(6)
        await Deliveries(self.api.database).remember([a_new_delivery(id, job=JOB)])
        return id

    def _add(self, statement: str, values: tuple[Any, ...]) -> int:
        return int(self.api.sql(statement, values)[0][0])


async def a_world(api: Api) -> World:
    """The organization with one person of each role, all of whom GitHub lets read its repository."""
    [tenant] = await api.organization()
    maker = await api.person("maker")
    api.join(maker, tenant.organization_id, "owner", github="owner")
    people = {name: await api.person(name, administrator=name == "administrator") for name in ROLES}
    for role in ROLES[1:-1]:
        api.join(people[role], tenant.organization_id, role)
        api.may_read(people[role], tenant, "write")
    return World(api, tenant, maker, people)


Made = Callable[[World, str], Awaitable[int | str]]
"""Makes what a call is about, anew for each call: many a call ends it."""


async def nothing(_: World, __: str) -> str:
    """For what is about the caller alone."""
    return "x"


@dataclass(frozen=True, slots=True)
class Call:
    """What stands in the path's places, the body, and the rest of the query."""

    about: Made = nothing
    body: Callable[[int | str], Any] | None = None
    query: str = ""
    second: Made | None = None
    """What a second place of the path holds."""
    files: bool = False


def always(value: Any) -> Callable[[int | str], Any]:
    """A body that does not depend on what the call is about."""
    return lambda _: value


NEW_PASSWORD = "an entirely different passphrase"
CALLS: dict[str, Call] = {
    "GET /health": Call(),
    "GET /health/ready": Call(),
    "GET /health/detailed": Call(),
    "GET /health/metrics": Call(),
    "POST /auth/register": Call(body=lambda _: {"email": f"{secrets.token_hex(4)}@example.com", "password": NEW_PASSWORD}),
    "POST /auth/password/reset-request": Call(body=always({"email": "nobody@example.com"})),
    "POST /auth/password/reset": Call(body=always({"token": "x" * 43, "new_password": NEW_PASSWORD})),
    "POST /auth/email/confirm": Call(body=always({"token": "x" * 43})),
    "GET /auth/sessions": Call(),
    "DELETE /auth/sessions/{session}": Call(),
    "GET /auth/me": Call(),
    "PUT /auth/me": Call(body=always({"full_name": "Somebody"})),
    "POST /auth/password": Call(body=always({"old_password": "wrong", "new_password": NEW_PASSWORD})),
    "POST /auth/email/confirm-request": Call(),
    "GET /auth/api-keys": Call(),
    "POST /auth/api-keys": Call(body=always({"name": "ci", "scopes": ["upload:read"]})),
    "DELETE /auth/api-keys/{id}": Call(World.key),
    "POST /auth/tickets": Call(World.analysis, lambda id: {"analysis_id": id}),
    "GET /users": Call(),
    "POST /users": Call(body=lambda _: {"email": f"{secrets.token_hex(4)}@example.com", "password": NEW_PASSWORD}),
    "GET /users/{id}": Call(World.user),
    "PUT /users/{id}": Call(World.user, always({"full_name": "Somebody"})),
    "GET /organizations": Call(),
    "GET /organizations/{id}": Call(World.organization),
    "GET /organizations/{id}/members": Call(World.organization),
    "POST /organizations/{id}/members": Call(World.organization, always({"user_id": 1, "role": "viewer"})),
    "PUT /organizations/{id}/members/{user_id}": Call(World.organization, always({"role": "member"}), second=World.user),
    "DELETE /organizations/{id}/members/{user_id}": Call(World.organization, second=World.user),
    "GET /repositories": Call(),
    "GET /repositories/{id}": Call(World.repository),
    "PUT /repositories/{id}/settings": Call(World.repository, always({"reviews": False})),
    "POST /repositories/{id}/index": Call(World.repository),
    "GET /deliveries": Call(),
    "GET /deliveries/{delivery}": Call(World.delivery),
    "POST /deliveries/{delivery}/redeliver": Call(World.delivery),
    "GET /jobs": Call(),
    "GET /jobs/{delivery}": Call(World.delivery),
    "POST /jobs/{delivery}/retry": Call(World.delivery),
    "POST /jobs/{delivery}/cancel": Call(World.delivery),
    "GET /audit": Call(World.organization, query="?organization_id={}"),
    "POST /uploads": Call(World.organization, query="?organization_id={}", files=True),
    "GET /uploads": Call(),
    "GET /uploads/{id}": Call(World.upload),
    "DELETE /uploads/{id}": Call(World.upload),
    "GET /uploads/{id}/files/{name:path}": Call(World.upload, second=nothing),
    "GET /analyses": Call(),
    "POST /analyses": Call(World.upload, lambda id: {"upload_id": id}),
    "GET /analyses/{id}": Call(World.analysis),
    "PUT /analyses/{id}": Call(World.analysis, always({"title": "Monday's"})),
    "DELETE /analyses/{id}": Call(World.analysis),
    "POST /proposals": Call(World.analysis, lambda id: {"analysis_id": id, "issues_to_fix": ["security-999"]}),
    "GET /proposals": Call(),
    "GET /proposals/{id}": Call(World.proposal),
    "PUT /proposals/{id}": Call(World.proposal, always({"state": "approved"})),
    "PUT /proposals/{id}/apply": Call(World.rejected_proposal, always({"confirm": True})),
    "POST /exports": Call(
        World.organization, lambda id: {"kind": "analyses", "format": "csv", "organization_id": id},
    ),
    "GET /exports": Call(),
    "GET /exports/{id}": Call(World.export),
    "DELETE /exports/{id}": Call(World.export),
    "GET /usage": Call(),
}  # fmt: skip
