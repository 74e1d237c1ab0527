"""What happened in the sample organization: people joined, a month of analyses, proposals, deliveries, jobs and costs."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1

from bot.sample.files import Looked, SampleRepository, Texts, look_at
from bot.sample.uploading import keep_upload
from handlers.analyzing.job import job_of
from handlers.context import Context
from handlers.jobs.apply_proposal import apply_proposal
from handlers.jobs.prepare_proposal import prepare_proposal
from handlers.perform import perform
from handlers.put_jobs import OwnJob, own_delivery
from review.analysis import Usage
from review.proposal import State
from storage.accounts.users import User
from storage.analyses import ClaimedAnalysis, WantedAnalysis
from storage.analyses.analysis import AnalysisType
from storage.audit import Act
from storage.deliveries import NewDelivery
from storage.exports import WantedExport
from storage.proposals import NewProposal
from storage.seed import GITHUB_ID, SampleRows

DAYS = 30
OF_REPOSITORIES = 33
UPLOADS: tuple[AnalysisType, ...] = ("full", "full", "refactoring", "full", "security")
MODELS = (("openai", "gpt-5.1"), ("anthropic", "claude-sonnet-5-5"))
GONE = 2**62
"""The id of an upload that nobody made."""

Chance = random.Random


@dataclass(frozen=True, slots=True)
class Story:
    """Where it happens, and who tells it. `ids` are those of `repositories`, in the same order."""

    context: Context
    rows: SampleRows
    organization_id: int
    user: User
    repositories: list[SampleRepository]
    ids: list[int]
    now: datetime

    async def tell(self) -> None:
        """All of it, what is longest ago first: lists are in the order in which things came. Raises UserError, TryAgain."""
        chance = Chance(4)
        await self._past(chance)
        await self._analyses(chance)
        uploads = [await self._upload(number, kind) for number, kind in enumerate(UPLOADS)]
        await self._not_done()
        await self._proposals(uploads)
        await self._export()
        await self._deliveries()

    def act(self, action: str) -> Act:
        """The user did that, from an address that is nobody's."""
        return Act(action, self.user.email or "", self.user.id, "192.0.2.7")

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    async def _past(self, chance: Chance) -> None:
        """Settings that were changed, and what models cost by day."""
        for number, id in enumerate(self.ids):
            at = self.ago(DAYS - number)
            await self.rows.done(
                self.organization_id, at, self.act("repository.change"), f"repository:{id}", {"models": bool(number)}
            )
        for day in range(DAYS, -1, -1):
            for id, (provider, model) in ((id, model) for id in self.ids for model in MODELS if chance.random() < 0.6):
                calls = chance.randint(1, 9)
                given, cached, made = (calls * chance.randint(*of) for of in ((4_000, 30_000), (0, 3_000), (300, 2_500)))
                usage = Usage(provider, model, given, cached, made)
                await self.rows.used(self.organization_id, id, self.ago(day).date(), calls, usage)

    async def _analyses(self, chance: Chance) -> None:
        """Of pull requests and branches: with time more and more of the files are mended."""
        looked = {
            (repository.full_name, stage): await look_at(self.context.reviewer, texts, repository.full_name)
            for repository in self.repositories
            for stage, texts in enumerate(repository.stages)
        }
        for number in range(OF_REPOSITORIES):
            which = number % len(self.repositories)
            repository, part = self.repositories[which], number / OF_REPOSITORIES
            stage = min(int(part * len(repository.stages) + chance.random()), len(repository.stages) - 1)
            await self._kept(number, self.ids[which], looked[repository.full_name, stage], self.ago(DAYS * (1 - part)))

    async def _kept(self, number: int, repository_id: int, looked: Looked, at: datetime) -> None:
        of_branch = number % 6 == 5
        wanted = WantedAnalysis(
            self.organization_id,
            "repository" if of_branch else "pull_request",
            repository_id,
            number=None if of_branch else number + 1,
            ref="main" if of_branch else "",
            tags=("nightly",) if of_branch else (),
        )
        sha = sha1(f"{repository_id} {number}".encode(), usedforsecurity=False).hexdigest()
        id = await self._asked(wanted)
        claimed = await self.context.analyses.runs.claim(self.organization_id, id)
        if isinstance(claimed, ClaimedAnalysis):
            await self.context.analyses.runs.complete(claimed, looked.at_commit(sha), looked.measured)
        await self.context.deliveries.finished(f"analysis-{id}", f"Analysis {id} of the sample data.")
        await self.rows.move(self.organization_id, id, f"analysis-{id}", at)

    async def _asked(self, wanted: WantedAnalysis) -> int:
        asked = await self.context.analyses.asked.ask(
            wanted, 20.0, self.act("analysis.create"), lambda id: own_delivery(job_of(self.organization_id, id, None))
        )
        return asked.id

    async def _upload(self, number: int, kind: AnalysisType) -> int:
        """Files that somebody sent, analyzed by the job itself; gives the analysis."""
        repository = self.repositories[number % len(self.repositories)]
        upload_id = await self._sent(repository.stages[0])
        title = f"{repository.full_name.split('/')[1]} as a zip"
        wanted = WantedAnalysis(self.organization_id, "upload", upload_id=upload_id, analysis_type=kind, title=title)
        id = await self._asked(wanted)
        await self._perform(job_of(self.organization_id, id, None))
        await self.rows.move(self.organization_id, id, f"analysis-{id}", self.ago(len(UPLOADS) - number))
        return id

    async def _sent(self, texts: Texts) -> int:
        files = {path: text.encode() for path, text in texts.items()}
        return await keep_upload(self.context, self.organization_id, files, self.act("upload.create"))

    async def _not_done(self) -> None:
        """An analysis that failed, since its upload is gone, and one that was cancelled."""
        failed = await self._asked(WantedAnalysis(self.organization_id, "upload", upload_id=GONE, title="Too late"))
        await self._perform(job_of(self.organization_id, failed, None))
        wanted = WantedAnalysis(self.organization_id, "repository", self.ids[0], ref="main", title="By mistake")
        cancelled = await self._asked(wanted)
        await self.context.analyses.asked.cancel(self.organization_id, cancelled, self.act("analysis.change"))
        await self._perform(job_of(self.organization_id, cancelled, None))
        await self._jobs(cancelled)

    async def _jobs(self, cancelled: int) -> None:
        """Jobs that wait, run, are tried again, or lost their point. A worker that takes them finds nothing to do."""
        deliveries = self.context.deliveries

        async def put(state: str) -> str:
            arguments = {"organization_id": self.organization_id, "analysis_id": cancelled}
            id = f"sample-{self.organization_id}-{state}"
            await deliveries.remember([own_delivery(OwnJob(id, "analyze", arguments, owner_id=self.organization_id))])
            return id

        await put("received")
        await deliveries.started(await put("running"))
        await deliveries.retrying(await put("retrying"), "The object store cannot be reached just now.")
        await deliveries.superseded(await put("superseded"), "The analysis was removed.")

    async def _perform(self, job: OwnJob) -> None:
        await perform(self.context, job.kind, {**job.arguments, "delivery_id": job.id})

    async def _proposals(self, analyses: list[int]) -> None:
        """One to decide about, one that was rejected, one that was applied: all prepared by the job itself."""
        await self._proposal(analyses[0], "Mend the shop", ())
        await self._proposal(analyses[1], "Not like this", (State.REJECTED,))
        await self._proposal(analyses[3], "Mend it all", (State.APPROVED, State.APPLYING))

    async def _proposal(self, analysis_id: int, title: str, steps: tuple[State, ...]) -> None:
        found = await self.context.analyses.findings_for_job(self.organization_id, analysis_id)
        wanted = tuple(one.issue for one in found)
        new = NewProposal(self.organization_id, None, analysis_id, self.user.id, wanted, title=title)
        proposal = await self.context.proposals.add(new, self.act("proposal.create"))
        job = {"delivery_id": "sample", "organization_id": self.organization_id, "proposal_id": proposal.id}
        await prepare_proposal(self.context, job)
        for state in steps:
            await self.context.proposals.step(proposal, state, self.act("proposal.change"))
        if State.APPLYING in steps:
            await apply_proposal(self.context, job)

    async def _export(self) -> None:
        def job(id: int) -> OwnJob:
            arguments = {"organization_id": self.organization_id, "export_id": id}
            return OwnJob(f"export-{id}", "export", arguments, "low", owner_id=self.organization_id)

        wanted = WantedExport(self.organization_id, "findings", "csv", {})
        act = self.act("export.create")
        export = await self.context.exports.ask(wanted, self.user.id, act, lambda id: own_delivery(job(id)))
        await self._perform(job(export.id))

    async def _deliveries(self) -> None:
        """Webhooks in every state. They carry no job, so that nobody acts on them."""
        deliveries = self.context.deliveries
        ends: list[Callable[[str], Awaitable[object]] | None] = [
            None,
            deliveries.started,
            lambda id: deliveries.retrying(id, "GitHub cannot be reached just now."),
            lambda id: deliveries.finished(id, "Reviewed: 2 findings."),
            lambda id: deliveries.superseded(id, "The pull request has moved on."),
            lambda id: deliveries.failed(id, "The app was removed from this repository."),
        ]
        await deliveries.remember([self._delivery("ignored", len(ends), ignored=True)])
        for number, end in reversed(list(enumerate(ends))):
            delivery = self._delivery(str(number), number)
            await deliveries.remember([delivery])
            if end is not None:
                await end(delivery.id)
            await self.rows.move_delivery(delivery.id, self.ago(number / 2))

    def _delivery(self, name: str, number: int, *, ignored: bool = False) -> NewDelivery:
        repository = GITHUB_ID - 1 - number % len(self.ids)
        sha = sha1(name.encode(), usedforsecurity=False).hexdigest()
        return NewDelivery(
            f"sample-{self.organization_id}-webhook-{name}", "pull_request", "labeled" if ignored else "synchronize",
            GITHUB_ID, None, repository, number + 1, sha, "ignored" if ignored else "received",
            "Nothing to do for labels." if ignored else "",
        )  # fmt: skip


def begin(context: Context, rows: SampleRows, at: tuple[int, list[int]], user: User, of: list[SampleRepository]) -> Story:
    """The story in that organization with these repositories, as of now."""
    organization_id, ids = at
    return Story(context, rows, organization_id, user, of, ids, datetime.now(UTC))
