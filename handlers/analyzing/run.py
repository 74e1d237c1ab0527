"""One claimed analysis on its way: load, look, measure, keep; broken off within seconds once nobody wants it any more."""

import asyncio
from dataclasses import dataclass, replace
from time import monotonic

import structlog

from handlers.analyzing.job import topic_of
from handlers.analyzing.measure import measured
from handlers.analyzing.subjects import Loaded, subject_of
from handlers.context import Context
from handlers.heartbeat import beside
from handlers.retrieving import Retrieving
from handlers.reviewing import note_context, why_no_models
from handlers.telling import telling
from review.analysis import Analysis
from review.context.retrieve import Retriever
from review.errors import RefactorIQError, Superseded, TryAgain
from review.progress import FETCHING, KEEPING, Progress
from review.words import count
from storage.analyses import ClaimedAnalysis
from storage.analyses.keep import Measured
from storage.database import Away
from storage.reviews import Head

BEAT_EVERY = 1.0
"""Seconds between two signs of life, each of which keeps the progress and looks whether the analysis is still wanted."""

log = structlog.get_logger()


@dataclass(slots=True)
class Reached:
    """How far the work has come, for the row and for whoever follows it live."""

    tell: Progress
    percent: int = FETCHING
    message: str = "Starting..."

    def __call__(self, percent: int, message: str) -> None:
        self.percent, self.message = max(self.percent, percent), message
        self.tell(self.percent, message)


@dataclass(frozen=True, slots=True)
class Running:
    """An analysis that is ours to run."""

    context: Context
    claimed: ClaimedAnalysis

    async def run(self) -> str:
        """All of it; gives the outcome. Raises Superseded once it is cancelled or removed, and what else is in the way."""
        async with telling(self.context.live, topic_of(self.claimed.id)) as tell:
            reached = Reached(tell)
            analysis, quality = await beside(self._beat(reached), self._think(reached), ends_work=True)
        if not await self.context.analyses.runs.complete(self.claimed, analysis, quality):
            raise await self._lost()
        found = count(len(analysis.findings), "finding")
        return f"Analysis {self.claimed.id}: {found}, score {quality.score}."

    async def _think(self, reached: Reached) -> tuple[Analysis, Measured]:
        started = monotonic()
        reached(FETCHING, "Fetching the files...")
        async with subject_of(self.context, self.claimed.record) as loaded:
            fetched = monotonic() - started
            self.context.on_step("fetch", fetched)
            held_back = await self._why_no_models()
            retriever = None if held_back else await self._retriever(loaded)
            analysis = await self.context.reviewer.review(
                loaded.change, loaded.read, models_held_back=held_back, retriever=retriever, progress=reached
            )
            await note_context(self.context, analysis)
            reached(KEEPING, "Measuring the code...")
            quality = await measured(loaded.change, analysis)
        return replace(analysis, timings={"fetch": fetched, **analysis.timings}), quality

    async def _why_no_models(self) -> str:
        """What a repository's settings say; an upload has none."""
        record = self.claimed.record
        if record.repository_id is None:
            return ""
        return await why_no_models(self.context, record.organization_id, record.repository_id)

    async def _retriever(self, loaded: Loaded) -> Retriever | None:
        """What finds other code for the models: of a pull request there is some, of whole files all of it is before them."""
        rules, pull, record = loaded.read.rules, loaded.pull, self.claimed.record
        if not (rules.models and rules.context and self.context.reviewer.providers):
            return None
        if pull is None or loaded.installation_id is None or record.repository_id is None:
            return None
        head = Head(record.organization_id, record.repository_id, pull.number, pull.head_sha, pull.base_ref)
        return await Retrieving(self.context, loaded.installation_id, pull.repository.id, head).retriever(loaded.change)

    async def _beat(self, reached: Reached) -> None:
        """Keep how far it has come; raises what `_lost` says once it is not ours. A database that is away stops nothing."""
        while True:
            await asyncio.sleep(BEAT_EVERY)
            try:
                ours = await self.context.analyses.runs.touch(self.claimed, reached.percent, reached.message)
                lost = None if ours else await self._lost()
            except Away as away:
                log.warning("no heartbeat", because=str(away))
                continue
            if lost is not None:
                raise lost

    async def _lost(self) -> RefactorIQError:
        """Why it is no longer ours."""
        record = await self.context.analyses.for_job(self.claimed.organization_id, self.claimed.id)
        if record is None:
            return Superseded("The analysis was removed.")
        if record.status == "cancelled":
            return Superseded("The analysis was cancelled.")
        return TryAgain("Another job took this analysis over.")
