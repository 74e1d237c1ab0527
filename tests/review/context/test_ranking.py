"""The files that belong to a change come first, each with the reason that a person would give."""

import numpy as np
import pytest

from review.context.embedders.hashing import Hashing
from review.context.features import features
from review.context.memory import Vectors
from review.context.query import Query, query_of
from review.context.ranking import Candidate, Source, rank, why
from review.context.signals import gather
from review.context.trees import ranking_model
from tests.builders_diff import a_diff
from tests.builders_index import an_index

pytestmark = pytest.mark.unit

FETCH = "def fetch_page(address):\n    return open_socket(address)\n"
FILES = {
    "app/fetch.py": FETCH,
    "app/socket_pool.py": "def open_socket(address):\n    return None\n",
    "app/crawl.py": "from app.fetch import fetch_page\n\n\ndef crawl(pages):\n    return [fetch_page(one) for one in pages]\n",
    "tests/test_fetch.py": "from app.fetch import fetch_page\n\n\ndef test_fetch_page():\n    assert fetch_page('a') is None\n",
    "app/mirror.py": "class Mirror:\n    def fetch_page(self, address):\n        return self.kept[address]\n",
} | {f"lib/unrelated_{letter}.py": f"def {letter}{letter}(x):\n    return x + 1\n" for letter in "abcdefghijklmn"}
HISTORY = [["app/fetch.py", "docs/fetch.md"], *([["lib/unrelated_a.py", "app/fetch.py"]] * 4), ["lib/unrelated_b.py"]]


def change() -> Query:
    after = FETCH.replace("open_socket(address)", "open_socket(address, retry=True)")
    return query_of(a_diff("app/fetch.py", FETCH, after), {"app/fetch.py": FETCH.encode()})


async def ranked(changesets: list[list[str]] | None = None) -> dict[str, Candidate]:
    found = await rank(an_index(FILES, changesets or []), change(), None)
    return {candidate.file.path: candidate for candidate in found}


def sources(candidate: Candidate) -> dict[Source, tuple[str, ...]]:
    return {one.source: one.names for one in candidate.evidence}


async def test_the_caller_the_test_and_the_definition_come_before_the_unrelated() -> None:
    first = list(await ranked())[:4]
    assert set(first) == {"app/socket_pool.py", "app/crawl.py", "tests/test_fetch.py", "app/mirror.py"}


async def test_a_file_of_the_change_is_never_an_answer() -> None:
    assert "app/fetch.py" not in await ranked(HISTORY)


async def test_each_file_has_the_reasons_that_hold_for_it() -> None:
    found = await ranked(HISTORY)
    assert "open_socket" in sources(found["app/socket_pool.py"])[Source.DEFINES]
    assert sources(found["app/crawl.py"])[Source.USES] == ("fetch_page",)
    assert sources(found["app/mirror.py"])[Source.NAMESAKE] == ("fetch_page",)
    assert Source.TOGETHER in sources(found["lib/unrelated_a.py"])
    for candidate in found.values():
        weights = [one.weight for one in candidate.evidence]
        assert weights == sorted(weights, reverse=True)
        assert all(0 < weight <= 1 for weight in weights)


async def test_the_reasons_are_clauses_for_people() -> None:
    found = await ranked(HISTORY)
    assert "defines `open_socket`, which the change uses" in why(found["app/socket_pool.py"].evidence)
    assert "uses `fetch_page`, which the change alters" in why(found["app/crawl.py"].evidence)
    assert "changed together with `app/fetch.py` in 4 of its last 5 commits" in why(found["lib/unrelated_a.py"].evidence)
    assert why(()) == "belongs to the change by small signs only"


async def test_history_brings_up_what_nothing_else_does() -> None:
    without, having = list(await ranked()), list(await ranked(HISTORY))
    assert having.index("lib/unrelated_a.py") < 5
    assert "lib/unrelated_a.py" not in without or without.index("lib/unrelated_a.py") >= 4


async def test_a_source_with_nothing_to_ask_is_unknown_and_all_else_is_a_number() -> None:
    signals = await gather(an_index(FILES), change(), None)
    unknown = {name for name, values in features(change(), signals).items() if np.isnan(values).any()}
    assert unknown
    assert all(name.startswith(("together_", "own_", "similar")) for name in unknown)
    index = an_index(FILES, HISTORY)
    await index.embed(Hashing(), Vectors())
    complete = await gather(index, change(), (await Hashing().embed([change().text]))[0])
    columns = features(change(), complete)
    assert all(np.isfinite(values).all() and len(values) == len(complete.files) for values in columns.values())


async def test_every_feature_that_the_model_asks_for_is_made() -> None:
    columns = features(change(), await gather(an_index(FILES, HISTORY), change(), None))
    assert set(ranking_model().features) <= columns.keys()


async def test_vectors_take_part_where_the_embedder_is_at_hand() -> None:
    index = an_index(FILES)
    await index.embed(Hashing(), Vectors())
    found = await rank(index, change(), Hashing())
    assert any(one.source is Source.SIMILAR for candidate in found for one in candidate.evidence)


async def test_an_empty_index_and_an_empty_change_have_no_answer() -> None:
    assert await rank(an_index({}), change(), None) == []
    assert await rank(an_index(FILES), query_of(a_diff("a.bin", "", ""), {}), None) == []
