"""Prepare a proposal: load what the analysis read, propose what holds, weigh it, keep its patch and files."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from handlers.analyzing.subjects import Loaded, subject_of
from handlers.context import Context
from handlers.proposing.archive import packed
from review.change import End
from review.errors import UserError
from review.finding import Finding
from review.metrics import measure
from review.proposal import Proposal, State, Wanted
from review.propose import propose
from review.score import score
from review.words import count
from storage.analyses import AnalysisRecord, NumberedFinding
from storage.audit import Act
from storage.proposals import Prepared, ProposalRecord

PREPARED = Act("proposal.prepare", "worker")


async def prepare(context: Context, proposal: ProposalRecord) -> ProposalRecord | None:
    """Make it; gives it proposed or failed, None where it is not being prepared any more.

    Safe to be done twice: the same is made again. Raises UserError, Gone, Rejected, TryAgain.
    """
    analysis = await _analysis(context, proposal)
    findings = await context.analyses.findings_for_job(proposal.organization_id, analysis.id)
    # By its commit, for the ref may have moved on since.
    async with subject_of(context, replace(analysis, ref=analysis.head_sha or analysis.ref)) as loaded:
        _must_be_what_was_analyzed(analysis, loaded)
        files = await loaded.change.checkout.read(End.HEAD, analysis.record.get("read", []))
        off = loaded.read.rules.analyzers_off
        analyzers = tuple(analyzer for analyzer in context.reviewer.analyzers if analyzer.name not in off)
        wanted = [Wanted(one.issue, one.finding) for one in findings if one.issue in proposal.wanted]
        made = await propose(wanted, files, analyzers)
        head_ref = loaded.pull.head_ref if loaded.pull else ""
    impact = await _impact(made, analysis, findings, files)
    kept = await _kept(context, proposal, made, replace(analysis, ref=head_ref), impact)
    return await context.proposals.prepared(proposal, kept, PREPARED, outcome_of(made))


async def _analysis(context: Context, proposal: ProposalRecord) -> AnalysisRecord:
    analysis = await context.analyses.for_job(proposal.organization_id, proposal.analysis_id)
    if analysis is None or analysis.status != "completed":
        raise UserError("The analysis is not there any more, or is not finished: analyze again, and propose from that.")
    return analysis


def _must_be_what_was_analyzed(analysis: AnalysisRecord, loaded: Loaded) -> None:
    """Lines are only changed in the very files in which they were found. Raises UserError."""
    if loaded.change.head_sha != analysis.head_sha:
        raise UserError(f"The pull request has moved on to {loaded.change.head_sha[:7]}: analyze that, and propose from it.")


def outcome_of(made: Proposal) -> str:
    """How it went, in a sentence."""
    left = f" {count(len(made.left_out), 'finding')} left out." if made.left_out else ""
    if not made.settled:
        return f"None of the chosen findings could be settled; left_out says why for each.{left}"
    return f"{count(len(made.settled), 'finding')} settled in {count(len(made.files), 'file')}.{left}"


async def _impact(
    made: Proposal, analysis: AnalysisRecord, findings: Sequence[NumberedFinding], files: Mapping[str, bytes]
) -> dict[str, float | None]:
    """What it would change. The improvement is in points of the analysis' score."""
    settled = {one.issue for one in made.settled}
    after = None
    if made.files and analysis.score is not None:
        changed = {**files, **{file.path: file.after for file in made.files}}
        after = await asyncio.to_thread(_overall, [one.finding for one in findings if one.issue not in settled], changed)
    return {
        "files_affected": len(made.files),
        "lines_added": sum(file.lines_added for file in made.files),
        "lines_removed": sum(file.lines_removed for file in made.files),
        "issues_settled": len(settled),
        "estimated_improvement": None if after is None else round(after - (analysis.score or 0.0), 1),
    }


def _overall(findings: Sequence[Finding], files: Mapping[str, bytes]) -> float | None:
    return score(findings, measure(files)).overall


async def _kept(
    context: Context, proposal: ProposalRecord, made: Proposal, analysis: AnalysisRecord, impact: dict[str, float | None]
) -> Prepared:
    """The patch and the files lie in the object store before anything says that they do."""
    patch_key = files_key = ""
    if made.files:
        patch_key, files_key = f"proposals/{proposal.id}/changes.patch", f"proposals/{proposal.id}/files.zip"
        await context.objects.put(patch_key, made.patch)
        await context.objects.put(files_key, packed(made.files))
    return Prepared(
        settled=[{"issue": one.issue, "checked": one.checked} for one in made.settled],
        left_out=[asdict(one) for one in made.left_out],
        changes=[{"file": file.path, "type": "modified", "diff": file.diff.decode("utf-8", "replace")} for file in made.files],
        impact=impact,
        head_sha=analysis.head_sha,
        head_ref=analysis.ref,
        patch_key=patch_key,
        files_key=files_key,
    )


def still_wanted(proposal: ProposalRecord) -> bool:
    """Whether the job that prepares it has anything to do; with auto_apply it also takes the steps that follow."""
    following = (State.PROPOSED, State.APPROVED, State.APPLYING)
    return proposal.state is State.PREPARING or (proposal.auto_apply and proposal.state in following)
