"""OpenAI's chat completions, by the real SDK."""

from typing import Any

import httpx2
import pytest

from review.providers import OpenAI
from review.providers.provider import Answer, AnswerCut, AnswerUnreadable, ContentRefused, ProviderBusy
from tests.review.providers.conftest import asked
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration


async def test_the_answer_comes_with_its_tokens_and_what_was_cached_of_them(models: SandboxModels, openai: OpenAI) -> None:
    models.answer('{"findings": []}')
    first, second = await asked(openai), await asked(openai)
    assert first.text == '{"findings": []}'
    assert (first.cached_tokens, second.cached_tokens > 1_000) == (0, True)
    assert first.input_tokens == second.input_tokens == models.prompt_tokens // 2
    assert first.output_tokens > 0


async def test_it_asks_for_the_strict_schema_and_gives_the_whole_prompt(models: SandboxModels, openai: OpenAI) -> None:
    await asked(openai, room=123)
    body = models.requests[0].body
    assert body["response_format"]["json_schema"]["strict"] is True
    assert (body["model"], body["max_completion_tokens"]) == ("gpt-5.1", 123)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


async def test_a_cut_answer_is_not_taken_for_a_short_one(models: SandboxModels, openai: OpenAI) -> None:
    models.fault("cut")
    with pytest.raises(AnswerCut, match="cut") as caught:
        await asked(openai)
    assert caught.value.spent
    assert caught.value.spent.output_tokens > 0


async def test_an_empty_answer_is_a_failure(models: SandboxModels, openai: OpenAI) -> None:
    models.fault("empty")
    with pytest.raises(AnswerUnreadable, match="empty"):
        await asked(openai)


async def test_a_refusal_is_about_this_prompt_only(models: SandboxModels, openai: OpenAI) -> None:
    models.fault("refusal")
    with pytest.raises(ContentRefused) as caught:
        await asked(openai)
    assert caught.value.spent


@pytest.mark.parametrize(("fault", "because"), [("hang", "no answer within"), ("broken_body", "transit"), ("lose", "reached")])
async def test_what_breaks_on_the_way_may_work_later(models: SandboxModels, openai: OpenAI, fault: str, because: str) -> None:
    models.fault(fault)
    with pytest.raises(ProviderBusy, match=because):
        await asked(openai, timeout=0.3)
    assert (await asked(openai)).text


async def test_it_does_not_retry_by_itself(models: SandboxModels, openai: OpenAI) -> None:
    models.fault("503", 5, seconds=0)
    with pytest.raises(ProviderBusy):
        await asked(openai)
    assert len(models.requests) == 1


@pytest.mark.parametrize(
    "body", [{}, {"choices": []}, {"choices": [{"index": 0, "message": None, "finish_reason": "stop"}]}, {"error": "no"}]
)
async def test_a_body_that_is_no_chat_completion_is_an_unreadable_answer(body: dict[str, Any]) -> None:
    async with answering(body) as client:
        with pytest.raises(AnswerUnreadable, match="not a chat completion"):
            await asked(OpenAI("sk-test", "local", "http://models.example/v1", client))


async def test_a_compatible_server_need_not_count_tokens() -> None:
    message = {"role": "assistant", "content": '{"findings": []}'}
    async with answering({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}) as client:
        answer = await asked(OpenAI("sk-test", "local", "http://models.example/v1", client))
    assert answer == Answer('{"findings": []}')


async def test_its_key_is_not_in_its_repr(openai: OpenAI) -> None:
    assert repr(openai) == "OpenAI('gpt-5.1')"


def answering(body: dict[str, Any]) -> httpx2.AsyncClient:
    """A server that speaks OpenAI's protocol in its own way."""
    return httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=body)))
