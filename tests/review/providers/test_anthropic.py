"""Anthropic's messages, by the real SDK."""

import httpx2
import pytest

from review.providers import Anthropic
from review.providers.provider import AnswerCut, AnswerUnreadable, ContentRefused, PromptTooLong, ProviderBusy
from tests.review.providers.conftest import asked
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration


async def test_the_stable_prefix_is_read_from_the_cache_and_counted_with_the_rest(
    models: SandboxModels, anthropic: Anthropic
) -> None:
    models.answer('{"findings": []}')
    first, second = await asked(anthropic), await asked(anthropic)
    assert (first.text, first.cached_tokens) == ('{"findings": []}', 0)
    assert second.cached_tokens > 1_000
    assert first.input_tokens == second.input_tokens == models.prompt_tokens // 2


async def test_it_asks_for_json_by_the_schema(models: SandboxModels, anthropic: Anthropic) -> None:
    await asked(anthropic, room=123)
    body = models.requests[0].body
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert body["max_tokens"] == 123
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}


async def test_much_room_for_an_answer_needs_no_stream(models: SandboxModels, anthropic: Anthropic) -> None:
    assert (await asked(anthropic, room=64_000)).text


async def test_a_cut_answer_is_not_taken_for_a_short_one(models: SandboxModels, anthropic: Anthropic) -> None:
    models.fault("cut")
    with pytest.raises(AnswerCut, match="cut") as caught:
        await asked(anthropic)
    assert caught.value.spent
    assert caught.value.spent.output_tokens > 0


async def test_an_empty_answer_is_a_failure(models: SandboxModels, anthropic: Anthropic) -> None:
    models.fault("empty")
    with pytest.raises(AnswerUnreadable, match="empty"):
        await asked(anthropic)


async def test_a_refusal_is_about_this_prompt_only(models: SandboxModels, anthropic: Anthropic) -> None:
    models.fault("refusal")
    with pytest.raises(ContentRefused):
        await asked(anthropic)


async def test_a_prompt_that_is_too_long_is_told_apart_from_a_wrong_one(models: SandboxModels, anthropic: Anthropic) -> None:
    models.context_tokens = 100
    with pytest.raises(PromptTooLong, match="claude-sonnet-5-5"):
        await asked(anthropic)


@pytest.mark.parametrize(("fault", "because"), [("hang", "no answer within"), ("broken_body", "transit"), ("lose", "reached")])
async def test_what_breaks_on_the_way_may_work_later(
    models: SandboxModels, anthropic: Anthropic, fault: str, because: str
) -> None:
    models.fault(fault)
    with pytest.raises(ProviderBusy, match=because):
        await asked(anthropic, timeout=0.3)
    assert (await asked(anthropic)).text


async def test_it_does_not_retry_by_itself(models: SandboxModels, anthropic: Anthropic) -> None:
    models.fault("529", 5, seconds=0)
    with pytest.raises(ProviderBusy):
        await asked(anthropic)
    assert len(models.requests) == 1


async def test_the_key_that_it_was_given_is_the_one_it_sends(models: SandboxModels, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would also take another account's token from the environment."""
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another-account")
    async with httpx2.AsyncClient() as client:
        provider = Anthropic("sk-ant-test", "claude-sonnet-5-5", models.anthropic_base_url, client)
    assert provider._client.auth_token is None


async def test_its_key_is_not_in_its_repr(anthropic: Anthropic) -> None:
    assert repr(anthropic) == "Anthropic('claude-sonnet-5-5')"
