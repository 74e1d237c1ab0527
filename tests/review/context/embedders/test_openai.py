"""Vectors from OpenAI and from servers like it, by the real SDK: what is sent, what is believed, what is tried again."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import httpx2
import numpy as np
import pytest
import respx
from respx.mocks import HTTPCoreMocker

from review.context.embedders import openai as module
from review.context.embedders.embedder import EmbedderFailed
from review.context.embedders.openai import LONGEST_TEXT, MOST_BYTES, MOST_TEXTS, OpenAIEmbedder
from tests.builders_secrets import MADE_UP
from tests.sandbox.model_vectors import vector
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration

SECRET = MADE_UP["github-token"]
KEY = "sk-an-unmistakable-key"
ADDRESS = "https://vectors.example/v1"


class HTTPCore2Mocker(HTTPCoreMocker):
    """respx for the SDK's own fork of httpcore."""

    name = "httpcore2"
    targets: ClassVar = [target.replace("httpcore.", "httpcore2.") for target in HTTPCoreMocker.targets]


def embedder(
    client: httpx2.AsyncClient, url: str = ADDRESS, model: str = "text-embedding-3-small", dimensions: int = 384
) -> Any:
    return OpenAIEmbedder(KEY, model, dimensions, url, client)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as opened:
        yield opened


@pytest.fixture
def small(client: httpx2.AsyncClient, models: SandboxModels) -> OpenAIEmbedder:
    return embedder(client, models.openai_base_url)


@pytest.fixture
def answering(client: httpx2.AsyncClient) -> Any:
    """An embedder of three dimensions, and the route by which its server is told what to answer."""
    with respx.mock(using="httpcore2", base_url=ADDRESS) as mocked:
        yield embedder(client, model="local", dimensions=3), mocked.post("/embeddings")


def data(*vectors: Any) -> dict[str, Any]:
    return {"data": [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]}


async def test_each_text_has_its_row_of_unit_length(small: OpenAIEmbedder, models: SandboxModels) -> None:
    rows = await small.embed(["def load(): ...", "def save(): ..."])
    assert (rows.shape, rows.dtype) == ((2, 384), np.float32)
    assert np.allclose(rows, [vector("def load(): ...", 384), vector("def save(): ...", 384)], atol=1e-6)
    assert (small.name, small.dimensions, small.remote) == ("openai/text-embedding-3-small/384", 384, True)
    assert small.tokens == models.prompt_tokens + 1  # the server counts the two texts one by one


async def test_only_models_that_can_shorten_their_vectors_are_asked_to(
    client: httpx2.AsyncClient, small: OpenAIEmbedder, models: SandboxModels
) -> None:
    await small.embed(["x"])
    assert (await embedder(client, models.openai_base_url, "BAAI/bge-base", 768).embed(["x"])).shape == (1, 768)
    assert [request.body.get("dimensions") for request in models.requests] == [384, None]


async def test_a_model_of_other_dimensions_than_set_names_what_to_set(
    client: httpx2.AsyncClient, models: SandboxModels
) -> None:
    with pytest.raises(EmbedderFailed, match="`bge`: its vectors have 768 dimensions: set EMBEDDING_DIMENSIONS=768"):
        await embedder(client, models.openai_base_url, "bge").embed(["x"])


async def test_no_secret_leaves_the_house(small: OpenAIEmbedder, models: SandboxModels) -> None:
    await small.embed([f'TOKEN = "{SECRET}"'])
    assert SECRET not in models.requests[0].prompt
    assert "TOKEN = " in models.requests[0].prompt


async def test_blank_texts_are_not_sent_and_have_rows_of_zeros(small: OpenAIEmbedder, models: SandboxModels) -> None:
    rows = await small.embed(["", "code", " \n"])
    assert [bool(row.any()) for row in rows] == [False, True, False]
    assert models.requests[0].body["input"] == ["code"]
    assert (await small.embed(["", "\n"])).shape == (2, 384)
    assert (await small.embed([])).shape == (0, 384)
    assert len(models.requests) == 1


async def test_many_texts_go_in_several_requests_and_come_back_in_their_order(
    small: OpenAIEmbedder, models: SandboxModels
) -> None:
    texts = [f"text {number}" for number in range(2 * MOST_TEXTS + 3)] + ["long " * 4_000] * 20
    rows = await small.embed(texts)
    assert np.allclose(rows[[0, 300, -1]], [vector(texts[place].strip(), 384) for place in (0, 300)] + [rows[-2]], atol=1e-6)
    asked = [request.body["input"] for request in models.requests]
    assert len(asked) > 3 and sum(map(len, asked)) == len(texts)
    assert all(len(batch) <= MOST_TEXTS and sum(map(len, batch)) <= MOST_BYTES for batch in asked)


