"""Installations, their organizations (the tenants) and repositories, kept as GitHub tells of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, LiteralString

from review.pull_request import Installation, Repository
from storage.database import Connection, Database, plain

State = Literal["active", "suspended", "removed"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose data a job touches: our ids of the organization and the repository, and whether the app may act there."""

    organization_id: int
    repository_id: int
    suspended: bool
    removed: bool


@dataclass(frozen=True, slots=True)
class Installed:
    """A repository, and the installation of the app through which it is reached. All ids are GitHub's."""

    installation: Installation
    repository: Repository


class Installations:
    """What is installed where. Every method may raise Away; each can be repeated.

    A removed installation stays removed, whatever comes late: installed again, the app gets another id from GitHub.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, installation: Installation, repositories: Sequence[Repository] = ()) -> None:
        """The app is installed (or was changed): keep it, its organization and these repositories."""
        state: State = "suspended" if installation.suspended else "active"
        async with self._database.system() as connection:
            organization_id = await self._organization(connection, installation)
            await self._installation(connection, installation.id, organization_id, state)
            await self._repositories(connection, organization_id, repositories)

    async def set_state(self, installation: Installation, state: State) -> None:
        """The app was suspended, resumed or removed there."""
        async with self._database.system() as connection:
            organization_id = await self._organization(connection, installation)
            await self._installation(connection, installation.id, organization_id, state)

    async def change_repositories(
        self, installation: Installation, added: Sequence[Repository], removed: Iterable[Repository]
    ) -> None:
        """The installation was given repositories, or lost some."""
        async with self._database.system() as connection:
            organization_id = await self._organization(connection, installation)
            await self._repositories(connection, organization_id, added)
            async with connection.cursor() as cursor:
                await cursor.executemany(KEEP_REMOVED, [self._values(organization_id, repository) for repository in removed])

    async def tenant_of(
        self, account_id: int, account: str, account_type: str, installation_id: int, repository: Repository
    ) -> Tenant:
        """The tenant of a repository of that installation; what is not known yet (the app came before us) is kept now."""
        installation = Installation(installation_id, account_id, account, account_type)
        async with self._database.system() as connection:
            organization_id = await self._organization(connection, installation)
            await connection.execute(
                "INSERT INTO installations (id, organization_id) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING",
                (installation_id, organization_id),
            )
            cursor = await connection.execute(KEEP_ONE, self._values(organization_id, repository))
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  (an upsert always returns its row)
            cursor = await connection.execute("SELECT state FROM installations WHERE id = %s", (installation_id,))
            state = await cursor.fetchone()
        known = state[0] if state else "active"
        return Tenant(organization_id, row[0], known == "suspended", known == "removed" or row[1])

    async def installed(self, installation_id: int) -> list[Installed]:
        """The repositories that this installation may reach, as far as GitHub told us of them; none unless it is active."""
        return await self._installed("AND i.id = %s", (installation_id,))

    async def find(self, full_name: str) -> list[Installed]:
        """The repositories of that `owner/name` (in any case) that an active installation reaches; the newest one first.

        More than one where a name passed from one repository to another.
        """
        return await self._installed("AND lower(r.full_name) = lower(%s)", (plain(full_name),))

    async def of_repository(self, repository_id: int) -> Installed | None:
        """The repository of that id of ours, where an active installation reaches it."""
        return next(iter(await self._installed("AND r.id = %s", (repository_id,))), None)

    async def left(self, installation: Installation, repositories: Sequence[Repository]) -> list[Tenant]:
        """Those of the account's repositories whose code is not ours to keep any more: all of them once no installation
        is there, else those of these `repositories` that are removed."""
        async with self._database.system() as connection:
            cursor = await connection.execute(LEFT, (installation.account_id, [repository.id for repository in repositories]))
            return [Tenant(row[0], row[1], suspended=False, removed=True) for row in await cursor.fetchall()]

    async def _installed(self, which: LiteralString, values: tuple[object, ...]) -> list[Installed]:
        async with self._database.system() as connection:
            cursor = await connection.execute(f"{INSTALLED} {which} ORDER BY r.updated_at DESC, r.id", values)
            return [Installed(Installation(*row[:4]), Repository(*row[4:])) for row in await cursor.fetchall()]

    async def _organization(self, connection: Connection, installation: Installation) -> int:
        kind = "User" if installation.account_type == "User" else "Organization"
        cursor = await connection.execute(
            "INSERT INTO organizations (github_id, login, kind) VALUES (%s, %s, %s)"
            " ON CONFLICT (github_id) DO UPDATE SET login = excluded.login RETURNING id",
            (installation.account_id, plain(installation.account), kind),
        )
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101  (an upsert always returns its row)
        return int(row[0])

    async def _installation(self, connection: Connection, installation_id: int, organization_id: int, state: State) -> None:
        await connection.execute(
            "INSERT INTO installations (id, organization_id, state) VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE"
            " SET organization_id = excluded.organization_id, state = excluded.state, updated_at = now()"
            " WHERE installations.state <> 'removed'",
            (installation_id, organization_id, state),
        )

    async def _repositories(self, connection: Connection, organization_id: int, repositories: Sequence[Repository]) -> None:
        async with connection.cursor() as cursor:
            await cursor.executemany(KEEP_GIVEN, [self._values(organization_id, repository) for repository in repositories])

    def _values(self, organization_id: int, repository: Repository) -> tuple[object, ...]:
        names = plain(repository.full_name), repository.private, plain(repository.default_branch)
        return (organization_id, repository.id, *names)


# A delivery about a repository does not bring it back: only GitHub's word that it was given to the installation does.
KEEP_ONE = """
INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (organization_id, github_id) DO UPDATE
SET full_name = excluded.full_name, private = excluded.private, default_branch = excluded.default_branch, updated_at = now()
RETURNING id, removed
"""

KEEP_GIVEN = """
INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (organization_id, github_id) DO UPDATE
SET full_name = excluded.full_name, private = excluded.private, removed = false, updated_at = now()
"""

# One that nobody knew of is kept too: a late delivery about it must not bring it in.
KEEP_REMOVED = """
INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch, removed)
VALUES (%s, %s, %s, %s, %s, true)
ON CONFLICT (organization_id, github_id) DO UPDATE SET removed = true, updated_at = now()
"""

INSTALLED = """
SELECT i.id, o.github_id, o.login, o.kind, r.github_id, r.full_name, r.private, r.default_branch
FROM repositories AS r
JOIN organizations AS o ON o.id = r.organization_id
JOIN LATERAL (
    SELECT id FROM installations WHERE organization_id = o.id AND state = 'active' ORDER BY id DESC LIMIT 1
) AS i ON true
WHERE NOT r.removed
"""

LEFT = """
SELECT o.id, r.id
FROM organizations AS o
JOIN repositories AS r ON r.organization_id = o.id
WHERE o.github_id = %s
  AND ((r.removed AND r.github_id = ANY(%s))
       OR NOT EXISTS (SELECT FROM installations AS i WHERE i.organization_id = o.id AND i.state <> 'removed'))
"""
