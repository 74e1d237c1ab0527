"""The model server, spoken to by the real SDKs of OpenAI and Anthropic."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest

from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"findings": {"type": "array", "items": {"type": "string"}}},
    "required": ["findings"],
    "additionalProperties": False,
}
FORMAT: Any = {"type": "json_schema", "name": "review", "schema": SCHEMA, "strict": True}
CHAT_FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "review", "schema": SCHEMA, "strict": True}}
SYSTEM = "You review code. " * 300


@pytest.fixture
async def gpt(models: SandboxModels) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="sk-x", base_url=models.openai_base_url, max_retries=0, timeout=2) as client:
        yield client


@pytest.fixture
async def claude(models: SandboxModels) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key="x", base_url=models.anthropic_base_url, max_retries=0, timeout=2) as client:
        yield client


async def chat(gpt: openai.AsyncOpenAI, text: str = "diff", **more: Any) -> Any:
    messages: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
    return await gpt.chat.completions.create(model="gpt-5.1", messages=messages, response_format=CHAT_FORMAT, **more)


async def respond(gpt: openai.AsyncOpenAI, text: str = "diff", **more: Any) -> Any:
    return await gpt.responses.create(model="gpt-5.1", instructions=SYSTEM, input=text, text={"format": FORMAT}, **more)


async def message(claude: anthropic.AsyncAnthropic, text: str = "diff", **more: Any) -> Any:
    system: Any = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
    given = {"max_tokens": 1000, "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}} | more
    return await claude.messages.create(
        model="claude-sonnet-5-5", system=system, messages=[{"role": "user", "content": text}], **given
    )


async def test_all_three_protocols_give_the_scripted_answer_and_count_tokens(
    models: SandboxModels, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    models.answer(findings=["a"])
    said, responded, written = await chat(gpt), await respond(gpt), await message(claude)
    assert json.loads(said.choices[0].message.content) == {"findings": ["a"]}
    assert json.loads(responded.output_text) == {"findings": ["a"]}
    assert json.loads(written.content[0].text) == {"findings": ["a"]}
    assert said.usage.prompt_tokens == int(len(SYSTEM + "\ndiff") / 3.5) + 1
    assert responded.usage.input_tokens == said.usage.prompt_tokens
    assert (said.choices[0].finish_reason, responded.status, written.stop_reason) == ("stop", "completed", "end_turn")
    assert [request.status for request in models.requests] == [200] * 3
    assert models.prompt_tokens == 3 * said.usage.prompt_tokens


async def test_a_prefix_seen_before_is_cached(
    models: SandboxModels, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    assert [(await chat(gpt)).usage.prompt_tokens_details.cached_tokens > 0 for _ in range(2)] == [False, True]
    written = await message(claude)
    assert written.usage.cache_read_input_tokens > 1_000
    assert written.usage.input_tokens < 10


async def test_answers_depend_on_the_prompt_or_on_their_turn(models: SandboxModels, gpt: openai.AsyncOpenAI) -> None:
    models.answer(lambda prompt: {"findings": ["b" if "b.py" in prompt else "a"]})
    models.sequence("first", {"findings": ["second"]})
    texts = [(await respond(gpt, name)).output_text for name in ("x", "y", "b.py", "a.py")]
    assert texts == ["first", '{"findings": ["second"]}', '{"findings": ["b"]}', '{"findings": ["a"]}']


async def test_a_tool_that_must_be_used_is_used(models: SandboxModels, claude: anthropic.AsyncAnthropic) -> None:
    models.answer(findings=["a"])
    tools = [{"name": "report", "description": "Report.", "input_schema": SCHEMA}]
    written = await message(claude, tools=tools, tool_choice={"type": "tool", "name": "report"}, output_config={})
    assert (written.stop_reason, written.content[0].input) == ("tool_use", {"findings": ["a"]})


@pytest.mark.parametrize(
    ("kind", "wrong", "wronger"),
    [
        ("429", openai.RateLimitError, anthropic.RateLimitError),
        ("quota", openai.RateLimitError, anthropic.RateLimitError),
        ("401", openai.AuthenticationError, anthropic.AuthenticationError),
        ("404", openai.NotFoundError, anthropic.NotFoundError),
        ("too_long", openai.BadRequestError, anthropic.BadRequestError),
        ("500", openai.InternalServerError, anthropic.InternalServerError),
        ("503", openai.InternalServerError, anthropic.ServiceUnavailableError),
        ("529", openai.InternalServerError, anthropic.OverloadedError),
        ("lose", openai.APIConnectionError, anthropic.APIConnectionError),
        ("hang", openai.APITimeoutError, anthropic.APITimeoutError),
    ],
)
async def test_the_sdks_raise_what_they_raise_for_the_real_thing(
    models: SandboxModels,
    gpt: openai.AsyncOpenAI,
    claude: anthropic.AsyncAnthropic,
    kind: str,
    wrong: type[Exception],
    wronger: type[Exception],
) -> None:
    models.fault(kind, 3)
    with pytest.raises(wrong):
        await chat(gpt, timeout=0.3)
    with pytest.raises(wrong):
        await respond(gpt, timeout=0.3)
    with pytest.raises(wronger):
        await message(claude, timeout=0.3)
    await chat(gpt)


async def test_too_many_requests_say_when_to_come_back_and_why(models: SandboxModels, gpt: openai.AsyncOpenAI) -> None:
    models.fault("429", seconds=0.2)
    models.fault("quota")
    with pytest.raises(openai.RateLimitError) as slow:
        await chat(gpt)
    assert (slow.value.response.headers["retry-after"], slow.value.code) == ("0.2", "rate_limit_exceeded")
    with pytest.raises(openai.RateLimitError) as never:
        await chat(gpt)
    assert never.value.code == "insufficient_quota"


async def test_answers_are_cut_emptied_refused_and_spoilt(
    models: SandboxModels, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    models.fault("cut", 3)
    cut, incomplete, short = await chat(gpt), await respond(gpt), await message(claude)
    assert (cut.choices[0].finish_reason, incomplete.status, short.stop_reason) == ("length", "incomplete", "max_tokens")
    assert incomplete.incomplete_details.reason == "max_output_tokens"
    models.fault("empty", 3)
    assert [
        (await chat(gpt)).choices[0].message.content,
        (await respond(gpt)).output_text,
        (await message(claude)).content,
    ] == ["", "", []]
    models.fault("refusal", 3)
    assert (await chat(gpt)).choices[0].message.refusal == "I cannot help with that."
    assert (await respond(gpt)).output[0].content[0].type == "refusal"
    assert (await message(claude)).stop_reason == "refusal"
    models.fault("malformed")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads((await respond(gpt)).output_text)


async def test_a_fault_can_be_one_providers_only(
    models: SandboxModels, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    models.fault("500", 99, provider="openai")
    assert (await message(claude)).stop_reason == "end_turn"
    with pytest.raises(openai.InternalServerError):
        await chat(gpt)


async def test_what_the_real_apis_refuse_is_refused(
    models: SandboxModels, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    loose: Any = {
        "type": "json_schema",
        "name": "x",
        "strict": True,
        "schema": {"type": "object", "properties": {"a": {"type": "string"}}},
    }
    with pytest.raises(openai.BadRequestError, match="additionalProperties"):
        await gpt.responses.create(model="gpt-5.1", input="x", text={"format": loose})
    with pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
        await chat(gpt, max_tokens=5)
    bounded = SCHEMA | {"properties": {"findings": {"type": "array", "items": {"type": "integer", "minimum": 0}}}}
    with pytest.raises(anthropic.BadRequestError, match="minimum"):
        await message(claude, output_config={"format": {"type": "json_schema", "schema": bounded}})
    models.context_tokens = 10
    with pytest.raises(openai.BadRequestError, match="too long"):
        await chat(gpt)


async def test_an_answer_longer_than_its_bound_is_cut(models: SandboxModels, gpt: openai.AsyncOpenAI) -> None:
    models.answer(findings=["x" * 500])
    assert (await respond(gpt, max_output_tokens=20)).status == "incomplete"


async def test_a_slow_model_takes_its_time(models: SandboxModels, gpt: openai.AsyncOpenAI) -> None:
    models.delay_seconds = 0.2
    started = time.perf_counter()
    await chat(gpt)
    assert time.perf_counter() - started >= 0.2
    while not models.requests[0].ended:  # noted once the answer has left, which the asker may have read already
        await asyncio.sleep(0.01)
    assert models.requests[0].ended - models.requests[0].started >= 0.2
