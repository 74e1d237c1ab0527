"""A review as GitHub takes it: one body, and comments that hang on lines of the diff."""

from dataclasses import dataclass

from review.finding import Side


@dataclass(frozen=True, slots=True)
class Comment:
    """One inline comment. `start_line` only where it spans several lines of one hunk (then start_line < line, same side)."""

    path: str
    line: int
    body: str
    side: Side = Side.RIGHT
    start_line: int | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What is posted on one head, always as COMMENT. `fingerprints` are all by which the findings that it tells,
    inline or in the body, may be known again: there may be several for one.
    """

    head_sha: str
    body: str
    comments: tuple[Comment, ...] = ()
    fingerprints: tuple[str, ...] = ()
