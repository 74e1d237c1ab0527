"""Lists of analyses: what a caller may see, filtered and sorted, page by page, and always by an index."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from review.pull_request import Repository
from storage.accounts.reading import Reading
from storage.accounts.role import Role
from storage.accounts.sight import Membership, Sight
from storage.analyses import Analyses, AnalysisFilter
from storage.analyses.pages import Sort, question
from storage.database import Database
from storage.installations import Tenant
from tests.builders_storage import a_tenant

pytestmark = pytest.mark.integration

SORTS: list[Sort] = ["created_at", "-created_at", "score", "-score"]
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Two organizations: `mine` is seen whole; of `theirs` one repository of two, and what belongs to none."""

    database: Database
    url: str
    mine: Tenant
    seen: Tenant
    unseen: Tenant

    @property
    def sight(self) -> Sight:
        return Sight(
            (
                Membership(self.mine.organization_id, "mine", "Organization", Role.OWNER, whole=True),
                Membership(self.seen.organization_id, "theirs", "Organization", Role.MEMBER, whole=False),
            ),
            (self.seen.repository_id, self.mine.repository_id),
        )

    async def analyses(self, count: int = 6) -> list[int]:
        """So many in each place, one a minute, the places in turn; gives the ids of those that may be seen, oldest first."""
        places = [
            (self.mine.organization_id, self.mine.repository_id), (self.seen.organization_id, self.seen.repository_id),
            (self.unseen.organization_id, self.unseen.repository_id), (self.seen.organization_id, None),
        ]  # fmt: skip
        visible = []
        with psycopg.connect(self.url, autocommit=True) as connection:
            for number, (organization, repository) in enumerate(itertools.islice(itertools.cycle(places), 4 * count)):
                row = connection.execute(
                    "INSERT INTO analyses (organization_id, repository_id, created_at, score, tags, subject, upload_id, status,"
                    " analysis_type) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
                    (
                        organization, repository, START + timedelta(minutes=number), None if number % 5 == 0 else number % 7,
                        ["even"] if number % 2 == 0 else [], "pull_request" if repository else "upload",
                        None if repository else 4, "failed" if number % 6 == 0 else "completed",
                        "security" if number % 3 == 0 else "full",
                    ),
                ).fetchone()  # fmt: skip
                assert row is not None
                if repository != self.unseen.repository_id:
                    visible.append(row[0])
        return visible

    async def pages(self, wanted: AnalysisFilter, sort: Sort, limit: int = 3) -> list[int]:
        """The ids of all pages, one after the other."""
        analyses, found, after = Analyses(self.database, Reading(self.database)), [], None
        while page := await analyses.page(self.sight, wanted, sort, limit, after):
            found += page
            after = [getattr(page[-1], sort.removeprefix("-")), page[-1].id]
        return [record.id for record in found]


@pytest.fixture
async def shelf(database_url: str) -> AsyncIterator[Shelf]:
    async with Database.open(database_url) as database:
        mine = await a_tenant(database, 100)
        seen = await a_tenant(database, 200)
        unseen = await a_tenant(database, 200, Repository(9002, "octo/secret"))
        yield Shelf(database, database_url, mine, seen, unseen)


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_hold_all_that_may_be_seen_each_once_and_in_order(shelf: Shelf, sort: Sort) -> None:
    visible = await shelf.analyses()
    found = await shelf.pages(AnalysisFilter(), sort)
    scores = dict(await rows(shelf, "SELECT id, score FROM analyses"))
    if sort.endswith("created_at"):
        expected = visible
    else:
        expected = sorted((id for id in visible if scores[id] is not None), key=lambda id: (scores[id], id))
    assert found == (expected[::-1] if sort.startswith("-") else expected)


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ({"status": "failed"}, "status = 'failed'"),
        ({"analysis_type": "security"}, "analysis_type = 'security'"),
        ({"subject": "upload"}, "subject = 'upload'"),
        ({"upload_id": 4}, "upload_id = 4"),
        ({"tag": "even"}, "tags @> '{even}'"),
        ({"min_score": 3.0, "max_score": 5.0}, "score BETWEEN 3 AND 5"),
        ({"since": START + timedelta(minutes=5), "until": START + timedelta(minutes=9)}, "id IN (SELECT id FROM analyses"
         " WHERE created_at >= '2026-01-01 00:05+00' AND created_at < '2026-01-01 00:09+00')"),
    ],
)  # fmt: skip
async def test_a_filter_leaves_what_it_says(shelf: Shelf, wanted: dict[str, Any], where: str) -> None:
    visible = await shelf.analyses()
    expected = [row[0] for row in await rows(shelf, f"SELECT id FROM analyses WHERE {where} ORDER BY id") if row[0] in visible]
    assert expected
    assert await shelf.pages(AnalysisFilter(**wanted), "created_at") == expected


