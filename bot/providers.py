"""The models that the settings name, ready to be asked, and the way out to them."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from bot.settings import ModelSettings
from review.errors import UserError
from review.providers.provider import Provider

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
    keys = {"openai": settings.openai_api_key, "anthropic": settings.anthropic_api_key}
    return tuple(name for name in settings.model_providers if keys[name].get_secret_value())


def why_no_models(settings: ModelSettings) -> str:
    """The sentence for reviews that no model looks at, or an empty string where some can be asked."""
    return "" if names(settings) else NO_KEY


@asynccontextmanager
async def providers(settings: ModelSettings) -> AsyncIterator[tuple[Provider, ...]]:
    """The models to ask, first one first; their connections close with the block. None where no key is set.

    Importing an SDK takes 1 to 6 s: a process that waits for work calls `review.providers.preload` before. Raises UserError
    when SSL_CERT_FILE cannot be read.
    """
    async with AsyncExitStack() as stack:
        made = [await _provider(name, settings, stack) for name in names(settings)]
        yield tuple(made)


async def _provider(name: str, settings: ModelSettings, stack: AsyncExitStack) -> Provider:
    if name == "openai":
        from review.providers.openai import BASE_URL, OpenAI

        url = settings.openai_base_url or BASE_URL
        client = await stack.enter_async_context(http_client(url, settings))
        return OpenAI(settings.openai_api_key.get_secret_value(), settings.openai_model, url, client)
    from review.providers.anthropic import BASE_URL as ANTHROPIC_URL
    from review.providers.anthropic import Anthropic

    url = settings.anthropic_base_url or ANTHROPIC_URL
    client = await stack.enter_async_context(http_client(url, settings))
    return Anthropic(settings.anthropic_api_key.get_secret_value(), settings.anthropic_model, url, client)


def http_client(url: str, settings: ModelSettings) -> "httpx2.AsyncClient":
    """A client for that address: through HTTPS_PROXY where NO_PROXY does not name the host, trusting SSL_CERT_FILE."""
    import httpx2

    parts = urlsplit(url)
    through = settings.https_proxy if parts.scheme == "https" and not proxy_bypass(parts.hostname or "") else ""
    return httpx2.AsyncClient(
        proxy=through or None,
        verify=_trusted(parts.scheme, settings.ssl_cert_file),
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        trust_env=False,
        follow_redirects=False,
    )


def _trusted(scheme: str, ca_file: str) -> ssl.SSLContext | bool:
    """Whose certificates count. Plain http needs none, and reading the system's takes 30 ms."""
    if scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise UserError(f"SSL_CERT_FILE: {ca_file} cannot be read as certificates ({error.strerror}).") from error
