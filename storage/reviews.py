"""Reviews remembered: one for each head, claimed by one job at a time, kept before it is posted."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from review.analysis import Analysis
from review.finding import Side
from review.review import Comment, Review
from storage.analyses.keep import NOT_MEASURED, Measured, keep_analysis
from storage.database import Database, plain, plain_json

STALE_SECONDS = 15.0
"""A claim without a heartbeat for this long belongs to a job that died. Jobs give one every three seconds."""


@dataclass(frozen=True, slots=True)
class Head:
    """What one review is about: this head of this pull request against this base. Ids are ours."""

    organization_id: int
    repository_id: int
    number: int
    head_sha: str
    base_ref: str


@dataclass(frozen=True, slots=True)
class ClaimedReview:
    """A review that is ours to do, as long as its `tries` are these.

    `planned` is what an earlier try had ready to post, so that nothing is thought twice.
    """

    id: int
    head: Head
    tries: int
    planned: Review | None


@dataclass(frozen=True, slots=True)
class PostedRecord:
    """The newest review that stands on a pull request. `is_note` says that it is the short note without findings."""

    github_review_id: int
    body: str
    is_note: bool


CLAIM = """
INSERT INTO reviews (organization_id, repository_id, number, head_sha, base_ref, delivery_id, state)
VALUES (%(organization_id)s, %(repository_id)s, %(number)s, %(head_sha)s, %(base_ref)s, %(delivery)s, 'in_progress')
ON CONFLICT (repository_id, number, head_sha, base_ref) DO UPDATE
SET delivery_id = excluded.delivery_id, heartbeat_at = now(), tries = reviews.tries + 1, outcome = '',
    state = CASE WHEN reviews.planned IS NULL THEN 'in_progress' ELSE 'posting' END
WHERE reviews.state <> 'posted'
  AND (reviews.state IN ('failed', 'superseded')
       OR reviews.heartbeat_at < now() - make_interval(secs => %(stale)s))
RETURNING id, tries, planned
"""

EDITED = """
UPDATE reviews AS this
SET state = 'posted', planned = NULL, posted_at = now(), github_review_id = %(github)s,
    is_note = coalesce((SELECT bool_and(is_note) FROM reviews AS that WHERE that.github_review_id = %(github)s), true)
