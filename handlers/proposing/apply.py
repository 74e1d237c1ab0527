"""Apply an approved proposal: to an upload by its files as a zip, to a pull request by one commit, never two."""

import asyncio
from dataclasses import dataclass

from handlers.context import Context
from handlers.host import Gone, Moved, NewCommit, Unclear
from handlers.proposing.archive import unpacked
from handlers.proposing.words import CommitMark, body, headline
from review.errors import TryAgain, UserError
from review.pull_request import PullRequest
from storage.analyses import AnalysisRecord
from storage.installations import Installed
from storage.objects import NotThere
from storage.proposals import ProposalRecord

LOOKS = (1.0, 3.0, 6.0)
"""Seconds before each look for a commit whose making was not answered, or that GitHub says is in the way."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it. `commit_sha` is empty where no commit was made."""

    outcome: str
    commit_sha: str = ""


async def apply(context: Context, proposal: ProposalRecord) -> Applied:
    """Do it; safe to be done twice. Raises UserError, Gone, Rejected, TryAgain."""
    analysis = await context.analyses.for_job(proposal.organization_id, proposal.analysis_id)
    if analysis is None:
        raise UserError("The analysis was removed, and with it what this proposal is of.")
    if analysis.subject == "upload":
        await _files(context, proposal)
        return Applied("The changed files are ready as a zip, and the patch.")
    if analysis.subject == "pull_request":
        return await Committing(context, proposal, analysis).run()
    raise UserError("A proposal for a repository at a ref is a patch: download it, and apply it with `git apply`.")


async def _files(context: Context, proposal: ProposalRecord) -> dict[str, bytes]:
    try:
        return unpacked(await context.objects.read(proposal.files_key))
    except NotThere:
        raise UserError("The files of this proposal are not there any more: propose again.") from None


@dataclass(frozen=True, slots=True)
class Committing:
    """One commit on a pull request's branch, on top of the very head that was looked at.

    GitHub holds the branch against that head itself, so that a second attempt can only fail; what is left is to find out
    whether the commit in the way is ours.
    """

    context: Context
    proposal: ProposalRecord
    analysis: AnalysisRecord

    async def run(self) -> Applied:
        """Make it, or find that an earlier try has made it."""
        at = await self._installed()
        pull = await self._pull(at)
        if pull.head_sha != self.proposal.head_sha and (made := await self._ours(at, pull)):
            return self._applied(made, pull)
        _must_take_commits(pull)
        new = await self._new(pull)
        try:
            made = await self.context.host.commit_files(at.installation.id, at.repository.full_name, new)
        except (Moved, Unclear) as doubt:
            made = await self._look(at, doubt)
        return self._applied(made, pull)

    def _applied(self, made: str, pull: PullRequest) -> Applied:
        return Applied(f"Commit {made[:7]} is on {pull.head_ref or 'the branch'}.", made)

    async def _installed(self) -> Installed:
        installed = await self.context.installations.of_repository(self.analysis.repository_id or 0)
        if installed is None:
            raise Gone("The app may not see this repository (any more): install it there, or resume it, then propose again.")
        return installed

    async def _pull(self, at: Installed) -> PullRequest:
        number = self.analysis.number or 0
        pull = await self.context.host.pull_request(at.installation.id, at.repository.full_name, number)
        if pull.repository.id != at.repository.id:  # its name may be somebody else's by now
            raise Gone(f"{at.repository.full_name} is another repository by now.")
        return pull

    async def _new(self, pull: PullRequest) -> NewCommit:
        issues = {one["issue"] for one in self.proposal.settled}
        found = await self.context.analyses.findings_for_job(self.proposal.organization_id, self.analysis.id)
        settled = [one for one in found if one.issue in issues]
        return NewCommit(
            branch=pull.head_ref,
            expected_head=self.proposal.head_sha,
            headline=headline(self.proposal.title, len(settled)),
            body=body(settled, self._mark),
            files=await _files(self.context, self.proposal),
        )

    @property
    def _mark(self) -> CommitMark:
        proposal = self.proposal
        return CommitMark(self.context.marker_key, proposal.organization_id, proposal.id, proposal.head_sha)

    async def _look(self, at: Installed, doubt: Moved | Unclear) -> str:
        """The commit's id where it stands after all. Raises UserError where another one does, TryAgain where none is seen."""
        for seconds in LOOKS:
            await asyncio.sleep(seconds)
            pull = await self._pull(at)
            if pull.head_sha == self.proposal.head_sha:  # not done yet, or a replica that lags behind
                continue
            if made := await self._ours(at, pull):
                return made
            raise UserError(f"The pull request has moved on to {pull.head_sha[:7]}: analyze that, and propose from it.")
        raise TryAgain(f"{doubt} It will be looked for again before it is made again.", after=10) from doubt

    async def _ours(self, at: Installed, pull: PullRequest) -> str:
        """The id of our commit on the head that was looked at, where the pull request holds one; else nothing."""
        head = self.proposal.head_sha
        since = await self.context.host.commits_since(at.installation.id, at.repository.full_name, head, pull.head_sha)
        ours = (commit.sha for commit in since if commit.parents[:1] == (head,) and self._mark.stands_in(commit.message))
        return next(ours, "")


def _must_take_commits(pull: PullRequest) -> None:
    """Raises UserError where an app cannot, or should not, commit to this pull request."""
    if pull.state != "open":
        raise UserError(f"The pull request is {pull.state}: nothing is committed to it. The patch can be downloaded.")
    if pull.from_fork:
        raise UserError(
            "The pull request comes from a fork, to which an app cannot push: download the patch, and have its author apply it."
        )
