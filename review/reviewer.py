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
        self, change: Change, read: ReadRules, *, models_held_back: str = "", retriever: Retriever | None = None
    ) -> Analysis:
        """Look at the change. Never raises for a tool or a model that fails: the analysis says it, and is `partial`.

        `models_held_back` is the reason, in a sentence, why no model may be asked this time. `retriever` finds what other
        code models should see. Raises TryAgain when the files cannot be read just now.
        """
        clock = Clock(self.on_step)
        files, skipped = choose_files(change.diff.files, read.rules)
        with clock.step("read"):
            texts = await read_texts(change, files)
        absent = [Skipped(file.path, TOO_LARGE) for file in files if file.path not in texts.head]
        chosen = replace(change, diff=Diff(tuple(file for file in files if file.path in texts.head)))
        held_back = models_held_back or self._why_no_models(read)
        analyzed, asked = await asyncio.gather(
            self._analyze(chosen, texts, read, clock), self._ask(chosen, change.diff, texts, held_back, clock, retriever)
        )
        with clock.step("verify"):
            findings, dropped = settle([*analyzed.findings, *asked.findings], chosen, texts, read.rules)
        return Analysis(
            head_sha=change.head_sha,
            findings=tuple(findings),
            dropped=(*asked.dropped, *dropped),
            read=tuple(file.path for file in chosen.diff.files),
            skipped=(*skipped, *absent, *asked.skipped),
            analyzers=analyzed.ran,
            models=asked.models,
            usage=asked.usage,
            notes=(*change.unread, *read.notes, *analyzed.notes, *([held_back] if held_back else []), *asked.notes),
            timings=clock.seconds,
            context=settled(asked.context, findings, [*asked.dropped, *dropped]),
            no_context=asked.no_context,
            changed_lines=chosen.diff.changed_lines,
            partial=bool(change.unread or analyzed.notes or asked.partial),
        )

    def _why_no_models(self, read: ReadRules) -> str:
        if not read.rules.models:
            return "No model looked at this change: the rules switch models off."
        return "" if self.providers else self.why_no_models

    async def _analyze(self, change: Change, texts: "Texts", read: ReadRules, clock: "Clock") -> AnalyzersResult:
        wanted = tuple(analyzer for analyzer in self.analyzers if analyzer.name not in read.rules.analyzers_off)
        with clock.step("analyzers"):
            return await run_analyzers(change, texts.head, texts.base, wanted)

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
            return await ask_models(change, texts.head, self.providers, deadline=MODEL_DEADLINE, blank=blank_secrets, look=look)


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


class Clock:
    """Seconds by step, in the order in which the steps ended."""

    def __init__(self, on_step: OnStep) -> None:
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
