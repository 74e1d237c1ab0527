"""The index in memory answers as a search through all files would, after files came and went."""

import time

import numpy as np
import pytest

from review.context.embedders.hashing import Hashing
from review.context.memory import AT_ONCE, NO_TIME, MemoryIndex, Parsed, Vectors, _parsed, memory_index
from review.context.parse import parse
from tests.builders_context import DictTree
from tests.builders_index import an_index

pytestmark = pytest.mark.unit

FILES = {
    "src/url.py": "def parse_url(text):\n    return split(text)\n",
    "src/split.py": "def split(text):\n    return text.split()\n",
    "tests/test_url.py": "from src.url import parse_url\n\ndef test_it():\n    assert parse_url('a')\n",
    "other/Url.java": "class Url { int split; }\n",
}


async def held(index: MemoryIndex, word: str) -> dict[str, int]:
    holders = (await index.holding([word])).get(word)
    if holders is None:
        return {}
    paths = {file.id: file.path for file in await index.files([int(one) for one in holders.files])}
    return {paths[int(file)]: int(count) for file, count in zip(holders.files, holders.counts, strict=True)}


async def test_every_word_is_held_by_the_files_in_which_it_stands() -> None:
    index = an_index(FILES)
    parsed = {path: parse(path, text.encode()) for path, text in FILES.items()}
    for word in {word for one in parsed.values() for word in one.words}:
        assert await held(index, word) == {path: one.words[word] for path, one in parsed.items() if word in one.words}


async def test_names_tell_who_defines_and_who_uses_them() -> None:
    index = an_index(FILES)
    named = (await index.named(["split", "nowhere"]))["split"]
    defining = {file.path for file in await index.files([int(one) for one in named.defined_in])}
    using = {file.path for file in await index.files([int(one) for one in named.used_in])}
    assert "src/split.py" in defining
    assert "src/url.py" in using
    assert list(await index.named(["nowhere"])) == []


async def test_a_dropped_file_leaves_nothing_and_a_put_one_takes_the_place_of_the_older() -> None:
    index = an_index(FILES)
    index.drop("src/url.py")
    index.put("src/split.py", "new", parse("src/split.py", b"def divide(text):\n    return 1\n"))
    assert await held(index, "split") == {"other/Url.java": 1}
    assert await held(index, "divide") == {"src/split.py": 1}
    totals = await index.totals()
    assert totals.files == 3
    assert totals.words == sum([file.length for file in await index.at([*FILES])])


async def test_files_beside_are_those_of_the_folder_and_of_the_stem() -> None:
    beside = {file.path for file in await an_index(FILES).beside(["src/url.py"], 10)}
    assert beside == {"src/url.py", "src/split.py", "tests/test_url.py", "other/Url.java"}
    assert len(await an_index(FILES).beside(["src/url.py"], 1)) < 4


async def test_the_history_is_numbered_from_the_oldest() -> None:
    index = an_index(FILES, [["a", "b"], ["b"], ["a", "c"]])
    assert {path: list(numbers) for path, numbers in (await index.touched(["a", "b", "z"])).items()} == {
        "a": [1, 3],
        "b": [1, 2],
    }
    assert await index.changesets([1, 3, 4]) == {1: ("a", "b"), 3: ("a", "c")}
    assert (await index.totals()).changesets == 3


async def test_the_nearest_chunks_are_those_of_the_largest_cosine() -> None:
    index, embedder = an_index(FILES), Hashing()
    assert await index.embedded_by() == ""
    await index.embed(embedder, Vectors())
    vector = (await embedder.embed(["def split(text): return text.split()"]))[0]
    found = await index.nearest(vector, 2)
    assert [file.path for file in await index.files([found[0].file])] == ["src/split.py"]
    assert found[0].similarity >= found[1].similarity
    assert np.isclose(np.linalg.norm(vector), 1.0)
    assert await index.embedded_by() == embedder.name


async def test_an_index_that_is_full_takes_no_more_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.context.memory.MOST_ENTRIES", AT_ONCE)
    tree = DictTree({f"src/f{number:03}.py": f"name_{number} = other_{number}\n" for number in range(3 * AT_ONCE)})
    index = await memory_index(tree, changesets=0, deadline=float("inf"))
    assert sorted(index.paths()) == [f"src/f{number:03}.py" for number in range(AT_ONCE)]


async def test_an_index_that_holds_much_text_takes_no_more_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.context.memory.MOST_TEXT", AT_ONCE)
    tree = DictTree({f"src/f{number:03}.py": "a = 1\n" for number in range(3 * AT_ONCE)})
    index = await memory_index(tree, changesets=0, deadline=float("inf"))
    assert len(index.paths()) == AT_ONCE
    for path in index.paths():
        index.drop(path)
    assert not index.full


def test_after_the_deadline_files_are_cut_by_lines() -> None:
    wanted = {("blob", "python"): ("src/url.py", FILES["src/url.py"].encode())}
    assert [one.note for one in _parsed(wanted, time.monotonic() - 1).values()] == [NO_TIME]
    assert [one.note for one in _parsed(wanted, time.monotonic() + 60).values()] == [""]


async def test_what_was_cut_by_lines_for_want_of_time_is_not_kept_for_other_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Parsed()
    monkeypatch.setattr("review.context.memory._parsed", lambda wanted, _deadline: _parsed(wanted, time.monotonic() - 1))
    index = await memory_index(DictTree(FILES), changesets=0, deadline=float("inf"), parsed=known)
    assert set(index.paths()) == set(FILES)
    assert not known
