"""The nouns of indexing: a claim, what is handed over for publication, and how an index stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from review.context.tree import Changeset

State = Literal["wanted", "running", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ClaimedIndex:
    """An index that is ours to bring up to date, as long as its `tries` are these.

    The rest is what it holds by now: the commit that retrieval sees (empty when there was none yet), and the name of the
    embedder whose vectors serve (empty: no vectors).
    """

    organization_id: int
    repository_id: int
    tries: int
    commit_sha: str
    embedder: str


@dataclass(frozen=True, slots=True)
class IndexedPath:
    """A file that shall be seen: its path, and the blob that was kept in this language."""

    path: str
    blob: str
    language: str


@dataclass(frozen=True, slots=True)
class NewHistory:
    """Changesets that came in, newest first. `replaces` says that they are all there is: what was known before is dropped."""

    changesets: Sequence[Changeset] = ()
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class IndexState:
    """How an index stands. `commit_sha` is the commit that retrieval sees, empty before the first.

    `skipped` says how many files were left out, by reason; `because` why the newest try failed; `embedder` whose vectors
    serve (empty: none).
    """

    state: State
    commit_sha: str
    embedder: str
    files: int
    chunks: int
    changesets: int
    skipped: Mapping[str, int]
    because: str
    indexed_at: datetime | None
