"""What the API says of a proposal."""

from datetime import datetime

from handlers.api.forms import Data
from review.proposal import STEPS, State
from storage.proposals import ProposalRecord


class SettledIssue(Data):
    """A finding that the proposal settles, and how that was made sure of."""

    issue: str
    checked: str


class LeftOutIssue(Data):
    """A finding that was wanted and is not settled, and why."""

    issue: str
    because: str


class Change(Data):
    """A file that is changed. `diff` is unified, with three lines of context; bytes that are not UTF-8 show as U+FFFD in it,
    and stand in the patch as they are. `type` is always `modified` so far."""

    file: str
    type: str
    diff: str


class Impact(Data):
    """`estimated_improvement` is in points of the analysis' score, null where it has none."""

    files_affected: int
    lines_added: int
    lines_removed: int
    issues_settled: int
    estimated_improvement: float | None


class ProposalSummary(Data):
    """A proposal in a list. `message` says how it went; `legal_steps` are the states that it can take on next."""

    proposal_id: int
    organization_id: int
    repository_id: int | None
    analysis_id: int
    user_id: int | None
    title: str
    state: State
    legal_steps: list[State]
    auto_apply: bool
    message: str
    issues_to_fix: list[str]
    settled: list[SettledIssue]
    left_out: list[LeftOutIssue]
    files: list[str]
    impact_analysis: Impact | None
    head_sha: str
    commit_sha: str
    created_at: datetime
    updated_at: datetime


class ProposalData(ProposalSummary):
    changes: list[Change]


def summary_of(proposal: ProposalRecord) -> ProposalSummary:
    """The proposal as lists show it."""
    return ProposalSummary(**_fields(proposal))


def data_of(proposal: ProposalRecord) -> ProposalData:
    """The proposal with its diffs."""
    return ProposalData(**_fields(proposal), changes=[Change(**change) for change in proposal.changes])


AS_THEY_ARE = (
    "organization_id", "repository_id", "analysis_id", "user_id", "title", "state", "auto_apply", "head_sha", "commit_sha",
    "created_at", "updated_at",
)  # fmt: skip


def _fields(proposal: ProposalRecord) -> dict[str, object]:
    return {name: getattr(proposal, name) for name in AS_THEY_ARE} | {
        "proposal_id": proposal.id,
        "legal_steps": sorted(STEPS[proposal.state]),
        "message": proposal.outcome,
        "issues_to_fix": list(proposal.wanted),
        "settled": [SettledIssue(**one) for one in proposal.settled],
        "left_out": [LeftOutIssue(**one) for one in proposal.left_out],
        "files": [change["file"] for change in proposal.changes],
        "impact_analysis": Impact(**proposal.impact) if proposal.impact else None,
    }