async def test_a_text_too_long_for_any_model_is_cut_in_whole_characters(small: OpenAIEmbedder, models: SandboxModels) -> None:
    await small.embed(["ü" * LONGEST_TEXT, "a lone \udcff surrogate"])
    cut, cleaned = models.requests[0].body["input"]
    assert cut == "ü" * (LONGEST_TEXT // 2)
    assert cleaned == "a lone ? surrogate"


async def test_what_the_model_finds_too_long_is_asked_in_parts(small: OpenAIEmbedder, models: SandboxModels) -> None:
    models.fault("too_long", 2)
    rows = await small.embed(["one " * 100, "two"])
    assert rows.any(axis=1).all()
    assert [len(request.body["input"]) for request in models.requests] == [2, 1, 1, 1]
    assert len(models.requests[2].body["input"][0]) < 250


async def test_a_busy_provider_is_asked_again_after_the_time_it_names(small: OpenAIEmbedder, models: SandboxModels) -> None:
    models.fault("429", seconds=0.2)
    models.fault("500")
    assert (await small.embed(["x"])).any()
    first, second, third = models.requests
    assert second.started - first.ended >= 0.2
    assert (second.status, third.status) == (500, 200)


async def test_one_that_stays_busy_is_given_up_with_a_sentence(
    small: OpenAIEmbedder, models: SandboxModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 2)
    models.fault("429", 99, seconds=0.01)
    with pytest.raises(EmbedderFailed, match=r"No vectors came from `text-embedding-3-small`: rate limited \(429"):
        await small.embed(["x"] * (MOST_TEXTS + 1))


async def test_a_wait_that_outlasts_the_time_is_not_waited(small: OpenAIEmbedder, models: SandboxModels) -> None:
    models.fault("429", seconds=1_000)
    with pytest.raises(EmbedderFailed, match="rate limited"):
        await small.embed(["x"])
    assert len(models.requests) == 1


@pytest.mark.parametrize(
    ("fault", "because"), [("401", "key was not accepted"), ("404", "no model"), ("quota", "no quota left")]
)
async def test_a_refusal_is_final_and_shows_no_key(
    small: OpenAIEmbedder, models: SandboxModels, fault: str, because: str
) -> None:
    models.fault(fault)
    with pytest.raises(EmbedderFailed, match=because) as caught:
        await small.embed(["x"])
    assert KEY not in str(caught.value) and KEY not in repr(small)
    assert len(models.requests) == 1


async def test_an_answer_with_fewer_vectors_than_texts_is_not_believed(small: OpenAIEmbedder, models: SandboxModels) -> None:
    models.fault("fewer")
    with pytest.raises(EmbedderFailed, match="not a vector for each of 2 texts"):
        await small.embed(["x", "y"])


@pytest.mark.parametrize("fault", ["broken_body", "lose"])
async def test_what_breaks_on_the_way_is_asked_again(small: OpenAIEmbedder, models: SandboxModels, fault: str) -> None:
    models.fault(fault)
    assert (await small.embed(["x"])).any()
    assert len(models.requests) == 2


async def test_a_silent_provider_is_given_up(
    small: OpenAIEmbedder, models: SandboxModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.3)
    models.fault("hang", 99)
    with pytest.raises(EmbedderFailed, match="no answer within"):
        await small.embed(["x"])


async def test_vectors_are_put_in_order_and_brought_to_unit_length(answering: Any) -> None:
    local, route = answering
    answer = data([0, 0, 5], [0, 3, 4])
    answer["data"].reverse()
    route.respond(json=answer)
    assert np.allclose(await local.embed(["x", "y"]), [[0, 0, 1], [0, 0.6, 0.8]])
    assert b'"encoding_format":"float"' in route.calls[0].request.content
    assert route.calls[0].request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "answer",
    [
        data([1, 0, 0]),
        data([1, 0, 0], [1, 0]),
        data([1, 0, 0], "AAAA"),
        data([1, 0, 0], None),
        data([1, 0, 0], [0, 0, 0]),
        data([1, 0, 0], [1, 0, float("inf")]),
        {"data": [{"index": 0, "embedding": [1, 0, 0]}] * 2},
        {"data": [{"embedding": [1, 0, 0]}] * 2},
        {"error": "no"},
        {},
    ],
)
async def test_an_answer_that_is_no_set_of_vectors_is_not_believed(answering: Any, answer: dict[str, Any]) -> None:
    local, route = answering
    route.respond(content=httpx2.Response(200, json=answer).content if "inf" not in str(answer) else INFINITE)
    with pytest.raises(EmbedderFailed, match="`local`: the answer"):
        await local.embed(["x", "y"])


INFINITE = b'{"data": [{"index": 0, "embedding": [1, 0, 0]}, {"index": 1, "embedding": [1, 0, 1e999]}]}'
