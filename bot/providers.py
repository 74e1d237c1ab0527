"""The models that the settings name, ready to be asked, and the way out to them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bot.settings import ModelSettings
from bot.way_out import proxy_to, trusted_at
from review.providers import anthropic, openai
from review.providers.anthropic import Anthropic
from review.providers.openai import OpenAI
from review.providers.provider import Answer, Prompt, Provider

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
"""How long a connection may take; each question brings a time of its own for the answer."""

NO_KEY = (
    "No model looked at this change: neither OPENAI_API_KEY nor ANTHROPIC_API_KEY is set for a provider in MODEL_PROVIDERS. "
    "The analyzers alone did."
)


def names(settings: ModelSettings) -> tuple[str, ...]:
    """The providers that can be asked, in the order of MODEL_PROVIDERS: those with a key."""
    return tuple(wanted.kind.name for wanted in _wanted(settings))


def why_no_models(settings: ModelSettings) -> str:
    """The sentence for reviews that no model looks at, or an empty string where some can be asked."""
    return "" if names(settings) else NO_KEY


@asynccontextmanager
async def providers(settings: ModelSettings) -> AsyncIterator[tuple[Provider, ...]]:
    """The models to ask, first one first; their connections close with the block. None where no key is set.

    Raises UserError when SSL_CERT_FILE cannot be read.
    """
    async with AsyncExitStack() as stack:
        made: list[Provider] = []
        for wanted in _wanted(settings):
            client = await stack.enter_async_context(http_client(wanted.url, settings))
            made.append(Later(wanted.kind.name, wanted.model, wanted, client))
        yield tuple(made)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One provider as the settings have it."""

    kind: type[OpenAI] | type[Anthropic]
    key: SecretStr
    model: str
    url: str


def _wanted(settings: ModelSettings) -> list[Wanted]:
    known = {
        "openai": Wanted(OpenAI, settings.openai_api_key, settings.openai_model, settings.openai_base_url or openai.BASE_URL),
        "anthropic": Wanted(
            Anthropic, settings.anthropic_api_key, settings.anthropic_model, settings.anthropic_base_url or anthropic.BASE_URL
        ),
    }
    return [known[name] for name in settings.model_providers if known[name].key.get_secret_value()]


@dataclass(slots=True)
class Later:
    """A provider that is made when it is first asked. Fulfils Provider.

    Its SDK takes 1 to 2 s to import, and the second provider is asked only when the first one fails. A process that waits
    for work calls `review.providers.preload` before.
    """

    name: str
    model: str
    wanted: Wanted = field(repr=False)
    client: "httpx2.AsyncClient" = field(repr=False)
    made: Provider | None = field(default=None, repr=False)

    async def ask(self, prompt: Prompt, schema: dict[str, Any], *, max_tokens: int, timeout: float) -> Answer:
        """See Provider."""
        if self.made is None:
            wanted = self.wanted
            self.made = wanted.kind(wanted.key.get_secret_value(), wanted.model, wanted.url, self.client)
        return await self.made.ask(prompt, schema, max_tokens=max_tokens, timeout=timeout)


def http_client(url: str, settings: ModelSettings) -> "httpx2.AsyncClient":
    """A client for that address: through HTTPS_PROXY where NO_PROXY does not name the host, trusting SSL_CERT_FILE."""
    import httpx2

    return httpx2.AsyncClient(
        proxy=proxy_to(url, settings.https_proxy) or None,
        verify=trusted_at(url, settings.ssl_cert_file),
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        trust_env=False,
        follow_redirects=False,
    )
