"""The embedder that the settings name: where its texts go, with which key, and what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.checkups.checkup import State
from bot.checkups.embeddings import embeddings
from bot.embedders import embedders
from bot.settings import ModelSettings, Settings, parse_settings, read_model_settings
from review.context.embedders import EMBEDDERS
from review.context.embedders.embedder import Embedder
from review.errors import UserError
from tests.sandbox.models import SandboxModels

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("alone")]

ROOT = Path(__file__).parents[2]
KEY = "sk-an-unmistakable-key"


def settings(**given: object) -> ModelSettings:
    return read_model_settings(**given)


async def current(given: ModelSettings) -> Embedder:
    async with embedders(given) as found:
        return found.current


def test_the_setting_and_the_table_name_the_same_embedders() -> None:
    assert Settings.model_fields["embedder"].annotation.__args__ == tuple(EMBEDDERS)  # type: ignore[union-attr]


async def test_without_any_setting_nothing_leaves_the_machine() -> None:
    embedder = await current(settings(openai_api_key=KEY))
    assert (embedder.name.partition("/")[0], embedder.remote) == ("hashing", False)


async def test_openai_needs_a_key_and_says_which() -> None:
    with pytest.raises(UserError, match="set EMBEDDING_API_KEY"):
        await current(settings(embedder="openai"))


async def test_texts_go_to_the_address_that_is_set_with_the_models_key(models: SandboxModels) -> None:
    given = settings(embedder="openai", openai_api_key=KEY, openai_base_url=models.openai_base_url, embedding_dimensions=256)
    async with embedders(given) as found:
        assert (await found.current.embed(["x"])).shape == (1, 256)
    assert found.current.name == "openai/text-embedding-3-small/256"
    assert [request.path for request in models.requests] == ["/v1/embeddings"]


async def test_openais_key_goes_to_no_other_server() -> None:
    with pytest.raises(UserError, match="EMBEDDING_API_KEY"):
        await current(settings(embedder="openai", openai_api_key=KEY, embedding_base_url="http://127.0.0.1:1/v1"))


async def test_what_made_older_vectors_is_found_by_its_name(models: SandboxModels) -> None:
    given = settings(embedding_api_key="any", embedding_base_url=models.openai_base_url)
    async with embedders(given) as found:
        assert found.named(found.current.name) is found.current
        older = found.named("openai/BAAI/bge-base/768")
        assert older is not None and (older.name, older.dimensions) == ("openai/BAAI/bge-base/768", 768)
        await older.embed(["x"])
        for gone in ("", "hashing/0/384", "openai/x", "openai//3", "openai/x/many", "sentence-transformers/x/3"):
            assert found.named(gone) is None
    assert models.requests[0].body["model"] == "BAAI/bge-base"


async def test_hashing_is_found_beside_another_and_openai_only_with_a_key() -> None:
    async with embedders(settings(embedder="openai", openai_api_key=KEY)) as found:
        assert found.named((await current(settings())).name) is not None
        assert KEY not in repr(found)
    async with embedders(settings()) as found:
        assert found.named("openai/text-embedding-3-small/384") is None


async def test_a_model_in_a_folder_needs_the_folder() -> None:
    with pytest.raises(UserError, match="set EMBEDDING_PATH"):
        await current(settings(embedder="sentence-transformers"))


def test_no_sdk_is_imported_before_it_is_needed() -> None:
    program = (
        "import asyncio, sys; from bot.embedders import embedders; from bot.settings import ModelSettings\n"
        "async def go():\n"
        "    async with embedders(ModelSettings(embedder='openai', embedding_api_key='x')) as found:\n"
        "        print(found.current.name, {'openai', 'sentence_transformers'} & sys.modules.keys())\n"
        "asyncio.run(go())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "openai/text-embedding-3-small/384 set()"


async def test_the_doctor_tries_the_embedder(models: SandboxModels) -> None:
    (line,) = await embeddings(parse_settings())
    assert (line.state, line.sentence) == (State.OK, f"{(await current(settings())).name}, on this machine.")
    given = parse_settings(embedder="openai", embedding_api_key=KEY, embedding_base_url=models.openai_base_url)
    (line,) = await embeddings(given)
    assert (line.state, models.openai_base_url in line.sentence) == (State.OK, True)
    models.fault("401")
    (line,) = await embeddings(given)
    assert line.state is State.WRONG
    assert "the API key was not accepted" in line.sentence and KEY not in line.sentence


@pytest.mark.parametrize(
    ("embedder", "advice"), [("openai", "set EMBEDDING_API_KEY"), ("sentence-transformers", "set EMBEDDING_PATH")]
)
async def test_the_doctor_says_what_an_embedder_lacks(embedder: str, advice: str) -> None:
    (line,) = await embeddings(parse_settings(embedder=embedder))
    assert (line.state, advice in line.sentence) == (State.WRONG, True)
