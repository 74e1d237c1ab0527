"""Reviews remembered: one for each head, claimed by one job at a time, kept before it is posted."""

from dataclasses import asdict, dataclass
from typing import Any

from psycopg.types.json import Jsonb

from review.analysis import Analysis
from review.finding import Side
from review.review import Comment, Review
from storage.analyses import keep_analysis
from storage.database import Database, plain, plain_json

STALE_SECONDS = 60.0
"""A claim without a heartbeat for this long belongs to a job that died."""


@dataclass(frozen=True, slots=True)
class ClaimedReview:
    """A review that is ours to do. `planned` is what an earlier try had ready to post, so that nothing is thought twice."""

    id: int
    planned: Review | None


@dataclass(frozen=True, slots=True)
class PostedRecord:
    """The newest review that stands on a pull request. `is_note` says that it is the short note without findings."""

    github_review_id: int
    head_sha: str
    body: str
    is_note: bool


CLAIM = """
INSERT INTO reviews (organization_id, repository_id, number, head_sha, delivery_id, state)
VALUES (%(organization)s, %(repository)s, %(number)s, %(head)s, %(delivery)s, 'in_progress')
ON CONFLICT (repository_id, number, head_sha) DO UPDATE
SET delivery_id = excluded.delivery_id, heartbeat_at = now(), outcome = '',
    state = CASE WHEN reviews.planned IS NULL THEN 'in_progress' ELSE 'posting' END
WHERE reviews.state <> 'posted'
  AND (reviews.delivery_id = excluded.delivery_id
       OR reviews.state IN ('failed', 'superseded')
       OR reviews.heartbeat_at < now() - make_interval(secs => %(stale)s))
RETURNING id, planned
"""


class Reviews:
    """The table of reviews, always seen as one organization. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, organization_id: int, repository_id: int, number: int, head_sha: str, delivery_id: str
    ) -> ClaimedReview | str | None:
        """Make this head's review ours, in one statement: of two jobs that try at once one wins.

        Gives the review; a sentence where it is posted already; None where a live job of another delivery has it. The same
        delivery may claim again after a crash.
        """
        values = {
            "organization": organization_id, "repository": repository_id, "number": number, "head": head_sha,
            "delivery": delivery_id, "stale": STALE_SECONDS,
        }  # fmt: skip
        async with self._database.tenant(organization_id) as connection:
            row = await (await connection.execute(CLAIM, values)).fetchone()
            if row is not None:
                return ClaimedReview(row[0], _review(head_sha, row[1]))
            cursor = await connection.execute(
                "SELECT state, github_review_id FROM reviews WHERE repository_id = %s AND number = %s AND head_sha = %s",
                (repository_id, number, head_sha),
            )
            standing = await cursor.fetchone()
        if standing is not None and standing[0] == "posted":
            return f"This head is reviewed already, in review {standing[1]}."
        return None

    async def touch(self, organization_id: int, review_id: int) -> None:
        """The heartbeat of a claim."""
        await self._update(organization_id, review_id, "heartbeat_at = now()", ())

    async def keep(self, organization_id: int, review_id: int, analysis: Analysis, review: Review | None) -> None:
        """Write down the analysis, and the review that is about to be posted (None: an earlier one will be edited)."""
        async with self._database.tenant(organization_id) as connection:
            cursor = await connection.execute("SELECT repository_id, number FROM reviews WHERE id = %s", (review_id,))
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  (it was claimed)
            analysis_id = await keep_analysis(connection, organization_id, row[0], row[1], analysis)
            planned = None if review is None else Jsonb(plain_json(asdict(review)))
            fingerprints = [] if review is None else list(review.fingerprints)
            await connection.execute(
                "UPDATE reviews SET analysis_id = %s, planned = %s, fingerprints = %s, heartbeat_at = now(),"
                " state = CASE WHEN %s THEN 'posting' ELSE state END WHERE id = %s",
                (analysis_id, planned, fingerprints, review is not None, review_id),
            )

    async def posted(
        self, organization_id: int, review_id: int, github_review_id: int, body: str, *, is_note: bool = False
    ) -> None:
        """It stands on GitHub under that id, with that body."""
        done = "state = 'posted', planned = NULL, posted_at = now(), github_review_id = %s, body = %s, is_note = %s"
        await self._update(organization_id, review_id, done, (github_review_id, plain(body), is_note))

    async def edited(self, organization_id: int, review_id: int, github_review_id: int, body: str) -> None:
        """Nothing new on this head: the earlier review with that id on GitHub says so now, with that body."""
        async with self._database.tenant(organization_id) as connection:
            await connection.execute(
                "UPDATE reviews SET body = %s WHERE github_review_id = %s"
                " AND (repository_id, number) = (SELECT repository_id, number FROM reviews WHERE id = %s)",
                (plain(body), github_review_id, review_id),
            )
            await connection.execute(
                "UPDATE reviews AS this SET state = 'posted', planned = NULL, posted_at = now(), github_review_id = %s, body = %s,"
                " is_note = coalesce((SELECT bool_and(is_note) FROM reviews AS that WHERE that.github_review_id = %s), true)"
                " WHERE this.id = %s",
                (github_review_id, plain(body), github_review_id, review_id),
            )

    async def failed(self, organization_id: int, review_id: int, because: str) -> None:
        """It failed for good; a later delivery may try this head again."""
        await self._update(organization_id, review_id, "state = 'failed', planned = NULL, outcome = %s", (plain(because),))

    async def superseded(self, organization_id: int, review_id: int, because: str) -> None:
        """The pull request has moved on; should this head come back, it is reviewed then."""
        await self._update(organization_id, review_id, "state = 'superseded', planned = NULL, outcome = %s", (plain(because),))

    async def told(self, organization_id: int, repository_id: int, number: int) -> frozenset[str]:
        """The fingerprints of all findings that stand on this pull request."""
        async with self._database.tenant(organization_id) as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT unnest(fingerprints) FROM reviews"
                " WHERE repository_id = %s AND number = %s AND state = 'posted'",
                (repository_id, number),
            )
            return frozenset(row[0] for row in await cursor.fetchall())

    async def latest(self, organization_id: int, repository_id: int, number: int) -> PostedRecord | None:
        """The newest review that stands on this pull request."""
        async with self._database.tenant(organization_id) as connection:
            cursor = await connection.execute(
                "SELECT github_review_id, head_sha, body, is_note FROM reviews"
                " WHERE repository_id = %s AND number = %s AND state = 'posted' ORDER BY github_review_id DESC, posted_at DESC LIMIT 1",
                (repository_id, number),
            )
            row = await cursor.fetchone()
        return None if row is None else PostedRecord(*row)

    async def _update(self, organization_id: int, review_id: int, what: Any, values: tuple[object, ...]) -> None:
        async with self._database.tenant(organization_id) as connection:
            await connection.execute(f"UPDATE reviews SET {what} WHERE id = %s", (*values, review_id))  # noqa: S608


def _review(head_sha: str, planned: dict[str, Any] | None) -> Review | None:
    if planned is None:
        return None
    comments = tuple(Comment(**{**comment, "side": Side(comment["side"])}) for comment in planned["comments"])
    return Review(head_sha, planned["body"], comments, tuple(planned["fingerprints"]))
