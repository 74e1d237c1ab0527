"""The two providers of a review, on the sandbox's model server."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from review.providers import Anthropic, OpenAI
from review.providers.provider import Provider
from tests.review.asking import CLAIM
from tests.sandbox.models import SandboxModels


@pytest.fixture
async def providers(models: SandboxModels) -> AsyncIterator[tuple[Provider, ...]]:
    """OpenAI first and Anthropic behind it, on a model server that finds CLAIM in everything."""
    models.answer(findings=[CLAIM])
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield (
            OpenAI("sk-test", "gpt-5.1", models.openai_base_url, client),
            Anthropic("sk-ant-test", "claude-sonnet-5-5", models.anthropic_base_url, client),
        )
