"""A proposal: verified suggestions as one patch, the findings that it settles, and the states that it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from review.finding import Finding
from review.proposals.line_edit import LineEdit, apply_edits
from review.proposals.unified_diff import unified_diff


class State(StrEnum):
    """Where a proposal stands."""

    PREPARING = "preparing"
    PROPOSED = "proposed"
    APPROVED = "approved"
    APPLYING = "applying"
    APPLIED = "applied"
    REJECTED = "rejected"
    FAILED = "failed"


STEPS: Mapping[State, frozenset[State]] = {
    State.PREPARING: frozenset({State.PROPOSED, State.REJECTED, State.FAILED}),
    State.PROPOSED: frozenset({State.APPROVED, State.REJECTED}),
    State.APPROVED: frozenset({State.APPLYING, State.REJECTED}),
    State.APPLYING: frozenset({State.APPLIED, State.FAILED}),
    State.APPLIED: frozenset(),
    State.REJECTED: frozenset(),
    State.FAILED: frozenset(),
}
"""Every legal step, from the present state to the next. Whatever is not here is refused."""


def states_before(state: State) -> list[State]:
    """The states from which one step leads to this one."""
    return [before for before, after in STEPS.items() if state in after]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A finding that somebody wants settled, by its name within its analysis (`security-001`)."""

    issue: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A finding that the proposal does not settle, and why: a clause."""

    issue: str
    because: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A finding that the proposal settles; `checked` says in a clause how that was made sure of."""

    issue: str
    finding: Finding
    checked: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a proposal: what it held, and the edits of its lines, top down."""

    path: str
    before: bytes
    edits: tuple[LineEdit, ...]

    @property
    def after(self) -> bytes:
        return apply_edits(self.before, self.edits)

    @property
    def diff(self) -> bytes:
        return unified_diff(self.path, self.before, self.edits)

    @property
    def lines_added(self) -> int:
        return sum(len(edit.lines) for edit in self.edits)

    @property
    def lines_removed(self) -> int:
        return sum(edit.last - edit.first + 1 for edit in self.edits)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed: it settles these findings by these files' changes. `left_out` is the rest of what was wanted."""

    settled: tuple[Settled, ...]
    left_out: tuple[LeftOut, ...]
    files: tuple[FileChange, ...]

    @property
    def patch(self) -> bytes:
        """All of it, for `git apply` or `patch -p1`."""
        return b"".join(file.diff for file in self.files)
