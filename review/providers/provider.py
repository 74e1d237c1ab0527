"""The form of every model provider: a prompt and a JSON schema in, the model's JSON text out."""

from dataclasses import dataclass
from typing import Any, Protocol

from review.errors import RefactorIQError


class ProviderError(RefactorIQError):
    """A call that brought no usable answer. The subclass says what helps; the text says why, and may be shown to anybody.

    `spent` holds the tokens of an answer that came and was of no use.
    """

    def __init__(self, because: str, spent: "Answer | None" = None) -> None:
        super().__init__(because)
        self.spent = spent


class ProviderBusy(ProviderError):
    """Overloaded, rate limited, timed out or broken in transit: the same call may work later.

    `after` is how many seconds to wait, where the provider named it.
    """

    def __init__(self, because: str, after: float | None = None) -> None:
        super().__init__(because)
        self.after = after


class ProviderRefused(ProviderError):
    """Wrong key, no such model, no quota: asking again, whatever it be, is useless; another provider may answer."""


class ContentRefused(ProviderRefused):
    """The model will not speak about this prompt; it may answer another one."""


class PromptTooLong(ProviderError):
    """The model cannot take that much: ask with less."""


class AnswerCut(ProviderError):
    """The answer ended early (`length`, `max_tokens`): ask again with more room, or with less to look at."""


class AnswerUnreadable(AnswerCut):
    """The answer was empty or not what was asked for, and is complete by the provider's word: asking again may help once."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. `system` is the stable prefix (the same bytes for every piece), `user` the piece itself."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `text` is JSON by the schema asked for; tokens as the provider counted them.

    `input_tokens` are all of the prompt's, `cached_tokens` those among them that were read from the provider's cache.
    """

    text: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class Provider(Protocol):
    """One model of one provider, ready to be asked; safe to use from many tasks at once."""

    name: str
    model: str

    async def ask(self, prompt: Prompt, schema: dict[str, Any], *, max_tokens: int, timeout: float) -> Answer:
        """One call, no retries (those are the caller's). `timeout` in seconds. Raises ProviderError's subclasses."""
        ...
