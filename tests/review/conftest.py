"""The two providers of a review, on the sandbox's model server."""

from collections.abc import AsyncIterator

import pytest

from review.providers import Anthropic, OpenAI
from review.providers.provider import Provider
from tests.review.asking import CLAIM
from tests.sandbox.models import SandboxModels


@pytest.fixture
async def providers(models: SandboxModels) -> AsyncIterator[tuple[Provider, ...]]:
    """OpenAI first and Anthropic behind it, on a model server that finds CLAIM in everything."""
    models.answer(findings=[CLAIM])
    both = (
        OpenAI("sk-test", "gpt-5.1", models.openai_base_url),
        Anthropic("sk-ant-test", "claude-sonnet-5-5", models.anthropic_base_url),
    )
    yield both
    for provider in both:
        await provider.close()
