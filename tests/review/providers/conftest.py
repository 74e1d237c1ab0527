"""Both providers, asking the sandbox's model server."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from review.models.answer_schema import ANSWER_SCHEMA
from review.providers import Anthropic, OpenAI
from review.providers.provider import Answer, Prompt, Provider
from tests.sandbox.models import SandboxModels

LONG_PREFIX = Prompt("You review code. " * 300, "the change")


@pytest.fixture
async def openai(models: SandboxModels) -> AsyncIterator[OpenAI]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield OpenAI("sk-test", "gpt-5.1", models.openai_base_url, client)


@pytest.fixture
async def anthropic(models: SandboxModels) -> AsyncIterator[Anthropic]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield Anthropic("sk-ant-test", "claude-sonnet-5-5", models.anthropic_base_url, client)


async def asked(provider: Provider, prompt: Prompt = LONG_PREFIX, *, room: int = 1_000, timeout: float = 5) -> Answer:
    """One question in the form that a review asks."""
    return await provider.ask(prompt, ANSWER_SCHEMA, max_tokens=room, timeout=timeout)