async def test_one_organization_or_one_repository_is_all_of_it_and_nothing_else(shelf: Shelf) -> None:
    await shelf.analyses()
    mine = AnalysisFilter(organization_id=shelf.mine.organization_id)
    assert await shelf.pages(mine, "created_at") == await ids(shelf, "organization_id = %s", shelf.mine.organization_id)
    seen = AnalysisFilter(repository_id=shelf.seen.repository_id)
    assert await shelf.pages(seen, "created_at") == await ids(shelf, "repository_id = %s", shelf.seen.repository_id)
    assert await shelf.pages(AnalysisFilter(repository_id=shelf.unseen.repository_id), "created_at") == []
    assert await shelf.pages(AnalysisFilter(organization_id=12345), "created_at") == []


FILTERS = [
    {}, {"status": "queued"}, {"analysis_type": "style"}, {"subject": "upload"}, {"upload_id": 4}, {"min_score": 50.0},
    {"since": START, "until": START + timedelta(days=1)}, {"tag": "x"}, {"status": "failed", "subject": "repository"},
]  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("wanted", FILTERS, ids=lambda wanted: "+".join(wanted) or "all")
async def test_no_list_reads_the_whole_table_or_sorts_it(shelf: Shelf, wanted: dict[str, Any], sort: Sort) -> None:
    await many(shelf)
    for sight_of in ({}, {"organization_id": shelf.mine.organization_id}, {"repository_id": shelf.seen.repository_id}):
        query, values = question(shelf.sight, AnalysisFilter(**wanted, **sight_of), sort, 20, None)
        async with Reading(shelf.database).of(shelf.sight) as connection:
            cursor = await connection.execute(b"EXPLAIN (FORMAT JSON) " + query.encode(), values)
            plan = nodes((await cursor.fetchall())[0][0])
        of_analyses = [node["Node Type"] for node in plan if node.get("Relation Name") == "analyses"]
        assert of_analyses
        assert "Seq Scan" not in of_analyses


def nodes(plan: Any) -> list[dict[str, Any]]:
    """All nodes of a plan."""
    if isinstance(plan, list):
        return [node for one in plan for node in nodes(one)]
    below = [node for child in plan.get("Plans", []) for node in nodes(child)]
    return [*nodes(plan["Plan"]), *below] if "Plan" in plan else [plan, *below]


async def many(shelf: Shelf) -> None:
    """Enough rows that the planner takes an index where there is one that serves."""
    with psycopg.connect(shelf.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO analyses (organization_id, repository_id, created_at, score)"
            " SELECT o, r, now() - make_interval(secs => n), n %% 100 FROM generate_series(1, 5000) AS n,"
            " (VALUES (%s::bigint, %s::bigint), (%s, %s)) AS place(o, r)",
            (shelf.mine.organization_id, shelf.mine.repository_id, shelf.seen.organization_id, shelf.seen.repository_id),
        )
        connection.execute("ANALYZE analyses")


async def rows(shelf: Shelf, query: str) -> list[Any]:
    with psycopg.connect(shelf.url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


async def ids(shelf: Shelf, where: str, value: int) -> list[int]:
    with psycopg.connect(shelf.url, autocommit=True) as connection:
        query = f"SELECT id FROM analyses WHERE {where} ORDER BY id"
        return [row[0] for row in connection.execute(query.encode(), (value,)).fetchall()]
