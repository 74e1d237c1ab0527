"""The calls of one review to its models: retries, the next provider, smaller pieces, and an account of each call."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter, wait_random

from review.analysis import Usage
from review.models.answer_schema import ANSWER_SCHEMA, Item, Unreadable, read_answer
from review.models.pieces import AT_ONCE, Piece
from review.models.prompt import write_prompt
from review.progress import Looking, unseen
from review.providers.provider import (
    Answer,
    AnswerCut,
    AnswerUnreadable,
    ContentRefused,
    Prompt,
    PromptTooLong,
    Provider,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
)

ROOM, MORE_ROOM = 16_000, 32_000
"""Tokens for an answer, with what the model thinks unseen; the larger bound after an answer that was cut."""

TRIES = 4
"""Of one question to one provider, while it is busy."""

LONGEST_WAIT = 20.0
"""Seconds that a provider may make us wait while there is another one to ask."""

PATIENCE = 60.0
"""Seconds after which a provider that does not answer is given up for the next one: most answers take half of it."""

GROWING = wait_exponential_jitter(multiplier=0.5, max=LONGEST_WAIT, jitter=0.5)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model said of a piece; `unreadable` counts the items that did not fit the form."""

    piece: Piece
    provider: Provider
    items: tuple[Item, ...]
    unreadable: int


class Calls:
    """Asks about pieces, until a deadline. What came of it stands in the public attributes, at any moment.

    `said` is the author's words, as `prompt.about` makes them; `deadline` is a reading of `monotonic`. `looking` is told how
    many of the pieces are answered, and of a file that is not yet.
    """

    def __init__(self, providers: Sequence[Provider], said: str, deadline: float, looking: Looking = unseen) -> None:
        self.answered: list[Answered] = []
        self.open: list[Piece] = []
        """Pieces without an answer: not asked to the end yet, or in vain."""
        self.usage: list[Usage] = []
        self.failures: dict[str, str] = {}
        """By provider, the last reason why it did not answer a piece."""
        self._providers = providers
        self._said = said
        self._started = monotonic()
        self._deadline = deadline
        self._refused: dict[str, str] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._looking = looking

    async def ask_all(self, pieces: Sequence[Piece]) -> None:
        """Ask about all of them at once. Never raises ProviderError. Cancelled, it leaves what there is."""
        self.open += pieces
        self._tell()
        async with asyncio.TaskGroup() as group:
            for piece in pieces:
                group.create_task(self._ask(piece))

    async def _ask(self, piece: Piece) -> None:
        """One provider after the other, each until its share of the time is over, so that the last one gets some too."""
        share = min((self._deadline - self._started) / len(self._providers), PATIENCE)
        for place, provider in enumerate(self._providers, 1):
            until = self._deadline if provider is self._providers[-1] else self._started + share * place
            try:
                answered = await self._asked_until_read(provider, piece, until)
            except (PromptTooLong, AnswerCut) as error:
                self.failures[provider.name] = str(error)
                if await self._asked_in_halves(piece, error):
                    return
            except ProviderError as error:
                self.failures[provider.name] = str(error)
            else:
                self.answered.append(answered)
                self.open.remove(piece)
                self._tell()
                return

    def _tell(self) -> None:
        if self.open:
            done = len(self.answered)
            self._looking(done / (done + len(self.open)), self.open[0].files[0].path)

    async def _asked_in_halves(self, piece: Piece, error: ProviderError) -> bool:
        """A piece that was too much, as two. An answer that made no sense is another matter."""
        halves = None if isinstance(error, AnswerUnreadable) else piece.halves()
        if halves is None:
            return False
        self.open.remove(piece)
        await self.ask_all(halves)
        return True

    async def _asked_until_read(self, provider: Provider, piece: Piece, until: float) -> Answered:
        """Asked once more after an answer that was empty, no JSON, or cut although the piece cannot be."""
        try:
            return await self._asked(provider, piece, ROOM, until)
        except AnswerUnreadable:
            return await self._asked(provider, piece, ROOM, until)
        except AnswerCut:
            if piece.halves() is not None:
                raise
            return await self._asked(provider, piece, MORE_ROOM, until)

    async def _asked(self, provider: Provider, piece: Piece, room: int, until: float) -> Answered:
        """One question, asked again while the provider is busy and there is time for it."""
        prompt = write_prompt(piece, self._said)
        longest = until - monotonic() if provider is self._providers[-1] else LONGEST_WAIT

        def enough(state: RetryCallState) -> bool:
            wait = state.upcoming_sleep
            return state.attempt_number >= TRIES or wait > longest or monotonic() + wait >= until

        busy = retry_if_exception_type(ProviderBusy)
        async for attempt in AsyncRetrying(retry=busy, wait=wait_as_told, stop=enough, reraise=True):
            with attempt:
                items, unreadable = await self._called(provider, prompt, room, until)
        return Answered(piece, provider, tuple(items), unreadable)

    async def _called(self, provider: Provider, prompt: Prompt, room: int, until: float) -> tuple[list[Item], int]:
        """One call, with its line in the account whatever comes of it. Raises ProviderError."""
        async with self._slots:
            if because := self._refused.get(provider.name):
                raise ProviderRefused(because)
            started = monotonic()
            if started >= until:
                raise ProviderBusy("its time went by on other parts of the change")
            try:
                answer = await _within(provider, prompt, room, until - started)
                read = _read(answer)
            except ProviderError as error:
                self._account(provider, error.spent, started, str(error))
                if isinstance(error, ProviderRefused) and not isinstance(error, ContentRefused):
                    self._refused[provider.name] = str(error)
                raise
            except asyncio.CancelledError:
                self._account(provider, None, started, "stopped: the time for models was over")
                raise
            self._account(provider, answer, started)
            return read

    def _account(self, provider: Provider, spent: Answer | None, started: float, error: str = "") -> None:
        spent = spent or Answer("")
        self.usage.append(
            Usage(
                provider=provider.name,
                model=provider.model,
                input_tokens=spent.input_tokens,
                cached_tokens=spent.cached_tokens,
                output_tokens=spent.output_tokens,
                seconds=monotonic() - started,
                ok=not error,
                error=error,
            )
        )


async def _within(provider: Provider, prompt: Prompt, room: int, seconds: float) -> Answer:
    """The answer, in that time altogether: an SDK's own timeout starts anew with every byte."""
    try:
        async with asyncio.timeout(seconds):
            return await provider.ask(prompt, ANSWER_SCHEMA, max_tokens=room, timeout=seconds)
    except TimeoutError:
        raise ProviderBusy(f"no answer within {seconds:.0f} s") from None


def _read(answer: Answer) -> tuple[list[Item], int]:
    try:
        return read_answer(answer.text)
    except Unreadable as error:
        raise AnswerUnreadable(str(error), answer) from None


def wait_as_told(state: RetryCallState) -> float:
    """Seconds before the next try: what the provider said and a little more, so that not all come at once; else growing."""
    error = state.outcome.exception() if state.outcome else None
    after = error.after if isinstance(error, ProviderBusy) else None
    return GROWING(state) if after is None else after + wait_random(0, min(after, 1.0))(state)
