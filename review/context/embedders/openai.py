"""Vectors from OpenAI, and from whatever speaks its embeddings API. No secret of the texts gets there."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from review.context.embedders.embedder import EmbedderFailed
from review.models.calls import wait_as_told
from review.providers.failures import failure
from review.providers.provider import PromptTooLong, ProviderBusy, ProviderError, ProviderRefused
from review.secrets.blank import blank_secrets

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI
    from openai.types import CreateEmbeddingResponse

SHORTENED = "text-embedding-3-"
"""Models of this family cut their vectors to the dimensions that they are asked for; others refuse the question."""

MOST_TEXTS = 256
MOST_BYTES = 350_000
"""Of one request: some 100,000 tokens."""

LONGEST_TEXT = 24_000
"""Bytes: the models take 8,000 tokens of a text, and code may have as little as three bytes in each."""

SHORTEST_TEXT = 200
"""Characters of a text that is not cut further when the model says it is too long."""

AT_ONCE = 4
TRIES = 6
SECONDS = 120.0
"""For one request with all its tries."""

Vectors = NDArray[np.float32]


class OpenAIEmbedder:
    """One model there. Fulfils Embedder; blank texts have rows of zeros, which are near nothing, and are not sent.

    `http_client` carries proxies and certificates; whoever made it closes it. Belongs to the event loop in which it is first
    used. `tokens` is how many the provider has counted so far.
    """

    remote = True

    def __init__(self, api_key: str, model: str, dimensions: int, base_url: str, http_client: "httpx2.AsyncClient") -> None:
        self.name = f"openai/{model}/{dimensions}"
        self.dimensions = dimensions
        self.tokens = 0
        self._model = model
        self._made: AsyncOpenAI | None = None
        self._api_key = api_key
        self._base_url = base_url
        self._http_client = http_client
        self._slots = asyncio.Semaphore(AT_ONCE)

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self.name!r})"

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embedder. Secrets in the texts are blanked, and very long ones cut, before they are sent."""
        cleaned = await asyncio.to_thread(lambda: [_sendable(text) for text in texts])
        told = [place for place, text in enumerate(cleaned) if text.strip()]
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        tasks: list[tuple[list[int], asyncio.Task[Vectors]]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for batch in _batches([cleaned[place] for place in told]):
                    places = told[batch]
                    tasks.append((places, group.create_task(self._embedded([cleaned[place] for place in places]))))
        except ExceptionGroup as errors:  # no `except*`: in Debian 12's Python what is raised in there comes out as a group
            if errors.split(ProviderError)[1] is not None:
                raise
            raise EmbedderFailed(f"No vectors came from `{self._model}`: {_first(errors)}.") from None
        for places, task in tasks:
            rows[places] = task.result()
        return rows

    async def _embedded(self, texts: Sequence[str]) -> Vectors:
        """The vectors of one batch; in halves where it is too much, down to a text of which only the beginning counts."""
        try:
            async with self._slots:
                return await self._asked_until_answered(texts)
        except PromptTooLong:
            if len(texts) > 1:
                half = len(texts) // 2
                return np.concatenate([await self._embedded(texts[:half]), await self._embedded(texts[half:])])
            if len(texts[0]) <= SHORTEST_TEXT:
                raise
            return await self._embedded([texts[0][: len(texts[0]) // 2].rstrip()])

    async def _asked_until_answered(self, texts: Sequence[str]) -> Vectors:
        """One request, sent again while the provider is busy and there is time for it."""
        until = monotonic() + SECONDS

        def enough(state: RetryCallState) -> bool:
            return state.attempt_number >= TRIES or monotonic() + state.upcoming_sleep >= until

        busy = retry_if_exception_type(ProviderBusy)
        async for attempt in AsyncRetrying(retry=busy, wait=wait_as_told, stop=enough, reraise=True):
            with attempt:
                answer = await self._asked(texts, until - monotonic())
        return self._read(answer, len(texts))

    async def _asked(self, texts: Sequence[str], seconds: float) -> "CreateEmbeddingResponse":
        """One call. Numbers as text (`float`), not base64: every compatible server has them."""
        import openai

        wanted = self.dimensions if self._model.startswith(SHORTENED) else openai.omit
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client().embeddings.create(
                    model=self._model, input=list(texts), dimensions=wanted, encoding_format="float", timeout=seconds
                )
        except openai.APIStatusError as error:
            raise failure(error.status_code, f"{error.code} {error.message}", error.response.headers, self._model) from None
        except (openai.APITimeoutError, TimeoutError):
            raise ProviderBusy(f"no answer within {seconds:.0f} s") from None
        except openai.APIConnectionError:
            raise ProviderBusy("it could not be reached") from None
        except (openai.APIError, ValueError):  # a body that ended in the middle, or is no JSON
            raise ProviderBusy("the answer broke in transit") from None
        self.tokens += getattr(getattr(answer, "usage", None), "total_tokens", 0) or 0
        return answer

    def _client(self) -> "AsyncOpenAI":
        """The SDK's client, made when it is first asked: its import takes 1 to 2 s."""
        if self._made is None:
            from openai import AsyncOpenAI

            self._made = AsyncOpenAI(
                api_key=self._api_key, base_url=self._base_url, http_client=self._http_client, max_retries=0
            )
        return self._made

    def _read(self, answer: "CreateEmbeddingResponse", count: int) -> Vectors:
        """The vectors in the order of the texts, of unit length. Raises ProviderRefused where the answer is not that."""
        data = getattr(answer, "data", None) or []
        try:
            by_index = {item.index: item.embedding for item in data}
            rows = np.array([by_index[place] for place in range(count)], np.float32)
        except (AttributeError, KeyError, TypeError, ValueError):
            rows = np.empty(0, np.float32)
        if rows.ndim != 2 or len(data) != count:
            raise ProviderRefused(f"the answer was not a vector for each of {count} texts")
        if rows.shape[1] != self.dimensions:
            raise ProviderRefused(f"its vectors have {rows.shape[1]} dimensions: set EMBEDDING_DIMENSIONS={rows.shape[1]}")
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise ProviderRefused("the answer held vectors without a direction")
        return np.asarray(rows / lengths, np.float32)


def _sendable(text: str) -> str:
    """The text without its secrets, cut to what a model takes, in characters that JSON can carry."""
    return blank_secrets(text).encode("utf-8", "replace")[:LONGEST_TEXT].decode("utf-8", "ignore")


def _batches(texts: Sequence[str]) -> list[slice]:
    """Runs of texts that fit into one request each."""
    starts, count, size = [0], 0, 0
    for place, text in enumerate(texts):
        length = len(text.encode())
        if count == MOST_TEXTS or size + length > MOST_BYTES:
            starts.append(place)
            count, size = 0, 0
        count, size = count + 1, size + length
    return [slice(first, last) for first, last in pairwise([*starts, len(texts)]) if first < last]


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """One of the errors: what failed together mostly failed for the same reason."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
