"""From a change to the places that it is shown with: the index proposes, the base commit decides, vectors may fail."""

import numpy as np
import pytest
from numpy.typing import NDArray

from review.context.embedders.embedder import EmbedderFailed
from review.context.memory import MemoryIndex
from review.context.parse import parse
from review.context.query import query_of
from review.context.retrieve import Retriever
from tests.builders_context import DictTree, an_index, blob_of
from tests.builders_models import a_diff, as_bytes

pytestmark = pytest.mark.unit

BASE = {
    "client.py": "def fetch_page(url):\n    return url\n",
    "download.py": "def download(urls):\n    return [fetch_page(url) for url in urls]\n",
    "retry.py": "def retry_slowly(call):\n    return call()\n",
}
DIFF = a_diff(BASE, {**BASE, "client.py": "def fetch_page(url):\n    return retry_slowly(lambda: url)\n"})
QUERY = query_of(DIFF, as_bytes(BASE))


class Embedded(MemoryIndex):
    """An index that has vectors of an embedder."""

    async def embedded_by(self) -> str:
        return "failing/2"


class Failing:
    """An embedder whose provider is away."""

    name, dimensions, remote = "failing/2", 2, False

    async def embed(self, texts: object) -> NDArray[np.float32]:
        raise EmbedderFailed("openai: no answer")


async def test_files_are_ranked_and_their_places_shown_as_they_are_at_the_base() -> None:
    newer = {**BASE, "retry.py": "import time\n\n\ndef retry_slowly(call):\n    time.sleep(1)\n"}
    found = await Retriever(an_index(newer), DictTree(BASE)).retrieve(QUERY, DIFF, budget_tokens=1_000)
    assert {file.path for file in found.files} == {"download.py", "retry.py"}
    assert {place.path: place.text for place in found.places} == {
        path: BASE[path].rstrip("\n") for path in ("download.py", "retry.py")
    }
    assert found.without == ("history", "vectors")


async def test_an_embedder_that_fails_costs_the_vectors_alone() -> None:
    index = Embedded()
    for path, text in BASE.items():
        index.put(path, blob_of(text), parse(path, text.encode()))
    found = await Retriever(index, None, lambda _name: Failing()).retrieve(QUERY, DIFF, budget_tokens=1_000)
    assert {place.path for place in found.places} == {"download.py", "retry.py"}
    assert "vectors" in found.without


async def test_without_a_budget_the_files_are_ranked_all_the_same() -> None:
    found = await Retriever(an_index(BASE), DictTree(BASE)).retrieve(QUERY, DIFF, budget_tokens=0)
    assert (len(found.files), found.places) == (2, ())


async def test_no_place_comes_from_a_file_whose_own_change_is_not_seen() -> None:
    retriever = Retriever(an_index(BASE), DictTree(BASE))
    found = await retriever.retrieve(QUERY, DIFF, budget_tokens=1_000, without=frozenset({"retry.py"}))
    assert {place.path for place in found.places} == {"download.py"}
