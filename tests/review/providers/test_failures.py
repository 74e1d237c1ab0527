"""A provider's failed answer, in our own words: what helps is in the type, and no secret is in the text."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from review.providers import Anthropic, OpenAI
from review.providers.failures import failure, retry_after
from review.providers.provider import ContentRefused, PromptTooLong, ProviderBusy, ProviderError, ProviderRefused
from tests.review.providers.conftest import asked
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration

SERVED = [
    ("429", ProviderBusy, "rate limited"),
    ("quota", ProviderRefused, "no quota left"),
    ("401", ProviderRefused, "key was not accepted"),
    ("404", ProviderRefused, "there is no model"),
    ("too_long", PromptTooLong, "too long"),
    ("500", ProviderBusy, "overloaded or broken"),
    ("503", ProviderBusy, "overloaded or broken"),
    ("529", ProviderBusy, "overloaded or broken"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), SERVED)
async def test_both_providers_failures_mean_the_same(
    models: SandboxModels, openai: OpenAI, anthropic: Anthropic, fault: str, kind: type[ProviderError], words: str
) -> None:
    models.fault(fault, 2)
    for provider in (openai, anthropic):
        with pytest.raises(kind, match=words) as caught:
            await asked(provider)
        assert type(caught.value) is kind


async def test_a_rate_limit_says_when_to_come_back(models: SandboxModels, openai: OpenAI, anthropic: Anthropic) -> None:
    models.fault("429", 2, seconds=7)
    for provider in (openai, anthropic):
        with pytest.raises(ProviderBusy) as caught:
            await asked(provider)
        assert caught.value.after == 7


def test_the_providers_words_decide_and_are_never_shown() -> None:
    error = failure(401, "Incorrect API key provided: sk-abc123", {"x-request-id": "req_1"}, "gpt-5.1")
    assert str(error) == "the API key was not accepted (401, request req_1)"


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "billing_error Your credit balance is too low", ProviderRefused),
        (402, "", ProviderRefused),
        (429, "insufficient_quota", ProviderRefused),
        (400, "content_filter", ContentRefused),
        (400, "context_length_exceeded", PromptTooLong),
        (413, "request_too_large", PromptTooLong),
        (400, "invalid_request_error unknown field", ProviderRefused),
        (408, "", ProviderBusy),
        (409, "", ProviderBusy),
        (418, "", ProviderRefused),
        (504, "", ProviderBusy),
    ],
)
def test_each_status_has_its_remedy(status: int, words: str, kind: type[ProviderError]) -> None:
    assert type(failure(status, words, {}, "m")) is kind


def test_a_request_id_that_is_no_id_is_not_shown() -> None:
    assert str(failure(500, "", {"request-id": "a\nb"}, "m")) == "overloaded or broken (500)"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_wait_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_is_a_wait_until_then() -> None:
    at = datetime.now(UTC) + timedelta(seconds=60)
    assert 55 < (retry_after({"retry-after": format_datetime(at, usegmt=True)}) or 0) <= 60


def test_what_was_imported_beforehand_is_all_that_a_question_needs() -> None:
    """The SDKs take seconds to import; a question must not wait for any part of them. Only a new process can tell."""
    done = subprocess.run([sys.executable, "-c", PRELOADED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["ProviderBusy", "ProviderBusy", "set()"]


PRELOADED = """
import asyncio, sys
import httpx2
from review.providers import PROVIDERS, preload
from review.providers.provider import Prompt, ProviderError

def loaded():
    return {name for name in sys.modules if name.split(".")[0] in ("openai", "anthropic")}

async def ask(kind):
    async with httpx2.AsyncClient() as client:
        try:
            provider = kind("key", "model", "http://127.0.0.1:9", client)
            await provider.ask(Prompt("s", "u"), {}, max_tokens=64_000, timeout=5)
        except ProviderError as error:
            print(type(error).__name__)

preload()
before = loaded()
for kind in PROVIDERS:
    asyncio.run(ask(kind))
print(loaded() - before)
"""
