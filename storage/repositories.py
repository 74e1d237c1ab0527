"""Repositories as people see them: in pages by name, with their settings and how their code index stands."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.audit import Act, record
from storage.database import Database, plain


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """What was switched here for a repository: whether pull requests are reviewed, whether models see its code, and whether
    an index of its code is kept. The repository's own `.refactoriq.yml` may switch off more."""

    reviews: bool = True
    models: bool = True
    index: bool = True

    @classmethod
    def kept(cls, value: Mapping[str, bool]) -> "RepositorySettings":
        """The settings in a row: what does not stand there is as at first."""
        return cls(**{name: bool(value.get(name, True)) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """How a repository's code index stands. `commit` is what retrieval sees, empty before the first; `because` why the newest
    try failed."""

    state: str
    commit: str
    files: int
    chunks: int
    indexed_at: datetime | None
    because: str


@dataclass(frozen=True, slots=True)
class KeptRepository:
    """A repository that the app may read. Ids are ours, `github_id` is GitHub's; `index` is None where there never was one."""

    id: int
    organization_id: int
    github_id: int
    full_name: str
    private: bool
    default_branch: str
    updated_at: datetime
    settings: RepositorySettings
    index: IndexSummary | None


COLUMNS = """
r.id, r.organization_id, r.github_id, r.full_name, r.private, r.default_branch, r.updated_at, r.settings,
i.state, i.commit_sha, i.files, i.chunks, i.indexed_at, i.because
"""
ONE = f"""
SELECT {COLUMNS} FROM repositories AS r LEFT JOIN code_indexes AS i ON i.repository_id = r.id WHERE r.id = %s AND NOT r.removed
"""  # noqa: S608
MATCHING = """
NOT r.removed AND (r.full_name, r.id) > (%(name)s, %(id)s) AND position(lower(%(q)s) IN lower(r.full_name)) > 0
ORDER BY r.full_name, r.id LIMIT %(limit)s
"""
# By the index on organization and name where all of an organization may be read, else by the repositories' own ids: each
# organization gives a page at most.
PAGE = f"""
SELECT {COLUMNS} FROM (
    SELECT s.* FROM unnest(%(whole)s::bigint[]) AS organization,
    LATERAL (SELECT * FROM repositories AS r WHERE r.organization_id = organization AND {MATCHING}) AS s
    UNION ALL
    SELECT * FROM (
        SELECT * FROM repositories AS r WHERE r.id = ANY(%(readable)s) AND r.organization_id = ANY(%(others)s) AND {MATCHING}
    ) AS s
) AS r LEFT JOIN code_indexes AS i ON i.repository_id = r.id
ORDER BY r.full_name, r.id LIMIT %(limit)s
"""  # noqa: S608


class KeptRepositories:
    """The table of repositories, for reading and switching. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database, self._reading = database, reading

    async def page(self, sight: Sight, q: str, limit: int, after: tuple[str, int] = ("", 0)) -> list[KeptRepository]:
        """At most `limit` of those that may be seen and whose name holds `q` in any case, by name, behind that name and id."""
        values = {
            "whole": list(sight.whole), "others": [id for id in sight.organizations if id not in sight.whole],
            "readable": list(sight.repositories), "q": plain(q), "name": plain(after[0]), "id": after[1], "limit": limit,
        }  # fmt: skip
        return await self._read(sight, PAGE, values)

    async def get(self, sight: Sight, repository_id: int) -> KeptRepository | None:
        """That repository, where it may be seen."""
        found = await self._read(sight, ONE, (repository_id,))
        return found[0] if found else None

    async def lets_write(self, user_id: int, repository_id: int) -> bool:
        """Whether GitHub, when it was last asked, let that user push to the repository."""
        rows = await self._database.at_once(
            "SELECT 1 FROM repository_readers WHERE user_id = %s AND repository_id = %s"
            " AND permission IN ('write', 'maintain', 'admin')",
            (user_id, repository_id),
        )
        return bool(rows)

    async def settings(self, organization_id: int, repository_id: int) -> RepositorySettings:
        """The settings of that repository, for jobs."""
        async with self._database.tenant(organization_id) as connection:
            cursor = await connection.execute("SELECT settings FROM repositories WHERE id = %s", (repository_id,))
            row = await cursor.fetchone()
        return RepositorySettings() if row is None else RepositorySettings.kept(row[0])

    async def change_settings(
        self, organization_id: int, repository_id: int, changes: Mapping[str, bool], act: Act
    ) -> RepositorySettings:
        """Switch those of these names; gives all as they are now. What stands already is no change, and not on record."""
        async with self._database.tenant(organization_id) as connection:
            cursor = await connection.execute("SELECT settings FROM repositories WHERE id = %s FOR UPDATE", (repository_id,))
            row = await cursor.fetchone()
            before = RepositorySettings() if row is None else RepositorySettings.kept(row[0])
            after = replace(before, **changes)
            if after != before:
                await connection.execute(
                    "UPDATE repositories SET settings = %s WHERE id = %s", (Jsonb(asdict(after)), repository_id)
                )
                changed = {name: value for name, value in asdict(after).items() if value != getattr(before, name)}
                await record(connection, organization_id, act, f"repository:{repository_id}", changed)
        return after

    async def note(self, organization_id: int, repository_id: int, act: Act) -> None:
        """Put on record that a job was asked for."""
        async with self._database.tenant(organization_id) as connection:
            await record(connection, organization_id, act, f"repository:{repository_id}")

    async def _read(
        self, sight: Sight, query: LiteralString, values: Mapping[str, object] | Sequence[object]
    ) -> list[KeptRepository]:
        return [_kept(*row) for row in await self._reading.rows(sight, query, values)]


def _kept(*row: Any) -> KeptRepository:
    id, organization_id, github_id, full_name, private, default_branch, updated_at, settings, *index = row
    return KeptRepository(
        id, organization_id, github_id, full_name, private, default_branch, updated_at, RepositorySettings.kept(settings),
        None if index[0] is None else IndexSummary(*index),
    )  # fmt: skip
