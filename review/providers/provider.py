"""The form of every model provider: a prompt and a JSON schema in, the model's JSON text out."""

from dataclasses import dataclass
from typing import Any, Protocol

from review.errors import RefactorIQError


class ProviderError(RefactorIQError):
    """A call that brought no usable answer. The subclass says what helps."""


class ProviderBusy(ProviderError):
    """Overloaded, rate limited, timed out or broken in transit: the same call may work later."""

    def __init__(self, because: str, after: float | None = None) -> None:
        super().__init__(because)
        self.after = after


class ProviderRefused(ProviderError):
    """Wrong key, no such model, no quota, refused content: asking again is useless; another provider may answer."""


class PromptTooLong(ProviderError):
    """The model cannot take that much: ask with less."""


class AnswerCut(ProviderError):
    """The answer was empty or ended early (`length`, `max_tokens`): ask again with more room or less to look at."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. `system` is the stable prefix (the same bytes for every piece), `user` the piece itself."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `text` is JSON by the schema asked for; tokens as the provider counted them."""

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
