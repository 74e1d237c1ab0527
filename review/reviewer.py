"""The engine: a change and its rules in, an Analysis out. Start reading here."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import monotonic

from review.analysis import Analysis, Dropped, Skipped
from review.analyzers.analyzer import Analyzer
from review.ask import ModelResult, ask_models
from review.change import Change, End
from review.context.retrieve import Retriever
from review.dedupe import merged
from review.diff import Diff, FileDiff
from review.find_context import find_context, settled
from review.finding import Finding, worst_first
from review.fingerprint import fingerprinted
from review.models.pieces import Piece
from review.paths import choose_files
from review.progress import ANALYZERS, MODELS, READING, VERIFYING, Progress, Rising, untold
from review.providers.provider import Provider
from review.rules import ReadRules, Rules
from review.run_analyzers import AnalyzersResult, run_analyzers
from review.secrets.blank import blank_secrets
from review.verify import verify_all

MODEL_DEADLINE = 150.0
"""Seconds for all model calls of a review together: much less than a job may take, so that the rest is always posted."""

TOO_LARGE = "larger than 1 MB, or not readable"

OnStep = Callable[[str, float], None]
"""Told the name of each step and the seconds that it took."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """The engine with its tools. Keeps nothing between reviews.

    `providers` are asked in their order; `why_no_models` says, where there are none, why not.
    """

    analyzers: tuple[Analyzer, ...]
    providers: tuple[Provider, ...] = ()
    why_no_models: str = "No model looked at this change: no model key is set. The analyzers alone did."
    on_step: OnStep = field(default=lambda _step, _seconds: None)

    async def review(
        self,
        change: Change,
        read: ReadRules,
        *,
        models_held_back: str = "",
        retriever: Retriever | None = None,
        progress: Progress = untold,
    ) -> Analysis:
        """Look at the change. Never raises for a tool or a model that fails: the analysis says it, and is `partial`.

        `models_held_back` is the reason, in a sentence, why no model may be asked this time. `retriever` finds what other
        code models should see; `progress` is told every step. Raises TryAgain when the files cannot be read just now.
        """
        clock = Clock(self.on_step, Rising(progress))
        clock.rising.reached(READING, "Reading the files...")
        files, skipped = choose_files(change.diff.files, read.rules)
        with clock.step("read"):
            texts = await read_texts(change, files)
        absent = [Skipped(file.path, TOO_LARGE) for file in files if file.path not in texts.head]
        chosen = replace(change, diff=Diff(tuple(file for file in files if file.path in texts.head)))
        held_back = models_held_back or self._why_no_models(read)
        analyzed, asked = await asyncio.gather(
            self._analyze(chosen, texts, read, clock), self._ask(chosen, change.diff, texts, held_back, clock, retriever)
        )
        clock.rising.reached(VERIFYING, "Verifying what was found...")
        with clock.step("verify"):
            findings, dropped = settle([*analyzed.findings, *asked.findings], chosen, texts, read.rules)
        held = [held_back] if held_back else []
        return replace(
            account(chosen, analyzed, asked, findings, dropped),
            skipped=(*skipped, *absent, *asked.skipped),
            notes=(*change.unread, *read.notes, *analyzed.notes, *held, *asked.notes),
            timings=clock.seconds,
        )

    def _why_no_models(self, read: ReadRules) -> str:
        if not read.rules.models:
            return "No model looked at this change: the rules switch models off."
        return "" if self.providers else self.why_no_models

    async def _analyze(self, change: Change, texts: "Texts", read: ReadRules, clock: "Clock") -> AnalyzersResult:
        wanted = tuple(analyzer for analyzer in self.analyzers if analyzer.name not in read.rules.analyzers_off)
        with clock.step("analyzers"):
            return await run_analyzers(change, texts.head, texts.base, wanted, clock.rising.files(ANALYZERS, MODELS))

    async def _ask(
        self, change: Change, whole: Diff, texts: "Texts", held_back: str, clock: "Clock", retriever: Retriever | None
    ) -> ModelResult:
        if held_back or not change.diff.files:
            return ModelResult()

        async def look(pieces: list[Piece]) -> tuple[list[Piece], str]:
            if retriever is None:
                return pieces, ""
            with clock.step("context"):
                return await find_context(pieces, change, whole, texts.base, retriever, blank_secrets)

        with clock.step("models"):
            return await ask_models(
                change,
                texts.head,
                self.providers,
                deadline=MODEL_DEADLINE,
                blank=blank_secrets,
                look=look,
                looking=clock.rising.files(MODELS, VERIFYING),
            )


@dataclass(frozen=True, slots=True)
class Texts:
    """The files at both ends of the change, by their path at that end."""

    head: Mapping[str, bytes]
    base: Mapping[str, bytes]


async def read_texts(change: Change, files: Sequence[FileDiff]) -> Texts:
    """Both ends of these files, as far as they exist and are not too large. Raises TryAgain."""
    head = await change.checkout.read(End.HEAD, [file.path for file in files])
    base = await change.checkout.read(End.BASE, [file.previous_path or file.path for file in files])
    return Texts(head, base)


def settle(found: Sequence[Finding], change: Change, texts: Texts, rules: Rules) -> tuple[list[Finding], list[Dropped]]:
    """What will be said, worst first, each once, with suggestions that hold; and what will not, each with its reason."""
    unwanted = [Dropped(finding, because) for finding in found if (because := rules.why_unwanted(finding))]
    wanted = [finding for finding in found if not rules.why_unwanted(finding)]
    once, twins = merged(fingerprinted(wanted, texts.head, change.diff))
    return worst_first(verify_all(once, texts.head, change.diff)), [*unwanted, *twins]


def account(
    chosen: Change, analyzed: AnalyzersResult, asked: ModelResult, findings: Sequence[Finding], dropped: Sequence[Dropped]
) -> Analysis:
    """What came of it, as far as tools and models have a part in it. `findings` and `dropped` are what `settle` gave."""
    return Analysis(
        head_sha=chosen.head_sha,
        findings=tuple(findings),
        dropped=(*asked.dropped, *dropped),
        read=tuple(file.path for file in chosen.diff.files),
        analyzers=analyzed.ran,
        models=asked.models,
        usage=asked.usage,
        context=settled(asked.context, findings, [*asked.dropped, *dropped]),
        no_context=asked.no_context,
        changed_lines=chosen.diff.changed_lines,
        partial=bool(chosen.unread or analyzed.notes or asked.partial),
    )


class Clock:
    """Seconds by step, in the order in which the steps ended; and how far they have come together."""

    def __init__(self, on_step: OnStep, rising: Rising) -> None:
        self.rising = rising
        self.seconds: dict[str, float] = {}
        self._on_step = on_step

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what happens inside, also when it fails."""
        start = monotonic()
        try:
            yield
        finally:
            self.seconds[name] = monotonic() - start
            self._on_step(name, self.seconds[name])
