"""Lists of analyses: each page comes from the end of an index, whatever is filtered, for all that a caller may see at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString

from storage.accounts.sight import Sight
from storage.analyses.analysis import COLUMNS, AnalysisType, Status, Subject

Sort = Literal["created_at", "-created_at", "score", "-score"]

SORTS: dict[Sort, tuple[LiteralString, LiteralString]] = {
    "created_at": ("created_at", "ASC"),
    "-created_at": ("created_at", "DESC"),
    "score": ("score", "ASC"),
    "-score": ("score", "DESC"),
}


@dataclass(frozen=True, slots=True)
class AnalysisFilter:
    """Which analyses; None means any. `since` is included, `until` is not."""

    organization_id: int | None = None
    repository_id: int | None = None
    upload_id: int | None = None
    status: Status | None = None
    analysis_type: AnalysisType | None = None
    subject: Subject | None = None
    tag: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_score: float | None = None
    max_score: float | None = None


CONDITIONS: dict[str, LiteralString] = {
    "upload_id": "a.upload_id = %(upload_id)s",
    "status": "a.status = %(status)s",
    "analysis_type": "a.analysis_type = %(analysis_type)s",
    "subject": "a.subject = %(subject)s",
    "tag": "a.tags <> '{}' AND a.tags @> ARRAY[%(tag)s]",
    "since": "a.created_at >= %(since)s",
    "until": "a.created_at < %(until)s",
    "min_score": "a.score >= %(min_score)s",
    "max_score": "a.score <= %(max_score)s",
}
"""Only those that are asked for stand in a query: an index that holds only some rows must be seen to do."""

# Whole organizations are read by the index of the organization. Of others a caller sees what belongs to no repository (scope 0)
# and single repositories, each by its own index: else a few analyses would be looked for among a million of their neighbours.
PAGE: LiteralString = """
WITH places AS (
    SELECT o AS organization_id, 0::bigint AS scope FROM unnest(%(partly)s::bigint[]) AS o
    UNION ALL SELECT organization_id, id FROM repositories
    WHERE id = ANY (%(repositories)s) AND organization_id = ANY (%(among)s)
)
SELECT {columns} FROM (
    SELECT found.* FROM unnest(%(whole)s::bigint[]) AS o, LATERAL (
        SELECT a.* FROM analyses AS a WHERE a.organization_id = o AND {conditions} ORDER BY {order} LIMIT %(limit)s) AS found
    UNION ALL
    SELECT found.* FROM places, LATERAL (
        SELECT a.* FROM analyses AS a WHERE a.organization_id = places.organization_id AND a.scope = places.scope
        AND {conditions} ORDER BY {order} LIMIT %(limit)s) AS found
) AS a ORDER BY {order} LIMIT %(limit)s
"""


def question(
    sight: Sight, wanted: AnalysisFilter, sort: Sort, limit: int, after: Sequence[Any] | None
) -> tuple[LiteralString, dict[str, Any]]:
    """The query of that page, and its values."""
    by, direction = SORTS[sort]
    values: dict[str, Any] = {name: getattr(wanted, name) for name in CONDITIONS} | _places(sight, wanted) | {"limit": limit}
    conditions: list[LiteralString] = [words for name, words in CONDITIONS.items() if values[name] is not None]
    if by == "score" or wanted.min_score is not None or wanted.max_score is not None:
        conditions.append("a.score IS NOT NULL")
    if after is not None:
        values |= {"after": after[0], "after_id": after[1]}
        further: LiteralString = "<" if direction == "DESC" else ">"
        conditions.append("(a." + by + ", a.id) " + further + " (%(after)s, %(after_id)s)")
    order = "a." + by + " " + direction + ", a.id " + direction
    return PAGE.format(columns=COLUMNS, conditions=" AND ".join(conditions) or "true", order=order), values


def _places(sight: Sight, wanted: AnalysisFilter) -> dict[str, Any]:
    """Which organizations are read as a whole, and of which single repositories and what belongs to none."""
    organizations = [id for id in sight.organizations if wanted.organization_id in (None, id)]
    if wanted.repository_id is not None:
        return {"whole": [], "partly": [], "repositories": [wanted.repository_id], "among": organizations}
    whole = [id for id in organizations if id in sight.whole]
    partly = [id for id in organizations if id not in sight.whole]
    return {"whole": whole, "partly": partly, "repositories": list(sight.repositories) if partly else [], "among": partly}
