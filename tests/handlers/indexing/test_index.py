"""An index brought up to date: only what changed is read, what is gone is gone, and it is seen as a whole or not at all."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from handlers.host import Gone
from handlers.indexing import files, index
from handlers.indexing.index import Busy, NotIndexed
from handlers.indexing.work import Paused, Work
from review.context.embedders.embedder import EmbedderFailed
from review.errors import TryAgain
from storage.audit import Act
from storage.code.state import ClaimedIndex
from tests.builders import git
from tests.handlers.indexing.conftest import FILES, Embedders, Shop

pytestmark = pytest.mark.integration


def blob(shop: Shop, path: str) -> str:
    return git(shop.path, "rev-parse", f"main:{path}").decode().strip()


async def test_the_first_time_everything_is_indexed_and_the_outcome_has_the_figures(shop: Shop) -> None:
    indexed = await shop.index()
    assert shop.paths() == ["shop/cart.py", "shop/label.js", "shop/tax.py"]
    assert str(indexed).startswith(f"Indexed octo/shop at {shop.tip[:7]}: 3 files, ")
    assert "; 3 parsed; 2 skipped (" in str(indexed)
    state = await shop.state()
    assert state is not None
    assert (state.state, state.commit_sha, state.embedder) == ("ready", shop.tip, "hashing/1/384")
    assert shop.steps == ["fetch", "parse", "embed", "history", "publish"]


async def test_a_commit_that_is_indexed_already_costs_nothing(shop: Shop) -> None:
    await shop.index()
    again = await shop.index()
    assert (again.parsed, again.state.files) == (0, 3)
    assert shop.read_blobs == []
    assert shop.steps[-1] == "fetch"


async def test_after_a_push_only_what_changed_is_read_and_deleted_files_lose_their_rows(shop: Shop) -> None:
    await shop.index()
    shop.push({"shop/tax.py": "def add_tax(amount):\n    return amount\n", "shop/label.js": None, "more.py": "x = 1\n"})
    indexed = await shop.index()
    assert sorted(shop.read_blobs) == sorted([blob(shop, "shop/tax.py"), blob(shop, "more.py")])
    assert shop.paths() == ["more.py", "shop/cart.py", "shop/tax.py"]
    assert indexed.parsed == 2
    assert shop.sql("SELECT count(*) FROM code_blobs") == [(3,)]
    assert shop.sql("SELECT count(*) FROM code_chunks WHERE text LIKE '%trim%'") == [(0,)]


async def test_a_renamed_file_is_not_parsed_anew(shop: Shop) -> None:
    await shop.index()
    shop.push({"shop/tax.py": None, "shop/duty.py": "RATE = 0.2\n\n\ndef add_tax(amount):\n    return amount * (1 + RATE)\n"})
    assert (await shop.index()).parsed == 0
    assert shop.read_blobs == []
    assert "shop/duty.py" in shop.paths()


async def test_the_history_grows_with_each_push_and_is_replaced_when_it_was_rewritten(shop: Shop) -> None:
    shop.push({"shop/cart.py": "a = 1\n"})
    await shop.index()
    shop.push({"shop/tax.py": "b = 1\n"})
    await shop.index()
    assert shop.sql("SELECT array_agg(paths ORDER BY number) FROM code_changesets") == [([["shop/cart.py"], ["shop/tax.py"]],)]
    shop.push({"one.py": "a = 1\n"}, force=True)
    shop.push({"two.py": "b = 1\n"})
    await shop.index()
    assert shop.sql("SELECT paths FROM code_changesets") == [(["two.py"],)]
    assert shop.paths() == ["one.py", "two.py"]


async def test_bad_files_are_skipped_with_their_reasons_and_hold_nothing_up(shop: Shop) -> None:
    shop.push({
        "long.py": b"x = '" + b"a" * 50_000_000 + b"'\n",
        "binary.py": b"\x00\x01\x02" * 100,
        "latin.py": "naïve = 1\n".encode("latin-1"),
        "broken.py": "def (:\n  ]]]\n" * 50,
        "caf\udce9.py": "x = 1\n",
        "empty.py": "",
    })  # fmt: skip
    indexed = await shop.index()
    assert indexed.state.skipped[files.NO_PATH] == 1
    assert indexed.state.skipped[files.NOT_READ] == 1
    assert indexed.state.skipped["binary"] == 1
    assert {"latin.py", "broken.py"} <= set(shop.paths())
    assert "binary.py" not in shop.paths()


async def test_beyond_the_time_for_parsing_files_are_cut_by_lines(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PARSE_SECONDS", -1.0)
    await shop.index()
    assert shop.sql("SELECT DISTINCT note FROM code_blobs") == [(files.TOO_MUCH,)]
    assert shop.sql("SELECT DISTINCT kind FROM code_chunks") == [("lines",)]


async def test_work_that_pauses_goes_on_where_it_stopped_and_nothing_is_seen_before_its_end(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "READ_AT_ONCE", 1)

    async def at_once() -> str:
        return "Reviews went first."

    with pytest.raises(Paused, match=r"1 of 3 new files are kept\. Reviews went first\."):
        await shop.index(Work(why_pause=at_once))
    assert shop.paths() == []
    state = await shop.state()
    assert state is not None
    assert (state.state, state.commit_sha) == ("wanted", "")
    assert (await shop.index()).parsed == 2
    assert len(shop.paths()) == 3


async def test_progress_is_told(shop: Shop) -> None:
    told: list[tuple[str, int, int]] = []
    await shop.index(Work(on_progress=lambda step, done, of: told.append((step, done, of))))
    assert ("parse", 3, 3) in told
    assert told[-1] == ("publish", 0, 0)


class Broken:
    """An embedder whose provider is away; with `bears` texts it gives vectors before it fails."""

    name, dimensions, remote = "broken/1/8", 8, False

    def __init__(self, bears: int = 0) -> None:
        self.bears = bears

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.bears < len(texts):
            raise EmbedderFailed("The embedder is away.")
        self.bears -= len(texts)
        return np.eye(len(texts), 8, dtype=np.float32)


async def test_without_an_embedder_the_rest_is_published_and_the_vectors_come_later(shop: Shop) -> None:
    working = shop.embedders
    shop.embedders = Embedders(Broken())
    indexed = await shop.index()
    assert indexed.vectors.because == "The embedder is away."
    assert str(indexed).endswith("Some have no vectors yet: The embedder is away.")
    assert (len(shop.paths()), indexed.state.embedder) == (3, "")
    shop.embedders = working
    again = await shop.index()
    assert (again.parsed, again.vectors.because, again.state.embedder) == (0, "", "hashing/1/384")


async def test_after_a_change_of_model_the_old_vectors_serve_until_all_new_ones_are_there(shop: Shop) -> None:
    await shop.index()
    shop.embedders = Embedders(Broken())
    assert (await shop.index()).state.embedder == "hashing/1/384"
    shop.push({"more.py": "x = 1\n"})
    indexed = await shop.index()
    assert (indexed.state.embedder, "more.py" in shop.paths()) == ("hashing/1/384", True)
    shop.embedders = Embedders(Broken(bears=1000))
    assert (await shop.index()).state.embedder == "broken/1/8"
    assert shop.sql("SELECT DISTINCT model FROM code_vectors") == [("broken/1/8",)]


async def test_vectors_that_were_made_before_the_embedder_failed_are_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.indexing.vectors.EMBEDDED_AT_ONCE", 1)
    await shop.index()
    shop.embedders = Embedders(Broken(bears=1))
    await shop.index()
    shop.push({"more.py": "x = 1\n"})
    await shop.index()
    assert shop.sql("SELECT count(*) FROM code_vectors WHERE model = 'broken/1/8'") == [(1,)]


async def test_two_at_once_do_not_get_in_each_others_way(shop: Shop) -> None:
    tenant = await shop.tenant()
    claimed = await shop.code_indexes.claim(tenant)
    assert isinstance(claimed, ClaimedIndex)
    with pytest.raises(Busy):
        await shop.index()
    await shop.code_indexes.release(claimed)
    await shop.index()


async def test_whoever_lost_the_claim_gives_up_and_publishes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "BEAT_EVERY", 0.05)

    async def taken_over() -> None:
        shop.sql("UPDATE code_indexes SET tries = tries + 1 RETURNING 1")
        await asyncio.sleep(5)

    shop.on_branch = taken_over
    async with asyncio.timeout(4):
        with pytest.raises(TryAgain, match="took this index over"):
            await shop.index()
    assert shop.paths() == []


async def test_a_repository_that_is_taken_away_meanwhile_leaves_nothing(shop: Shop) -> None:
    tenant = await shop.tenant()

    async def uninstalled() -> None:
        await shop.code_indexes.forget(tenant.organization_id, tenant.repository_id)

    shop.on_branch = uninstalled
    with pytest.raises(Exception, match="taken over"):
        await shop.index()
    assert shop.sql("SELECT count(*) FROM code_blobs") == [(0,)]


async def test_what_is_gone_or_not_wanted_any_more_is_forgotten(shop: Shop) -> None:
    await shop.index()
    shop.push({".refactoriq.yml": "context: false\n"})
    with pytest.raises(NotIndexed, match=r"`context: false` in `\.refactoriq\.yml`"):
        await shop.index()
    assert shop.sql("SELECT (SELECT count(*) FROM code_indexes) + (SELECT count(*) FROM code_chunks)") == [(0,)]
    shop.push({".refactoriq.yml": None})
    await shop.index()
    assert len(shop.paths()) == 3

    async def gone() -> None:
        raise Gone("octo/shop is not there.")

    shop.on_branch = gone
    with pytest.raises(NotIndexed, match="octo/shop is not there"):
        await shop.index()
    assert shop.paths() == []


async def test_of_one_file_only_so_many_copies_are_indexed(shop: Shop) -> None:
    shop.push({f"copy{n:03}.py": "x = 1\n" for n in range(files.MOST_COPIES + 7)})
    indexed = await shop.index()
    assert indexed.state.skipped[files.MANY_COPIES] == 7
    assert len([path for path in shop.paths() if path.startswith("copy")]) == files.MOST_COPIES


async def test_of_one_repository_only_so_much_text_is_indexed_at_all_its_paths_and_over_all_attempts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_TEXT", 1_000)
    monkeypatch.setattr(files, "READ_AT_ONCE", 1)
    text = "x = '" + "a" * 190 + "'\n"
    shop.push(dict.fromkeys(FILES) | {"a.py": text, "b.py": text, "c.py": text})
    assert files.MUCH_TEXT not in (await shop.index()).state.skipped
    shop.push({f"d{n}.py": f"y{n} = '" + "a" * 250 + "'\n" for n in range(4)})
    indexed = await shop.index()  # 600 are kept by now
    assert indexed.state.skipped[files.MUCH_TEXT] == 3
    assert shop.paths() == ["a.py", "b.py", "c.py", "d0.py"]
    assert len(shop.read_blobs) == 2
    assert shop.sql("SELECT count(*) FROM code_blobs") == [(2,)]


async def test_where_the_settings_here_want_no_index_none_is_made_and_what_there_was_is_forgotten(shop: Shop) -> None:
    await shop.index()
    tenant = await shop.tenant()
    act = Act("repository.change", "mona")
    await shop.repositories.change_settings(tenant.organization_id, tenant.repository_id, {"index": False}, act)
    with pytest.raises(NotIndexed, match="switched off in the repository's settings"):
        await shop.index()
    assert await shop.state() is None
    assert shop.sql("SELECT count(*) FROM code_chunks") == [(0,)]
    await shop.repositories.change_settings(tenant.organization_id, tenant.repository_id, {"index": True}, act)
    await shop.index()
    assert "shop/cart.py" in shop.paths()
