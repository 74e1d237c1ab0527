"""Proposals remembered, from what was wanted to what came of it. Each step is one UPDATE: of two at once one wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from review.proposal import State, states_before
from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.audit import Act, record
from storage.database import Connection, Database, plain, plain_json


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """A proposal as it stands. Ids are ours; `wanted` are names of findings as `security-001`.

    `settled` are {issue, checked}, `left_out` {issue, because}, `changes` {file, type, diff} (in lists without the diff).
    `head_sha` is the commit that was looked at, `commit_sha` the one that was made; `outcome` is a sentence about how it ended.
    """

    id: int
    organization_id: int
    repository_id: int | None
    analysis_id: int
    user_id: int | None
    title: str
    state: State
    auto_apply: bool
    wanted: tuple[str, ...]
    settled: list[dict[str, str]]
    left_out: list[dict[str, str]]
    changes: list[dict[str, str]]
    impact: dict[str, Any]
    head_sha: str
    head_ref: str
    patch_key: str
    files_key: str
    commit_sha: str
    outcome: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewProposal:
    """What somebody asks for."""

    organization_id: int
    repository_id: int | None
    analysis_id: int
    user_id: int
    wanted: tuple[str, ...]
    auto_apply: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made of it. Without settled findings there are no changes and no objects."""

    settled: Sequence[dict[str, str]]
    left_out: Sequence[dict[str, str]]
    changes: Sequence[dict[str, str]]
    impact: dict[str, Any]
    head_sha: str
    head_ref: str
    patch_key: str
    files_key: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Which proposals a list holds. None of one kind: all."""

    organizations: Sequence[int]
    analysis_id: int | None = None
    state: State | None = None


OTHERS = """
id, organization_id, repository_id, analysis_id, user_id, title, state, auto_apply, wanted, settled, left_out, impact, head_sha,
head_ref, patch_key, files_key, commit_sha, outcome, created_at, updated_at
"""
WHOLE = f"{OTHERS}, changes"
LISTED = f"{OTHERS}, (SELECT coalesce(jsonb_agg(one - 'diff'), '[]') FROM jsonb_array_elements(changes) AS one) AS changes"  # noqa: S608

ADD: LiteralString = f"""
INSERT INTO proposals (organization_id, repository_id, analysis_id, user_id, title, state, auto_apply, wanted)
VALUES (%(organization)s, %(repository)s, %(analysis)s, %(user)s, %(title)s, 'preparing', %(auto)s, %(wanted)s)
RETURNING {WHOLE}
"""  # noqa: S608
ONE: LiteralString = f"SELECT {WHOLE} FROM proposals WHERE id = %(id)s"  # noqa: S608
NEWEST: LiteralString = f"""
SELECT listed.* FROM unnest(%(organizations)s::bigint[]) AS o, LATERAL (
    SELECT {LISTED} FROM proposals WHERE organization_id = o AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s
) AS listed ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608
NEWEST_IN_STATE: LiteralString = f"""
SELECT listed.* FROM unnest(%(organizations)s::bigint[]) AS o, LATERAL (
    SELECT {LISTED} FROM proposals WHERE organization_id = o AND state = %(state)s AND id < %(before)s
    ORDER BY id DESC LIMIT %(limit)s
) AS listed ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608
NEWEST_OF_ANALYSIS: LiteralString = f"""
SELECT {LISTED} FROM proposals
WHERE analysis_id = %(analysis)s AND organization_id = ANY(%(organizations)s) AND id < %(before)s
    AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608
STEP: LiteralString = f"""
UPDATE proposals SET state = %(state)s, updated_at = now(), outcome = coalesce(%(outcome)s, outcome),
    commit_sha = coalesce(%(commit)s, commit_sha), title = coalesce(%(title)s, title)
WHERE id = %(id)s AND state = ANY(%(before)s) RETURNING {WHOLE}
"""  # noqa: S608
PREPARED: LiteralString = f"""
UPDATE proposals SET state = %(state)s, updated_at = now(), settled = %(settled)s, left_out = %(left_out)s,
    changes = %(changes)s, impact = %(impact)s, head_sha = %(head_sha)s, head_ref = %(head_ref)s, patch_key = %(patch_key)s,
    files_key = %(files_key)s, outcome = %(outcome)s
WHERE id = %(id)s AND state = ANY(%(before)s) RETURNING {WHOLE}
"""  # noqa: S608
RENAME: LiteralString = f"""
UPDATE proposals SET title = %(title)s, updated_at = now() WHERE id = %(id)s RETURNING {WHOLE}
"""  # noqa: S608


