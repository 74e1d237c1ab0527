"""Proposals: what an analysis suggests, as one patch that was looked at again; approved, rejected, applied."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from starlette.responses import Response

from handlers.api.cursor import below, cut
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.files import file_answer
from handlers.api.forms import Body, Id, Nothing, Page, PageQuery, Text
from handlers.api.problem import Code, Problem, not_found
from handlers.api.proposals_data import ProposalData, ProposalSummary, data_of, summary_of
from handlers.proposing.job import apply_job, prepare_job, topic_of
from handlers.put_jobs import put_own_jobs
from review.proposal import STEPS, State
from storage.accounts.role import Role
from storage.analyses import AnalysisRecord
from storage.objects import NotThere
from storage.proposals import Filters, NewProposal, ProposalRecord

PATIENCE = 20.0
"""Seconds that a request waits for the job that it put, before it answers with the state as it is."""

MOST_ISSUES = 1_000
DIFF, ZIP = "text/x-diff", "application/zip"
PATCH_ONLY = "A proposal for a repository at a ref is a patch: download it from …/patch, and apply it with `git apply`."


Names = Annotated[list[Annotated[Text, Field(max_length=100)]], Field(min_length=1, max_length=MOST_ISSUES)]


class ProposalRequest(Body):
    """`issues_to_fix` are names of findings as `security-001`. With `auto_apply` it is applied as soon as it is prepared."""

    analysis_id: Id
    issues_to_fix: Literal["all"] | Names
    auto_apply: bool = False
    title: Text = Field(default="", max_length=200)


class ProposalChange(Body):
    """A decision, or another title, or both."""

    state: Literal["approved", "rejected"] | None = None
    title: Text | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _something(self) -> "ProposalChange":
        if self.state is None and self.title is None:
            raise ValueError("give a state, a title, or both")
        return self


class ConfirmedApply(Body):
    """That it is really meant."""

    confirm: Literal[True]


class ProposalQuery(PageQuery):
    """Those of all one's organizations, unless one is given."""

    organization_id: Id | None = None
    analysis_id: Id | None = None
    state: State | None = None


async def create(asked: Asked[ProposalRequest, Nothing]) -> Answer:
    """Combine the verified suggestions of these findings, and make sure that they settle them."""
    services, body = asked.services, asked.body
    analysis = await services.analyses.get(asked.caller.sight, body.analysis_id)
    if analysis is None:
        raise not_found("analysis")
    asked.must_hold(analysis.organization_id)
    await _must_be_fit(asked, analysis)
    wanted = await _wanted(asked)
    new = NewProposal(
        analysis.organization_id, analysis.repository_id, analysis.id, asked.user.id, wanted, body.auto_apply, body.title
    )
    proposal = await services.proposals.add(new, asked.act)
    await put_own_jobs(services.deliveries, services.queue, [prepare_job(proposal)])
    proposal = await _ended(asked, proposal)
    ready = proposal.state is not State.PREPARING
    headers = {"Location": f"/api/v1/proposals/{proposal.id}", **({} if ready else {"Retry-After": "2"})}
    return Answer(data_of(proposal), proposal.outcome, status=201 if ready else 202, headers=headers)


async def _must_be_fit(asked: Asked[ProposalRequest, Nothing], analysis: AnalysisRecord) -> None:
    """Raises Problem."""
    if analysis.status != "completed":
        raise Problem(Code.CONFLICT, f"The analysis is {analysis.status}: propose once it is completed.")
    if not asked.body.auto_apply:
        return
    held = asked.caller.sight.role_in(analysis.organization_id)
    if held is None or not held.at_least(Role.MAINTAINER):
        raise Problem(
            Code.FORBIDDEN,
            f"auto_apply takes the role {Role.MAINTAINER} in the organization; yours is {held}. Propose without it.",
            {"needed": Role.MAINTAINER, "held": held},
        )
    if analysis.subject == "repository":
        raise Problem(Code.INVALID, f"{PATCH_ONLY} Leave auto_apply out.", [{"at": "auto_apply", "is": "not for a ref"}])
    await _must_push(asked, analysis.organization_id, analysis.repository_id)


