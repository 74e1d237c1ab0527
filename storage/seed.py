"""Sample data in the tables: an organization that is on no GitHub, its people, and when what happened there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from review.analysis import Usage
from review.models.prices import cost
from storage.audit import Act
from storage.database import Database

GITHUB_ID = -4_200_000
"""Of the sample account: GitHub's own ids are above 0. Its repositories have those below."""

LOGIN = "octo-sample"
DOMAIN = "@refactoriq.example"
"""Of the addresses of its people: no mail ever comes there."""

# GitHub is never asked about them, so that what stands here of it counts for as long as the sample stands.
JOIN = """
INSERT INTO members (organization_id, user_id, role, github_role) VALUES (%(organization)s, %(user)s, %(role)s, %(github)s)
"""
READ = """
INSERT INTO repository_readers (organization_id, repository_id, user_id, permission)
SELECT %(organization)s, id, %(user)s, 'write' FROM unnest(%(repositories)s::bigint[]) AS id
"""
SEEN = "UPDATE users SET seen_on_github_at = now() + interval '10 years', confirmed_at = now() WHERE id = %(user)s"

MOVE_ANALYSIS = """
UPDATE analyses SET created_at = %(at)s, started_at = %(at)s + (started_at - created_at),
    finished_at = %(at)s + (finished_at - created_at)
WHERE id = %(id)s
"""
MOVE_UPLOAD = """
UPDATE uploads SET created_at = %(at)s - interval '1 minute' WHERE id = (SELECT upload_id FROM analyses WHERE id = %(id)s)
"""
MOVE_DELIVERY = """
UPDATE deliveries SET received_at = %(at)s, updated_at = %(at)s + (updated_at - received_at) WHERE id = %(id)s
"""
USED = """
INSERT INTO usage_days (organization_id, scope, day, provider, model, calls, input_tokens, cached_tokens, output_tokens, cost)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
DONE = """
INSERT INTO audit_logs (organization_id, at, actor_id, actor, action, subject, details, address)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class SampleMember:
    """Somebody in the sample organization: their role there as set here or by GitHub, and what they may read. Ids are ours."""

    user_id: int
    role: str | None
    by_github: str | None
    reads: Sequence[int]


class SampleRows:
    """What no other part of the storage writes. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def organization(self) -> int | None:
        """The id of the sample organization, where it is there."""
        async with self._database.system() as connection:
            cursor = await connection.execute("SELECT id FROM organizations WHERE github_id = %s", (GITHUB_ID,))
            row = await cursor.fetchone()
        return None if row is None else int(row[0])

    async def add(self, names: Sequence[str]) -> tuple[int, list[int]]:
        """The organization with repositories of these names; gives its id and theirs. No installation reaches them."""
        async with self._database.system() as connection:
            cursor = await connection.execute(
                "INSERT INTO organizations (github_id, login, kind) VALUES (%s, %s, 'Organization') RETURNING id",
                (GITHUB_ID, LOGIN),
            )
            [(organization_id,)] = await cursor.fetchall()
            ids = []
            for number, name in enumerate(names, 1):
                cursor = await connection.execute(
                    "INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch)"
                    " VALUES (%s, %s, %s, true, 'main') RETURNING id",
                    (organization_id, GITHUB_ID - number, name),
                )
                [(id,)] = await cursor.fetchall()
                ids.append(int(id))
        return int(organization_id), ids

    async def join(self, organization_id: int, member: SampleMember) -> None:
        """They belong to it."""
        values: dict[str, Any] = {
            "organization": organization_id, "user": member.user_id, "role": member.role, "github": member.by_github,
            "repositories": list(member.reads),
        }  # fmt: skip
        async with self._database.system() as connection:
            for statement in (JOIN, READ, SEEN):
                await connection.execute(statement, values)

    async def move(self, organization_id: int, analysis_id: int, delivery_id: str, at: datetime) -> None:
        """That analysis, its upload and its job were then."""
        async with self._database.tenant(organization_id) as connection:
            await connection.execute(MOVE_UPLOAD, {"id": analysis_id, "at": at})
            await connection.execute(MOVE_ANALYSIS, {"id": analysis_id, "at": at})
        await self.move_delivery(delivery_id, at)

    async def move_delivery(self, delivery_id: str, at: datetime) -> None:
        """That delivery came then."""
        async with self._database.system() as connection:
            await connection.execute(MOVE_DELIVERY, {"id": delivery_id, "at": at})

    async def used(self, organization_id: int, repository_id: int, day: date, calls: int, usage: Usage) -> None:
        """What a model cost on that day: so many calls, with the tokens of `usage` together."""
        async with self._database.tenant(organization_id) as connection:
            await connection.execute(
                USED,
                (
                    organization_id, repository_id, day, usage.provider, usage.model, calls, usage.input_tokens,
                    usage.cached_tokens, usage.output_tokens, cost(usage) or 0,
                ),
            )  # fmt: skip

    async def done(self, organization_id: int, at: datetime, act: Act, subject: str, details: dict[str, Any]) -> None:
        """Somebody did that then."""
        values = (organization_id, at, act.user_id, act.actor, act.action, subject, Jsonb(details), act.address)
        async with self._database.tenant(organization_id) as connection:
            await connection.execute(DONE, values)

    async def remove(self, organization_id: int) -> None:
        """The organization is gone, with its people, their homes, and all that belongs to them.

        Files in the object store belong to nothing then, and expire.
        """
        async with self._database.system() as connection:
            cursor = await connection.execute("DELETE FROM users WHERE email LIKE '%%' || %s RETURNING home_id", (DOMAIN,))
            homes = [row[0] for row in await cursor.fetchall()]
            gone = [organization_id, *homes]
            await connection.execute("DELETE FROM deliveries WHERE owner_id = ANY(%s) OR account_id = %s", (gone, GITHUB_ID))
            await connection.execute("DELETE FROM organizations WHERE id = ANY(%s)", (gone,))
