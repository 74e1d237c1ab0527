"""Proposals in the database: steps that only one can take, each on record, and lists that run on an index."""

import asyncio
import re

import psycopg
import pytest

from review.proposal import State
from storage import proposals as proposals_module
from storage.accounts.reading import Reading
from storage.audit import Act
from storage.database import Database
from storage.proposals import NewProposal, Prepared, ProposalRecord, Proposals
from tests.builders_storage import a_tenant

pytestmark = pytest.mark.integration

ACT = Act("proposal.test", "mona")
NOTHING = Prepared((), (), (), {}, "", "", "", "")
SOMETHING = Prepared(
    [{"issue": "a-1", "checked": "x"}], (), [{"file": "a\ud800", "type": "modified", "diff": "\0"}], {}, "a" * 40, "b", "k", "f"
)


@pytest.fixture
def proposals(database: Database) -> Proposals:
    return Proposals(database, Reading(database))


async def a_proposal(database: Database, proposals: Proposals) -> ProposalRecord:
    tenant = await a_tenant(database)
    async with database.tenant(tenant.organization_id) as connection:
        cursor = await connection.execute(
            "INSERT INTO analyses (organization_id, repository_id) VALUES (%s, %s) RETURNING id",
            (tenant.organization_id, tenant.repository_id),
        )
        row = await cursor.fetchone()
    assert row is not None
    async with database.system() as connection:
        home = await (await connection.execute("SELECT id FROM users LIMIT 1")).fetchone()
    user = home[0] if home else None
    return await proposals.add(NewProposal(tenant.organization_id, tenant.repository_id, row[0], user, ("a-1",)), ACT)  # type: ignore[arg-type]


async def test_a_step_is_taken_from_a_state_that_it_may_come_from_and_by_one(database: Database, proposals: Proposals) -> None:
    proposal = await a_proposal(database, proposals)
    assert await proposals.step(proposal, State.APPROVED, ACT) is None
    made = await proposals.prepared(proposal, SOMETHING, ACT, "Done.")
    assert made is not None
    assert (made.state, made.outcome, made.changes) == (
        State.PROPOSED,
        "Done.",
        [{"file": "a?", "type": "modified", "diff": "\ufffd"}],
    )
    assert await proposals.prepared(proposal, SOMETHING, ACT, "Again.") is None
    steps = await asyncio.gather(*(proposals.step(made, State.APPROVED, ACT) for _ in range(4)))
    assert sum(step is not None for step in steps) == 1
    assert await proposals.step(made, State.APPLIED, ACT) is None
    assert await proposals.step(made, State.APPLYING, ACT) is not None
    applied = await proposals.step(made, State.APPLIED, ACT, outcome="There.", commit_sha="c" * 40)
    assert applied is not None
    assert (applied.commit_sha, applied.outcome, applied.head_sha) == ("c" * 40, "There.", "a" * 40)
    for state in State:
        assert await proposals.step(made, state, ACT) is None


async def test_what_settles_nothing_has_failed(database: Database, proposals: Proposals) -> None:
    failed = await proposals.prepared(await a_proposal(database, proposals), NOTHING, ACT, "Nothing.")
    assert failed is not None
    assert failed.state is State.FAILED


async def test_every_step_is_on_record_and_none_that_was_refused(
    database: Database, proposals: Proposals, database_url: str
) -> None:
    proposal = await a_proposal(database, proposals)
    await proposals.step(proposal, State.APPLIED, ACT)
    await proposals.step(proposal, State.REJECTED, ACT)
    await proposals.rename(proposal, "New", ACT)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT details FROM audit_logs WHERE subject LIKE 'proposal:%' ORDER BY id").fetchall()
    assert [row[0] for row in rows] == [{"analysis": proposal.analysis_id}, {"to": "rejected"}, {"title": "New"}]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (proposals_module.NEWEST, "proposals_newest"),
        (proposals_module.NEWEST_IN_STATE, "proposals_newest_in_state"),
        (proposals_module.NEWEST_OF_ANALYSIS, "proposals_analysis"),
    ],
)
async def test_each_list_runs_on_its_index(database_url: str, database: Database, query: str, index: str) -> None:
    tenant = await a_tenant(database)
    values = {"organizations": [tenant.organization_id], "analysis": 1, "state": "proposed", "before": 10**9, "limit": 20}
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE proposals DISABLE TRIGGER ALL")
        connection.execute("INSERT INTO analyses (organization_id, repository_id) VALUES (%s, %s)",
                           (tenant.organization_id, tenant.repository_id))  # fmt: skip
        connection.execute(
            "INSERT INTO proposals (organization_id, analysis_id, state, wanted)"
            " SELECT %s + n %% 200, n, CASE WHEN n %% 7 = 0 THEN 'proposed' ELSE 'applied' END, '{}'"
            " FROM generate_series(1, 20000) AS n",
            (tenant.organization_id,),
        )
        connection.execute("ANALYZE proposals")
        plan = "\n".join(row[0] for row in psycopg.ClientCursor(connection).execute(f"EXPLAIN {query}", values).fetchall())
        connection.rollback()
    assert re.search(rf"\b{index}\b", plan), plan
    assert "Seq Scan on proposals" not in plan
