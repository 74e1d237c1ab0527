"""OpenAI, and whatever speaks its chat completions: JSON by a strict schema, one call at a time, no retries of its own."""

from typing import TYPE_CHECKING, Any

from review.providers.failures import failure
from review.providers.provider import (
    Answer,
    AnswerCut,
    AnswerUnreadable,
    ContentRefused,
    Prompt,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
)

if TYPE_CHECKING:
    import httpx2
    from openai.types.chat import ChatCompletion

BASE_URL = "https://api.openai.com/v1"


def preload() -> None:
    """Import the SDK now (1 to 2 s), so that the first question does not wait. Its packages import nothing by themselves."""
    import openai.resources.chat.chat
    import openai.resources.chat.completions.completions  # noqa: F401


class OpenAI:
    """One model there. Chat completions rather than responses: every compatible server has them.

    `http_client` carries proxies and certificates; whoever made it closes it. Belongs to the event loop in which it is first
    asked.
    """

    name = "openai"

    def __init__(self, api_key: str, model: str, base_url: str, http_client: "httpx2.AsyncClient") -> None:
        from openai import AsyncOpenAI

        self.model = model
        self._client = AsyncOpenAI(api_key=api_key, base_url=base_url, http_client=http_client, max_retries=0)

    def __repr__(self) -> str:
        return f"OpenAI({self.model!r})"

    async def ask(self, prompt: Prompt, schema: dict[str, Any], *, max_tokens: int, timeout: float) -> Answer:
        """See Provider. `max_tokens` includes what the model thinks unseen."""
        import openai

        try:
            completion = await self._client.chat.completions.create(
                model=self.model,
                messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "review", "strict": True, "schema": schema},
                },
                max_completion_tokens=max_tokens,
                timeout=timeout,
            )
        except openai.APIStatusError as error:
            raise failure(error.status_code, f"{error.code} {error.message}", error.response.headers, self.model) from None
        except openai.APITimeoutError:
            raise ProviderBusy(f"no answer within {timeout:.0f} s") from None
        except (openai.APIError, ValueError) as error:
            raise _broken(error) from None
        except openai.OpenAIError:
            raise ProviderRefused("its settings are not complete") from None
        return _answer(completion)


def _broken(error: Exception) -> ProviderError:
    """A ValueError is a body that ended in the middle or is no JSON."""
    return ProviderBusy("the answer broke in transit" if isinstance(error, ValueError) else "it could not be reached")


def _answer(completion: "ChatCompletion") -> Answer:
    """The text, if the model ended well. Compatible servers leave out what OpenAI always sends."""
    choices = getattr(completion, "choices", None)
    if not choices or choices[0].message is None:
        raise AnswerUnreadable("the answer was not a chat completion")
    choice, spent = choices[0], _spent(completion, choices[0].message.content or "")
    if choice.finish_reason == "content_filter" or choice.message.refusal:
        raise ContentRefused("the model refused to answer", spent)
    if choice.finish_reason == "length":
        raise AnswerCut("the answer was cut at its longest length", spent)
    if not spent.text.strip():
        raise AnswerUnreadable("the answer was empty", spent)
    return spent


def _spent(completion: "ChatCompletion", text: str) -> Answer:
    usage = completion.usage
    if usage is None:
        return Answer(text)
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens if details else None) or 0
    return Answer(text, usage.prompt_tokens or 0, cached, usage.completion_tokens or 0)
