"""What GitHub says a person may see: kept in one transaction, so that what is gone is gone at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from review.pull_request import Installation, Repository
from storage.accounts.github_accounts import HeldTokens
from storage.audit import Act, record
from storage.database import Connection, Database, plain

GitHubRole = Literal["owner", "member", "viewer"]
Permission = Literal["read", "triage", "write", "maintain", "admin"]


@dataclass(frozen=True, slots=True)
class SeenRepository:
    """A repository that a person may read on GitHub, and what else they may do there."""

    repository: Repository
    permission: Permission


@dataclass(frozen=True, slots=True)
class SeenInstallation:
    """An installation of the app in which a person may read something, and what they are to its account."""

    installation: Installation
    role: GitHubRole
    repositories: tuple[SeenRepository, ...]


class SeenOnGitHub:
    """Members by GitHub, and readers of repositories. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, held: HeldTokens, seen: Sequence[SeenInstallation]) -> bool:
        """From now on that person sees this of GitHub, and nothing else. `held` are the tokens that GitHub was asked with:
        where they have been replaced since, nothing is kept and it gives False.

        What is not known yet of installations and repositories is kept too; what was removed stays removed.
        """
        async with self._database.system() as connection:
            if not await _are_still_theirs(connection, held):
                return False
            roles: dict[int, GitHubRole] = {}
            readable: dict[int, tuple[int, Permission]] = {}
            # In one order, so that the transactions of two people never wait for each other in a circle.
            for one in sorted(seen, key=lambda one: (one.installation.account_id, one.installation.id)):
                organization_id = await _organization(connection, one.installation)
                if organization_id is None:
                    continue
                roles[organization_id] = one.role
                known = await _repositories(connection, organization_id, one.repositories)
                if one.role != "owner":  # who reads all of them, named or not
                    readable |= {id: (organization_id, permission) for id, permission in known.items()}
            await _keep_roles(connection, held.user_id, roles)
            await _keep_readable(connection, held.user_id, readable)
            await connection.execute("UPDATE users SET seen_on_github_at = clock_timestamp() WHERE id = %s", (held.user_id,))
        return True

    async def forget(self, held: HeldTokens) -> bool:
        """Everything of GitHub's is gone for that person until they sign in again: GitHub takes their tokens for none.
        Where these have been replaced since, nothing happens and it gives False."""
        async with self._database.system() as connection:
            if not await _are_still_theirs(connection, held):
                return False
            await _keep_roles(connection, held.user_id, {})
            await _keep_readable(connection, held.user_id, {})
            await connection.execute(
                "UPDATE users SET github_tokens = NULL, seen_on_github_at = NULL WHERE id = %s", (held.user_id,)
            )
            await record(connection, None, BY_GITHUB, f"user:{held.user_id}", {"github": "access ended"})
        return True


BY_GITHUB = Act("member.as_github_says", actor="GitHub")


async def _are_still_theirs(connection: Connection, held: HeldTokens) -> bool:
    cursor = await connection.execute(
        "SELECT FROM users WHERE id = %s AND github_tokens = %s FOR UPDATE", (held.user_id, held.sealed)
    )
    return cursor.rowcount == 1


async def _organization(connection: Connection, installation: Installation) -> int | None:
    """Our id of the installation's account; None where we know that the app was removed there."""
    kind = "User" if installation.account_type == "User" else "Organization"
    cursor = await connection.execute(
        "INSERT INTO organizations (github_id, login, kind) VALUES (%s, %s, %s)"
        " ON CONFLICT (github_id) DO UPDATE SET login = excluded.login RETURNING id",
        (installation.account_id, plain(installation.account), kind),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  (an upsert always returns its row)
    await connection.execute(
        "INSERT INTO installations (id, organization_id) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING", (installation.id, row[0])
    )
    known = await connection.execute("SELECT FROM installations WHERE id = %s AND state <> 'removed'", (installation.id,))
    return int(row[0]) if known.rowcount else None


NEW_REPOSITORIES = """
INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch)
SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::boolean[], %s::text[])
ON CONFLICT (organization_id, github_id) DO NOTHING
"""


async def _repositories(connection: Connection, organization_id: int, seen: Sequence[SeenRepository]) -> dict[int, Permission]:
    """By our ids of the repositories, what the person may do there."""
    permissions = {one.repository.id: one.permission for one in seen}
    each = sorted((one.repository for one in seen), key=lambda repository: repository.id)
    await connection.execute(
        NEW_REPOSITORIES,
        (
            organization_id, [one.id for one in each], [plain(one.full_name) for one in each], [one.private for one in each],
            [plain(one.default_branch) for one in each],
        ),
    )  # fmt: skip
    cursor = await connection.execute(
        "SELECT id, github_id FROM repositories WHERE organization_id = %s AND github_id = ANY(%s) AND NOT removed",
        (organization_id, list(permissions)),
    )
    return {id: permissions[github_id] for id, github_id in await cursor.fetchall()}


ROLES_GONE = """
DELETE FROM members WHERE user_id = %(user)s AND role IS NULL AND organization_id <> ALL(%(organizations)s)
RETURNING organization_id
"""
ROLES_SET_HERE = """
UPDATE members SET github_role = NULL, updated_at = now()
WHERE user_id = %(user)s AND github_role IS NOT NULL AND organization_id <> ALL(%(organizations)s) RETURNING organization_id
"""
ROLES_NOW = """
INSERT INTO members (organization_id, user_id, github_role)
SELECT id, %(user)s, role FROM unnest(%(organizations)s::bigint[], %(roles)s::text[]) AS seen (id, role)
ON CONFLICT (organization_id, user_id) DO UPDATE SET github_role = excluded.github_role, updated_at = now()
WHERE members.github_role IS DISTINCT FROM excluded.github_role RETURNING organization_id
"""


async def _keep_roles(connection: Connection, user_id: int, roles: dict[int, GitHubRole]) -> None:
    """Those roles and no others by GitHub; each that changes is on record in its organization."""
    values = {"user": user_id, "organizations": list(roles), "roles": list(roles.values())}
    for statement in (ROLES_GONE, ROLES_SET_HERE, ROLES_NOW):
        for (organization_id,) in await (await connection.execute(statement, values)).fetchall():
            await record(connection, organization_id, BY_GITHUB, f"user:{user_id}", {"github_role": roles.get(organization_id)})


READABLE_NOW = """
INSERT INTO repository_readers (user_id, repository_id, organization_id, permission)
SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::text[])
ON CONFLICT (user_id, repository_id) DO UPDATE SET permission = excluded.permission
WHERE repository_readers.permission <> excluded.permission
"""


async def _keep_readable(connection: Connection, user_id: int, readable: dict[int, tuple[int, Permission]]) -> None:
    """By our ids of the repositories: those, and no others."""
    await connection.execute(
        "DELETE FROM repository_readers WHERE user_id = %s AND repository_id <> ALL(%s)", (user_id, list(readable))
    )
    organizations = [organization_id for organization_id, _ in readable.values()]
    permissions = [permission for _, permission in readable.values()]
    await connection.execute(READABLE_NOW, (user_id, list(readable), organizations, permissions))
