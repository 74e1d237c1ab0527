"""The models that the settings name: which ones, in which order, and the way out to them."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.providers import http_client, providers, why_no_models
from bot.settings import ModelSettings, read_model_settings
from review.errors import UserError
from review.providers.provider import Answer, Prompt, Provider, ProviderBusy
from tests.certificates import a_certificate
from tests.sandbox.models import SandboxModels

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("alone")]

ROOT = Path(__file__).parents[2]
SCHEMA = {
    "type": "object",
    "properties": {"findings": {"type": "array", "items": {"type": "string"}}},
    "required": ["findings"],
    "additionalProperties": False,
}
KEYS = {"openai_api_key": "sk-one", "anthropic_api_key": "sk-two"}


def settings(**given: object) -> ModelSettings:
    return read_model_settings(**given)


async def asked(provider: Provider) -> Answer:
    return await provider.ask(Prompt("You review.", "x = 1"), SCHEMA, max_tokens=100, timeout=10)


async def test_without_a_key_there_are_none_and_the_reason_names_the_keys() -> None:
    async with providers(settings()) as found:
        assert found == ()
    assert "OPENAI_API_KEY" in why_no_models(settings()) and "ANTHROPIC_API_KEY" in why_no_models(settings())


async def test_a_key_of_a_provider_that_is_not_to_be_asked_counts_for_nothing() -> None:
    given = settings(openai_api_key="sk-one", model_providers="anthropic")
    async with providers(given) as found:
        assert found == ()
    assert "MODEL_PROVIDERS" in why_no_models(given)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (KEYS, ["openai", "anthropic"]),
        (KEYS | {"model_providers": "anthropic,openai"}, ["anthropic", "openai"]),
        ({"anthropic_api_key": "sk-two"}, ["anthropic"]),
    ],
)
async def test_those_with_a_key_are_asked_in_the_order_given(given: dict[str, str], names: list[str]) -> None:
    async with providers(settings(**given)) as found:
        assert [provider.name for provider in found] == names
    assert why_no_models(settings(**given)) == ""


async def test_each_asks_its_own_address_with_its_own_model(models: SandboxModels) -> None:
    given = KEYS | {
        "openai_base_url": models.openai_base_url, "openai_model": "model-one",
        "anthropic_base_url": models.anthropic_base_url, "anthropic_model": "model-two",
    }  # fmt: skip
    async with providers(settings(**given)) as found:
        assert [(await asked(provider)).text for provider in found] == ['{"findings": []}'] * 2
    assert [(request.provider, request.body["model"]) for request in models.requests] == [
        ("openai", "model-one"),
        ("anthropic", "model-two"),
    ]


def test_the_sdk_of_a_fallback_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import asyncio, sys; from bot.providers import providers; from bot.settings import ModelSettings\n"
        "async def go():\n"
        "    async with providers(ModelSettings(openai_api_key='x', anthropic_api_key='y')) as found:\n"
        "        print(len(found), 'anthropic' in sys.modules, 'openai' in sys.modules)\n"
        "asyncio.run(go())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "2 False False"


async def test_connections_close_with_the_block(models: SandboxModels) -> None:
    async with providers(settings(**KEYS, openai_base_url=models.openai_base_url)) as (provider, _):
        await asked(provider)
    with pytest.raises((RuntimeError, ProviderBusy)):
        await asked(provider)


@asynccontextmanager
async def serving(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A server on loopback; gives its port."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def a_proxy() -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that lets nobody through; gives its address and where it was asked to go."""
    heard: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        heard.append(request.split(b"\r\n")[0].decode())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with serving(refuse) as port:
        yield f"http://127.0.0.1:{port}", heard


async def test_https_goes_through_the_proxy_and_no_further_when_it_refuses() -> None:
    async with a_proxy() as (address, heard):
        given = settings(openai_api_key="sk-one", openai_base_url="https://models.example/v1", https_proxy=address)
        async with providers(given) as (provider,):
            with pytest.raises(ProviderBusy):
                await asked(provider)
    assert heard == ["CONNECT models.example:443 HTTP/1.1"]


async def test_a_server_on_the_private_network_is_asked_directly(models: SandboxModels) -> None:
    async with a_proxy() as (address, heard):
        given = settings(openai_api_key="sk-one", openai_base_url=models.openai_base_url, https_proxy=address)
        async with providers(given) as (provider,):
            await asked(provider)
    assert heard == []


async def test_no_proxy_names_hosts_that_are_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with a_proxy() as (address, heard):
        given = settings(openai_api_key="sk-one", openai_base_url="https://127.0.0.1:1/v1", https_proxy=address)
        async with providers(given) as (provider,):
            with pytest.raises(ProviderBusy):
                await asked(provider)
    assert heard == []


async def test_a_companys_own_certificates_are_trusted_where_they_are_named(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        writer.close()

    async with serving(greet, context) as port:
        url = f"https://127.0.0.1:{port}/"
        async with http_client(url, settings(ssl_cert_file=str(certificate))) as client:
            assert (await client.get(url)).text == "hi"
        async with http_client(url, settings()) as client:
            with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(url)


async def test_certificates_that_cannot_be_read_are_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.pem", tmp_path):
        with pytest.raises(UserError, match=r"SSL_CERT_FILE: .* cannot be read as certificates"):
            async with providers(settings(openai_api_key="sk-one", ssl_cert_file=str(path))):
                pass
