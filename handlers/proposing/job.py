"""The jobs that prepare and apply a proposal, as whoever asks for them puts them. Nothing heavy is imported here."""

from dataclasses import dataclass
from typing import Any

from handlers.put_jobs import OwnJob
from storage.proposals import ProposalRecord


@dataclass(frozen=True, slots=True)
class Request:
    """What both jobs are given: which proposal. Ids are ours."""

    delivery_id: str
    organization_id: int
    proposal_id: int


def prepare_job(proposal: ProposalRecord) -> OwnJob:
    """The job that looks for what settles the wanted findings."""
    return _job("prepare", "prepare_proposal", proposal)


def apply_job(proposal: ProposalRecord) -> OwnJob:
    """The job that brings an approved proposal to where it belongs."""
    return _job("apply", "apply_proposal", proposal)


def _job(word: str, kind: str, proposal: ProposalRecord) -> OwnJob:
    arguments = {"organization_id": proposal.organization_id, "proposal_id": proposal.id}
    return OwnJob(
        f"{word}-proposal-{proposal.id}", kind, arguments,
        owner_id=proposal.organization_id, repository_id=proposal.repository_id,
    )  # fmt: skip


def topic_of(proposal_id: int) -> str:
    """Under which a proposal tells live how it ended."""
    return f"proposal:{proposal_id}"


def ending_event(proposal: ProposalRecord) -> dict[str, Any]:
    """The last event of a proposal's preparation, and again of its application."""
    return {"type": "complete", "proposal_id": proposal.id, "state": proposal.state, "message": proposal.outcome}
