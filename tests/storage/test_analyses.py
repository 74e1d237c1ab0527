"""Analyses remembered: everything that was found or dropped, with what it cost, and text that Postgres would refuse."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import asdict, replace

import pytest

from review.analysis import Analysis, ContextPlace, Dropped, Skipped, Usage
from review.finding import Category, Finding, Location, Severity, Side, Suggestion, Verdict
from storage.analyses.keep import keep_analysis
from storage.database import Database
from storage.installations import Tenant
from tests.builders_review import a_finding
from tests.builders_storage import a_tenant

pytestmark = pytest.mark.integration

accounts = itertools.count(100)


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url) as opened:
        yield opened


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await a_tenant(database, next(accounts))


async def kept(database: Database, tenant: Tenant, analysis: Analysis, columns: str, table: str) -> list[tuple[object, ...]]:
    async with database.tenant(tenant.organization_id) as connection:
        await keep_analysis(connection, tenant.organization_id, tenant.repository_id, 7, analysis)
        return await (await connection.execute(f"SELECT {columns} FROM {table} ORDER BY id")).fetchall()


async def test_a_finding_is_kept_whole(database: Database, tenant: Tenant) -> None:
    suggestion = Suggestion(3, 4, "x = 1\r\n\ty = 2", Verdict.VERIFIED)
    finding = a_finding(
        "src/é.py", 3, 4, Side.LEFT, severity=Severity.HIGH, category=Category.SECURITY, quote="eval(x)", confidence=0.75,
        fingerprint="f-1", suggestion=suggestion,
    )  # fmt: skip
    columns = (
        "fingerprint, path, side, first_line, last_line, severity, category, source, rule, message, quote, confidence,"
        " suggestion, dropped_because"
    )
    assert await kept(database, tenant, Analysis("a" * 40, (finding,)), columns, "findings") == [
        (
            "f-1", "src/é.py", "LEFT", 3, 4, "high", "security", "ruff", "B006", finding.message, "eval(x)", 0.75,
            {"first_line": 3, "last_line": 4, "replacement": "x = 1\r\n\ty = 2", "verdict": "verified", "because": "",
             "replaced": ""}, None,
        )
    ]  # fmt: skip


async def test_what_was_shown_beyond_the_change_and_what_is_cited_are_kept(database: Database, tenant: Tenant) -> None:
    place = ContextPlace("pay.py", 3, 9, "pay", "uses `share`, which the change alters", 80, 1, cited=True, posted=True)
    finding = a_finding(cites=(Location("pay.py", 3, 9, Side.LEFT),))
    analysis = Analysis("a" * 40, (finding,), context=(place, replace(place, path="b.py", cited=False, posted=False)))
    cites = [{"path": "pay.py", "first_line": 3, "last_line": 9, "side": "LEFT"}]
    assert await kept(database, tenant, analysis, "cites", "findings") == [(cites,)]
    async with database.tenant(tenant.organization_id) as connection:
        rows = await (
            await connection.execute("SELECT record -> 'context' -> 0, record -> 'no_context' FROM analyses")
        ).fetchall()
        assert rows == [(asdict(place), "")]


async def test_what_was_dropped_keeps_its_reason(database: Database, tenant: Tenant) -> None:
    analysis = Analysis("a" * 40, (a_finding(),), (Dropped(a_finding(rule="E501"), "it was told before"),))
    rows = await kept(database, tenant, analysis, "rule, dropped_because", "findings")
    assert rows == [("B006", None), ("E501", "it was told before")]


async def test_the_record_says_what_was_looked_at_and_what_it_cost(database: Database, tenant: Tenant) -> None:
    analysis = Analysis(
        "a" * 40,
        read=("a.py",),
        skipped=(Skipped("b.bin", "binary"),),
        analyzers=("ruff",),
        models=("openai",),
        usage=(Usage("openai", "gpt", 10, 2, 3, 0.5, False, "It was cut."),),
        notes=("One note.",),
        timings={"fetch": 0.25},
        changed_lines=12,
        partial=True,
    )
    [(number, head, lines, partial, record)] = await kept(
        database, tenant, analysis, "number, head_sha, changed_lines, partial, record", "analyses"
    )
    assert (number, head, lines, partial) == (7, "a" * 40, 12, True)
    assert record == {
        "read": ["a.py"],
        "skipped": [{"path": "b.bin", "because": "binary"}],
        "analyzers": ["ruff"],
        "models": ["openai"],
        "usage": [
            {"provider": "openai", "model": "gpt", "input_tokens": 10, "cached_tokens": 2, "output_tokens": 3, "seconds": 0.5,
             "ok": False, "error": "It was cut.", "cost": None}
        ],
        "notes": ["One note."],
        "context": [],
        "no_context": "",
        "timings": {"fetch": 0.25},
    }  # fmt: skip


def rotten(finding: Finding) -> Finding:
    bad = "NUL \x00, half a pair \ud800"
    place = replace(finding.location, path=bad)
    return replace(finding, location=place, rule=bad, source=bad, message=bad, quote=bad, suggestion=Suggestion(1, 1, bad))


async def test_text_that_postgres_refuses_never_loses_an_analysis(database: Database, tenant: Tenant) -> None:
    bad, mended = "NUL \x00, half a pair \ud800", "NUL \ufffd, half a pair ?"
    analysis = Analysis(
        "a" * 40, (rotten(a_finding()),), (Dropped(a_finding(), bad),), skipped=(Skipped(bad, bad),), notes=(bad,),
        timings={bad: 1.0},
    )  # fmt: skip
    columns = "path, rule, source, message, quote, suggestion->>'replacement', dropped_because"
    rows = await kept(database, tenant, analysis, columns, "findings")
    assert rows[0] == (mended,) * 6 + (None,)
    assert rows[1][-1] == mended


async def test_five_thousand_findings_are_kept(database: Database, tenant: Tenant) -> None:
    analysis = Analysis("a" * 40, tuple(a_finding(line=n) for n in range(1, 5001)))
    rows = await kept(database, tenant, analysis, "last_line", "findings")
    assert rows == [(n,) for n in range(1, 5001)]