async def _must_push(asked: Asked[Any, Any], organization_id: int, repository_id: int | None) -> None:
    """A commit is made in the app's name: only for those who could make it themselves. Raises Problem."""
    if repository_id is None or organization_id in asked.caller.sight.whole:
        return
    if not await asked.services.repositories.lets_write(asked.user.id, repository_id):
        raise Problem(
            Code.FORBIDDEN,
            "GitHub lets you read this repository, and not push to it: let somebody apply it who may.",
            {"needed": "write", "on": "GitHub"},
        )


async def _wanted(asked: Asked[ProposalRequest, Nothing]) -> tuple[str, ...]:
    """The names of the wanted findings, each once. Raises Problem for one that the analysis does not have."""
    found = await asked.services.analyses.findings(asked.caller.sight, asked.body.analysis_id)
    names = [one.issue for one in found]
    if not names:
        raise Problem(Code.CONFLICT, "The analysis found nothing: there is nothing to settle.")
    if asked.body.issues_to_fix == "all":
        return tuple(names)
    wanted = tuple(dict.fromkeys(asked.body.issues_to_fix))
    unknown = [name for name in wanted if name not in set(names)]
    if unknown:
        details = [{"at": "issues_to_fix", "is": f"unknown: {name}"} for name in unknown]
        raise Problem(Code.INVALID, f"The analysis has no issue {', '.join(unknown[:10])}.", details)
    return wanted


async def _ended(asked: Asked[Any, Any], proposal: ProposalRecord) -> ProposalRecord:
    """The proposal once its job has ended, or as it is after some patience. Read from where it was written."""
    await asked.services.live.ending(topic_of(proposal.id), PATIENCE)
    now = await asked.services.proposals.for_job(proposal.organization_id, proposal.id)
    if now is None:
        raise not_found("proposal")
    return now


async def list_proposals(asked: Asked[Nothing, ProposalQuery]) -> Answer:
    """A page of proposals, newest first, without their diffs."""
    query, sight = asked.query, asked.caller.sight
    if query.organization_id is not None and sight.role_in(query.organization_id) is None:
        raise not_found("organization")
    organizations = sight.organizations if query.organization_id is None else (query.organization_id,)
    filters = Filters(organizations, query.analysis_id, query.state)
    found = await asked.services.proposals.page(sight, filters, query.limit + 1, below(query))
    items, more = cut(query, found, lambda proposal: [proposal.id])
    return Answer(Page[ProposalSummary](items=[summary_of(proposal) for proposal in items], next_cursor=more))


async def read(asked: Asked[Nothing, Nothing]) -> Answer:
    """One proposal with its diffs."""
    return Answer(data_of(await _proposal(asked)))


async def patch(asked: Asked[Nothing, Nothing]) -> Response:
    """All of it as one patch, for `git apply` or `patch -p1`: the exact bytes, whatever the files hold."""
    proposal = await _proposal(asked)
    if not proposal.patch_key:
        raise Problem(Code.CONFLICT, f"There is no patch: the proposal is {proposal.state}. {proposal.outcome}".strip())
    return await _object(asked, proposal.patch_key, f"proposal-{proposal.id}.patch", DIFF)


async def files(asked: Asked[Nothing, Nothing]) -> Response:
    """The changed files of an upload's proposal as a zip, once it is applied."""
    proposal = await _proposal(asked)
    if proposal.repository_id is not None:
        raise Problem(Code.CONFLICT, "This proposal is not of an upload: it is applied by a commit, or as a patch.")
    if proposal.state is not State.APPLIED:
        raise Problem(Code.CONFLICT, f"The proposal is {proposal.state}: its files can be had once it is applied.")
    return await _object(asked, proposal.files_key, f"proposal-{proposal.id}.zip", ZIP)


async def _object(asked: Asked[Nothing, Nothing], key: str, name: str, kind: str) -> Response:
    size = await asked.services.objects.size(key)
    if size is None:
        raise not_found("file of this proposal")
    try:
        return await file_answer(asked.services.objects.stream(key), name, kind, size)
    except NotThere:  # removed just now
        raise not_found("file of this proposal") from None


