"""Anthropic's Messages API: JSON by a schema (structured outputs), the stable prefix marked for the cache, no retries."""

from typing import TYPE_CHECKING, Any

from review.providers.failures import failure
from review.providers.provider import (
    Answer,
    AnswerCut,
    AnswerUnreadable,
    ContentRefused,
    Prompt,
    PromptTooLong,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
)

if TYPE_CHECKING:
    import httpx2
    from anthropic.types import Message

BASE_URL = "https://api.anthropic.com"


def preload() -> None:
    """Import the SDK now (2 to 6 s), so that the first question does not wait for it."""
    import anthropic.resources.messages  # noqa: F401


class Anthropic:
    """One model there: of those that take structured outputs, Claude 4.5 and newer.

    `http_client` carries proxies and certificates; whoever made it closes it. Belongs to the event loop in which it is first
    asked.
    """

    name = "anthropic"

    def __init__(self, api_key: str, model: str, base_url: str, http_client: "httpx2.AsyncClient") -> None:
        from anthropic import AsyncAnthropic

        self.model = model
        self._client = AsyncAnthropic(
            api_key=api_key, base_url=base_url, http_client=http_client, max_retries=0, open_telemetry=False
        )

    def __repr__(self) -> str:
        return f"Anthropic({self.model!r})"

    async def ask(self, prompt: Prompt, schema: dict[str, Any], *, max_tokens: int, timeout: float) -> Answer:
        """See Provider. A timeout of its own also keeps the SDK from demanding a stream for long answers."""
        import anthropic

        try:
            message = await self._client.messages.create(
                model=self.model,
                max_tokens=max_tokens,
                system=[{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
                messages=[{"role": "user", "content": prompt.user}],
                output_config={"format": {"type": "json_schema", "schema": schema}},
                timeout=timeout,
            )
        except anthropic.APIStatusError as error:
            raise failure(error.status_code, f"{error.type} {error.message}", error.response.headers, self.model) from None
        except anthropic.APITimeoutError:
            raise ProviderBusy(f"no answer within {timeout:.0f} s") from None
        except (anthropic.APIError, ValueError) as error:
            raise _broken(error) from None
        except anthropic.AnthropicError:
            raise ProviderRefused("its settings are not complete") from None
        return _answer(message, self.model)


def _broken(error: Exception) -> ProviderError:
    """A ValueError is a body that ended in the middle or is no JSON."""
    return ProviderBusy("the answer broke in transit" if isinstance(error, ValueError) else "it could not be reached")


def _answer(message: "Message", model: str) -> Answer:
    """The text, if the model ended well."""
    blocks = getattr(message, "content", None)
    if blocks is None:
        raise AnswerUnreadable("the answer was not a message")
    spent = _spent(message, "".join(block.text for block in blocks if block.type == "text"))
    if message.stop_reason == "refusal":
        raise ContentRefused("the model refused to answer", spent)
    if message.stop_reason == "model_context_window_exceeded":
        raise PromptTooLong(f"prompt and answer are too long for `{model}`", spent)
    if message.stop_reason == "max_tokens":
        raise AnswerCut("the answer was cut at its longest length", spent)
    if not spent.text.strip():
        raise AnswerUnreadable("the answer was empty", spent)
    return spent


def _spent(message: "Message", text: str) -> Answer:
    """Anthropic counts what it read from and wrote into the cache apart from `input_tokens`."""
    usage = message.usage
    cached = usage.cache_read_input_tokens or 0
    given = usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0)
    return Answer(text, given, cached, usage.output_tokens)
