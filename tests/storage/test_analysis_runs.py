"""An analysis is run by one job at a time, and what came of it is written once, whole, with what it cost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from review.analysis import Analysis, Dropped, Usage
from review.finding import Category, Severity
from storage.accounts.reading import Reading
from storage.analyses import Analyses, AnalysisRecord, ClaimedAnalysis, WantedAnalysis
from storage.analyses.keep import Measured
from storage.audit import Act
from storage.database import Database
from storage.deliveries import Deliveries, NewDelivery
from storage.installations import Tenant
from tests.builders_review import a_finding
from tests.builders_storage import a_new_delivery, a_tenant

pytestmark = pytest.mark.integration

ACT = Act("analysis.create", "mona")
ANALYSIS = Analysis(
    "a" * 40,
    (
        a_finding(severity=Severity.HIGH, category=Category.SECURITY),
        a_finding(line=2, category=Category.SECURITY),
        a_finding(line=3, category=Category.STYLE),
    ),
    (Dropped(a_finding(line=4), "said twice"),),
    usage=(
        Usage("openai", "gpt-5.1", 1_000_000, 0, 0),
        Usage("openai", "gpt-5.1", 1_000_000, 0, 0),
        Usage("x", "own", 5, 0, 5),
    ),
    changed_lines=12,
)


@dataclass(frozen=True, slots=True)
class Track:
    """One tenant, with a job's view on its analyses."""

    analyses: Analyses
    tenant: Tenant
    url: str

    async def asked(self) -> int:
        wanted = WantedAnalysis(self.tenant.organization_id, "repository", self.tenant.repository_id, ref="main")
        return (await self.analyses.asked.ask(wanted, 30.0, ACT, job)).id

    async def claim(self, id: int) -> ClaimedAnalysis | AnalysisRecord | None:
        return await self.analyses.runs.claim(self.tenant.organization_id, id)

    async def claimed(self, id: int) -> ClaimedAnalysis:
        claimed = await self.claim(id)
        assert isinstance(claimed, ClaimedAnalysis)
        return claimed

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def died(self) -> None:
        """Whoever is at any of them gives no sign of life any more."""
        self.sql("UPDATE analyses SET heartbeat_at = now() - interval '1 minute'")


def job(id: int) -> NewDelivery:
    return a_new_delivery(f"analysis-{id}")


@pytest.fixture
async def track(database: Database, database_url: str) -> AsyncIterator[Track]:
    yield Track(Analyses(database, Reading(database)), await a_tenant(database), database_url)


async def test_row_audit_and_job_are_there_together_or_not_at_all(track: Track, database: Database) -> None:
    id = await track.asked()
    assert await Deliveries(database).get(f"analysis-{id}") is not None
    assert track.sql("SELECT action, subject, actor FROM audit_logs") == [("analysis.create", f"analysis:{id}", "mona")]

    def broken(_: int) -> NewDelivery:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await track.analyses.asked.ask(WantedAnalysis(track.tenant.organization_id, "upload", upload_id=1), 1.0, ACT, broken)
    assert track.sql("SELECT count(*) FROM analyses") == [(1,)]
    assert track.sql("SELECT count(*) FROM audit_logs") == [(1,)]


async def test_of_many_jobs_that_try_at_once_one_wins(track: Track) -> None:
    id = await track.asked()
    claims = await asyncio.gather(*(track.claim(id) for _ in range(8)))
    assert sum(isinstance(claim, ClaimedAnalysis) for claim in claims) == 1


async def test_a_job_that_was_taken_for_dead_writes_nothing_any_more(track: Track) -> None:
    id = await track.asked()
    first = await track.claimed(id)
    track.died()
    second = await track.claimed(id)
    runs = track.analyses.runs
    assert not await runs.touch(first, 50, "still here")
    assert not await runs.complete(first, ANALYSIS, Measured())
    await runs.release(first)
    assert await runs.touch(second, 10, "Analyzing...")
    assert await runs.complete(second, ANALYSIS, Measured(80.0))
    assert track.sql("SELECT status, score FROM analyses") == [("completed", 80.0)]
    assert track.sql("SELECT count(*) FROM findings") == [(4,)]


async def test_a_finished_analysis_is_claimed_by_nobody_and_completed_once(track: Track) -> None:
    id = await track.asked()
    claimed = await track.claimed(id)
    assert await track.analyses.runs.complete(claimed, ANALYSIS, Measured())
    assert not await track.analyses.runs.complete(claimed, ANALYSIS, Measured())
    record = await track.claim(id)
    assert isinstance(record, AnalysisRecord)
    assert record.status == "completed"
    assert not await track.analyses.runs.failed(track.tenant.organization_id, id, "It is too late for that.")


async def test_what_was_found_is_named_by_its_category_worst_first(track: Track) -> None:
    id = await track.asked()
    await track.analyses.runs.complete(await track.claimed(id), ANALYSIS, Measured(71.5, {"lines_of_code": 9}))
    organization = track.tenant.organization_id
    numbered = await track.analyses.findings_for_job(organization, id)
    assert [one.issue for one in numbered] == ["security-001", "security-002", "style-001"]
    assert [one.finding for one in numbered] == list(ANALYSIS.findings)
    record = await track.analyses.for_job(organization, id)
    assert record is not None
    assert (record.score, record.metrics, record.severities) == (71.5, {"lines_of_code": 9}, {"high": 1, "medium": 2})
    assert (record.status, record.progress, record.changed_lines) == ("completed", 100, 12)
    assert await track.analyses.for_job(organization + 1, id) is None


async def test_what_models_took_adds_up_by_day_and_model(track: Track) -> None:
    for _ in range(2):
        await track.analyses.runs.complete(await track.claimed(await track.asked()), ANALYSIS, Measured())
    rows = track.sql("SELECT provider, model, scope, calls, input_tokens, cost::float FROM usage_days ORDER BY provider")
    assert rows == [
        ("openai", "gpt-5.1", track.tenant.repository_id, 4, 4_000_000, 5.0),
        ("x", "own", track.tenant.repository_id, 2, 10, 0.0),
    ]  # fmt: skip


async def test_many_that_end_at_once_wait_for_nobody_for_ever(track: Track) -> None:
    claims = [await track.claimed(await track.asked()) for _ in range(6)]
    async with asyncio.timeout(20):
        done = await asyncio.gather(*(track.analyses.runs.complete(claim, ANALYSIS, Measured()) for claim in claims))
    assert all(done)
    assert track.sql("SELECT sum(calls) FROM usage_days") == [(18,)]


async def test_removing_an_analysis_leaves_the_review_that_was_posted_from_it(track: Track) -> None:
    id = await track.asked()
    await track.analyses.runs.complete(await track.claimed(id), ANALYSIS, Measured())
    track.sql(
        "INSERT INTO reviews (organization_id, repository_id, number, head_sha, base_ref, delivery_id, state, analysis_id)"
        " VALUES (%s, %s, 7, 'a', 'main', 'd', 'posted', %s)",
        track.tenant.organization_id, track.tenant.repository_id, id,
    )  # fmt: skip
    assert await track.analyses.asked.delete(track.tenant.organization_id, id, ACT)
    assert not await track.analyses.asked.delete(track.tenant.organization_id, id, ACT)
    assert track.sql("SELECT state, analysis_id FROM reviews") == [("posted", None)]