class Proposals:
    """The table of proposals. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading) -> None:
        self._database = database
        self._reading = reading

    async def get(self, sight: Sight, id: int) -> ProposalRecord | None:
        """The proposal, where that caller may see it."""
        async with self._reading.of(sight) as connection:
            return await _one(connection, ONE, {"id": id})

    async def for_job(self, organization_id: int, id: int) -> ProposalRecord | None:
        """The proposal of that organization as it stands at this moment."""
        async with self._database.tenant(organization_id) as connection:
            return await _one(connection, ONE, {"id": id})

    async def page(self, sight: Sight, filters: Filters, limit: int, before: int) -> list[ProposalRecord]:
        """The newest proposals with an id below `before`, without their diffs."""
        values = {
            "organizations": list(filters.organizations), "analysis": filters.analysis_id, "state": filters.state,
            "limit": limit, "before": before,
        }  # fmt: skip
        one_analysis = filters.analysis_id is not None
        query = NEWEST_OF_ANALYSIS if one_analysis else NEWEST_IN_STATE if filters.state is not None else NEWEST
        async with self._reading.of(sight) as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, values)
            return [_record(row) for row in await cursor.fetchall()]

    async def add(self, new: NewProposal, act: Act) -> ProposalRecord:
        """A proposal that is yet to be prepared."""
        values = {
            "organization": new.organization_id, "repository": new.repository_id, "analysis": new.analysis_id,
            "user": new.user_id, "title": plain(new.title), "auto": new.auto_apply, "wanted": list(new.wanted),
        }  # fmt: skip
        async with self._database.tenant(new.organization_id) as connection:
            added = await _one(connection, ADD, values)
            assert added is not None  # noqa: S101  (an INSERT returns its row)
            await record(connection, new.organization_id, act, f"proposal:{added.id}", {"analysis": new.analysis_id})
        return added

    async def step(
        self,
        proposal: ProposalRecord,
        state: State,
        act: Act,
        *,
        outcome: str | None = None,
        commit_sha: str | None = None,
        title: str | None = None,
    ) -> ProposalRecord | None:
        """Take it to that state, and give it as it stands then; None where that is no legal step from where it is by now."""
        values = {
            "id": proposal.id, "state": state, "before": states_before(state), "commit": commit_sha,
            "outcome": None if outcome is None else plain(outcome), "title": None if title is None else plain(title),
        }  # fmt: skip
        async with self._database.tenant(proposal.organization_id) as connection:
            stepped = await _one(connection, STEP, values)
            if stepped is not None:
                details = {"to": state, **({"commit": commit_sha} if commit_sha else {})}
                await record(connection, proposal.organization_id, act, f"proposal:{proposal.id}", details)
        return stepped

    async def prepared(self, proposal: ProposalRecord, made: Prepared, act: Act, outcome: str) -> ProposalRecord | None:
        """Write down what was made: it is proposed now or, where it settles nothing, failed. None where it is neither any
        more: somebody rejected it meanwhile, or another job was faster."""
        state = State.PROPOSED if made.settled else State.FAILED
        values: dict[str, Any] = {
            "id": proposal.id, "state": state, "before": [State.PREPARING], "impact": Jsonb(made.impact),
            "settled": Jsonb(plain_json(made.settled)), "left_out": Jsonb(plain_json(made.left_out)),
            "changes": Jsonb(plain_json(made.changes)), "head_sha": made.head_sha, "head_ref": plain(made.head_ref),
            "patch_key": made.patch_key, "files_key": made.files_key, "outcome": plain(outcome),
        }  # fmt: skip
        async with self._database.tenant(proposal.organization_id) as connection:
            stepped = await _one(connection, PREPARED, values)
            if stepped is not None:
                await record(connection, proposal.organization_id, act, f"proposal:{proposal.id}", {"to": state})
        return stepped

    async def rename(self, proposal: ProposalRecord, title: str, act: Act) -> ProposalRecord | None:
        """Another title, whatever its state; None where it is gone."""
        async with self._database.tenant(proposal.organization_id) as connection:
            renamed = await _one(connection, RENAME, {"title": plain(title), "id": proposal.id})
            if renamed is not None:
                await record(connection, proposal.organization_id, act, f"proposal:{proposal.id}", {"title": plain(title)})
        return renamed


async def _one(connection: Connection, query: LiteralString, values: Mapping[str, Any]) -> ProposalRecord | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        row = await cursor.fetchone()
    return None if row is None else _record(row)


def _record(row: dict[str, Any]) -> ProposalRecord:
    return ProposalRecord(**row | {"state": State(row["state"]), "wanted": tuple(row["wanted"])})