async def change(asked: Asked[ProposalChange, Nothing]) -> Answer:
    """Approve or reject it, or give it another title."""
    proposal = await _proposal(asked)
    asked.must_hold(proposal.organization_id)
    proposals, body = asked.services.proposals, asked.body
    if body.state is not None:
        stepped = await proposals.step(proposal, State(body.state), asked.act, title=body.title)
        if stepped is None:
            raise await _illegal(asked, proposal)
    else:
        stepped = await proposals.rename(proposal, body.title or "", asked.act)
        if stepped is None:
            raise not_found("proposal")
    return Answer(data_of(stepped), f"The proposal is {stepped.state}.")


async def apply(asked: Asked[ConfirmedApply, Nothing]) -> Answer:
    """Apply an approved proposal: an upload's files as a zip, a pull request's by one commit on its branch."""
    services, proposal = asked.services, await _proposal(asked)
    asked.must_hold(proposal.organization_id)
    analysis = await services.analyses.get(asked.caller.sight, proposal.analysis_id)
    if analysis is not None and analysis.subject == "repository":
        raise Problem(Code.CONFLICT, PATCH_ONLY)
    await _must_push(asked, proposal.organization_id, proposal.repository_id)
    applying = await services.proposals.step(proposal, State.APPLYING, asked.act)
    if applying is None:
        raise await _illegal(asked, proposal)
    await services.live.tell(topic_of(proposal.id), {"type": "progress", "progress": 0, "message": "Applying..."})
    await put_own_jobs(services.deliveries, services.queue, [apply_job(applying)])
    ended = await _ended(asked, applying)
    if ended.state is State.FAILED:
        raise Problem(Code.CONFLICT, ended.outcome, {"proposal_id": ended.id, "state": ended.state})
    waiting = ended.state is State.APPLYING
    return Answer(data_of(ended), ended.outcome, 202 if waiting else 200, {"Retry-After": "2"} if waiting else {})


async def _illegal(asked: Asked[Any, Any], proposal: ProposalRecord) -> Problem:
    """The answer to a step that is none; names those that are."""
    now = await asked.services.proposals.for_job(proposal.organization_id, proposal.id)
    if now is None:
        return not_found("proposal")
    if now.state is State.APPLYING:  # where its job was not put by whoever died in between, it is put now
        await put_own_jobs(asked.services.deliveries, asked.services.queue, [apply_job(now)])
    legal = sorted(STEPS[now.state])
    words = f"From there it can become: {', '.join(legal)}." if legal else "That is the end of it."
    return Problem(Code.ILLEGAL_STEP, f"The proposal is {now.state}. {words}", {"state": now.state, "legal": legal})


async def _proposal(asked: Asked[Any, Any]) -> ProposalRecord:
    proposal = await asked.services.proposals.get(asked.caller.sight, asked.path["id"])
    if proposal is None:
        raise not_found("proposal")
    return proposal


ENDPOINTS = (
    Endpoint(
        "POST", "/proposals", "proposal.create", "Propose changes", create, Needs.MEMBER,
        body=ProposalRequest, data=ProposalData, status=201, also=(202,),
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Endpoint(
        "GET", "/proposals", "proposal.list", "Proposals", list_proposals, Needs.ACCOUNT,
        query=ProposalQuery, data=Page[ProposalSummary], codes=(Code.NOT_FOUND,),
    ),
    Endpoint("GET", "/proposals/{id}", "proposal.read", "A proposal", read, Needs.ACCOUNT,
             data=ProposalData),
    Endpoint(
        "PUT", "/proposals/{id}", "proposal.change", "Approve, reject or rename a proposal", change, Needs.MAINTAINER,
        body=ProposalChange, data=ProposalData, codes=(Code.ILLEGAL_STEP,),
    ),
    Endpoint(
        "PUT", "/proposals/{id}/apply", "proposal.apply", "Apply a proposal", apply, Needs.MAINTAINER,
        body=ConfirmedApply, data=ProposalData, also=(202,),
        codes=(Code.ILLEGAL_STEP, Code.CONFLICT),
    ),
    Endpoint("GET", "/proposals/{id}/patch", "proposal.read", "A proposal as a patch", patch, Needs.ACCOUNT,
             gives=(DIFF,), codes=(Code.CONFLICT,)),
    Endpoint("GET", "/proposals/{id}/files", "proposal.read", "The changed files of an upload", files, Needs.ACCOUNT,
             gives=(ZIP,), codes=(Code.CONFLICT,)),
)  # fmt: skip