WHERE this.id = %(id)s AND this.tries = %(tries)s AND this.state <> 'posted'
"""


class Reviews:
    """The table of reviews, always seen as one organization. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, head: Head, delivery_id: str) -> ClaimedReview | str | None:
        """Make this head's review ours, in one statement: of two jobs that try at once one wins.

        Gives the review; a sentence where it is posted already; None where a live job has it, be it of the same delivery:
        a job that was only taken for dead may still be posting.
        """
        async with self._database.tenant(head.organization_id) as connection:
            values = asdict(head) | {"delivery": delivery_id, "stale": STALE_SECONDS}
            row = await (await connection.execute(CLAIM, values)).fetchone()
            if row is not None:
                return ClaimedReview(row[0], head, row[1], _review(head.head_sha, row[2]))
            cursor = await connection.execute(
                "SELECT github_review_id FROM reviews WHERE repository_id = %(repository_id)s AND number = %(number)s"
                " AND head_sha = %(head_sha)s AND base_ref = %(base_ref)s AND state = 'posted'",
                values,
            )
            posted = await cursor.fetchone()
        return None if posted is None else f"This head is reviewed already, in review {posted[0]}."

    async def touch(self, claimed: ClaimedReview) -> bool:
        """The heartbeat of a claim; False when the review is no longer ours."""
        async with self._database.tenant(claimed.head.organization_id) as connection:
            cursor = await connection.execute(
                "UPDATE reviews SET heartbeat_at = now() WHERE id = %s AND tries = %s", (claimed.id, claimed.tries)
            )
            return cursor.rowcount == 1

    async def release(self, claimed: ClaimedReview) -> None:
        """Let go of it for now: the next try, or another job, may claim it at once. What is planned stays."""
        await self._update(claimed, "heartbeat_at = '-infinity'", ())

    async def keep(
        self, claimed: ClaimedReview, analysis: Analysis, review: Review | None, measured: Measured = NOT_MEASURED
    ) -> None:
        """Write down the analysis, and the review that is about to be posted (None: an earlier one will be edited).

        Nothing is written when the review is no longer ours.
        """
        head = claimed.head
        planned = None if review is None else Jsonb(plain_json(asdict(review)))
        fingerprints = [] if review is None else list(review.fingerprints)
        async with self._database.tenant(head.organization_id) as connection:
            ours = await connection.execute(
                "SELECT 1 FROM reviews WHERE id = %s AND tries = %s AND state <> 'posted' FOR UPDATE",
                (claimed.id, claimed.tries),
            )
            if ours.rowcount == 0:
                return
            analysis_id = await keep_analysis(
                connection, head.organization_id, head.repository_id, head.number, analysis, measured
            )
            await connection.execute(
                "UPDATE reviews SET analysis_id = %s, planned = %s, fingerprints = %s, heartbeat_at = now(), state = 'posting'"
                " WHERE id = %s",
                (analysis_id, planned, fingerprints, claimed.id),
            )

    async def posted(self, claimed: ClaimedReview, github_review_id: int, body: str) -> None:
        """It stands on GitHub under that id, with that body; without findings it is a note."""
        done = (
            "state = 'posted', planned = NULL, posted_at = now(), github_review_id = %s, body = %s,"
            " is_note = (cardinality(fingerprints) = 0)"
        )
        await self._update(claimed, done, (github_review_id, plain(body)))

    async def edited(self, claimed: ClaimedReview, github_review_id: int, body: str) -> None:
        """Nothing new on this head: the earlier review with that id on GitHub says so now, with that body."""
        head = claimed.head
        async with self._database.tenant(head.organization_id) as connection:
            ours = await connection.execute(EDITED, {"github": github_review_id, "id": claimed.id, "tries": claimed.tries})
            if ours.rowcount == 0:
                return
            await connection.execute(
                "UPDATE reviews SET body = %s WHERE github_review_id = %s AND repository_id = %s AND number = %s",
                (plain(body), github_review_id, head.repository_id, head.number),
            )

    async def failed(self, claimed: ClaimedReview, because: str) -> None:
        """It failed for good; a later delivery may try this head again."""
        await self._update(claimed, "state = 'failed', planned = NULL, outcome = %s", (plain(because),))

    async def superseded(self, claimed: ClaimedReview, because: str) -> None:
        """The pull request has moved on; should this head come back, it is reviewed then."""
        await self._update(claimed, "state = 'superseded', planned = NULL, outcome = %s", (plain(because),))

    async def told(self, head: Head, standing: Collection[str] = ()) -> frozenset[str]:
        """The fingerprints of all findings that stand on this pull request.

        `standing` are heads whose reviews were seen on GitHub: a crash may have kept us from writing down the post.
        """
        async with self._database.tenant(head.organization_id) as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT unnest(fingerprints) FROM reviews WHERE repository_id = %s AND number = %s"
                " AND (state = 'posted' OR head_sha = ANY(%s))",
                (head.repository_id, head.number, list(standing)),
            )
            return frozenset(row[0] for row in await cursor.fetchall())

    async def latest(self, head: Head) -> PostedRecord | None:
        """The newest review that stands on this pull request."""
        async with self._database.tenant(head.organization_id) as connection:
            cursor = await connection.execute(
                "SELECT github_review_id, body, is_note FROM reviews WHERE repository_id = %s AND number = %s"
                " AND state = 'posted' ORDER BY github_review_id DESC, posted_at DESC LIMIT 1",
                (head.repository_id, head.number),
            )
            row = await cursor.fetchone()
        return None if row is None else PostedRecord(*row)

    async def _update(self, claimed: ClaimedReview, what: LiteralString, values: tuple[object, ...]) -> None:
        async with self._database.tenant(claimed.head.organization_id) as connection:
            await connection.execute(
                f"UPDATE reviews SET {what} WHERE id = %s AND tries = %s AND state <> 'posted'",  # noqa: S608
                (*values, claimed.id, claimed.tries),
            )


def _review(head_sha: str, planned: dict[str, Any] | None) -> Review | None:
    if planned is None:
        return None
    comments = tuple(Comment(**{**comment, "side": Side(comment["side"])}) for comment in planned["comments"])
    return Review(head_sha, planned["body"], comments, tuple(planned["fingerprints"]))
