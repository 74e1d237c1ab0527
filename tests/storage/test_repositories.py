"""Lists of repositories and members, at a hundred thousand of each: by an index, and quick."""

from time import perf_counter
from typing import Any

import psycopg
import pytest

from storage.accounts.members import PAGE as MEMBERS
from storage.accounts.members import Members
from storage.accounts.reading import Reading
from storage.accounts.role import Role
from storage.accounts.sight import Membership, Sight
from storage.database import Database
from storage.repositories import PAGE, KeptRepositories

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FILL = """
INSERT INTO organizations (github_id, login, kind) SELECT n, 'octo-' || n, 'Organization' FROM generate_series(1, 2) AS n;
INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch)
SELECT o.id, n, o.login || '/' || md5(n::text), true, 'main' FROM organizations AS o, generate_series(1, 50000) AS n;
INSERT INTO users (home_id, email) SELECT 1, n || '@example.com' FROM generate_series(1, 50000) AS n;
INSERT INTO members (organization_id, user_id, role) SELECT o.id, u.id, 'member' FROM organizations AS o, users AS u;
ANALYZE repositories, members, organizations;
"""


def scans(plan: dict[str, Any]) -> list[str]:
    """The tables that a plan goes through from end to end."""
    own = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return own + [name for part in plan.get("Plans", ()) for name in scans(part)]


async def explained(database: Database, sight: Sight, query: Any, values: Any) -> list[str]:
    async with Reading(database).of(sight) as connection:
        row = await (await connection.execute(b"EXPLAIN (FORMAT JSON) " + query.encode(), values)).fetchone()
    assert row is not None
    return [name for name in scans(row[0][0]["Plan"]) if name in ("repositories", "members")]


async def test_a_page_is_found_by_an_index_for_whoever_reads_everything_and_for_whoever_reads_a_little(
    database: Database, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(FILL)
        [(first,), (second,)] = admin.execute("SELECT id FROM organizations ORDER BY id").fetchall()
        few = [row[0] for row in admin.execute("SELECT id FROM repositories WHERE organization_id = %s LIMIT 30", (second,))]
    owner = Membership(first, "octo-1", "Organization", Role.OWNER, True)
    member = Membership(second, "octo-2", "Organization", Role.MEMBER, False)
    sight = Sight((owner, member), tuple(few))
    values = {"whole": [first], "others": [second], "readable": few, "q": "", "name": "octo-1/8", "id": 1, "limit": 21}
    assert await explained(database, sight, PAGE, values) == []
    assert await explained(database, sight, MEMBERS, (first, 25_000, 21)) == []

    listed, members = KeptRepositories(database, Reading(database)), Members(database, Reading(database))
    await listed.page(sight, "", 21)
    started = perf_counter()
    page = await listed.page(sight, "", 21, ("octo-1/f", 0))
    people = await members.page(sight, first, 21, 25_000)
    assert perf_counter() - started < 0.5
    assert (len(page), len(people)) == (21, 21)
    assert [one.full_name for one in page] == sorted(one.full_name for one in page)
