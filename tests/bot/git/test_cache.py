"""The cache of repositories: bounds, eviction while others read, what killed processes leave behind, broken copies."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.git import cache
from bot.git.cache import Place, Repositories
from bot.git.fetching import Fetcher
from bot.git.locks import try_lock
from review.change import End
from tests.bot.git.conftest import HOST, Fetching, wanted
from tests.builders import git

pytestmark = pytest.mark.integration

DAY = 86_400


async def filled(repositories: Repositories, number: int, size: int, *, days_ago: float = 0) -> Place:
    """A repository of about `size` bytes that was last used so many days ago."""
    place = repositories.place("github.com", number)
    hold = await repositories.in_use(place)
    place.prepare()
    (place.path / "objects" / "pack" / "p.pack").write_bytes(b"x" * size)
    place.used(place.measured())
    hold.release()
    moment = time.time() - days_ago * DAY
    os.utime(place.use_lock, (moment, moment))
    return place


async def test_the_least_recently_used_go_first_until_all_fit(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path, most_bytes=25_000)
    old, newer, newest = [await filled(repositories, n, 10_000, days_ago=9 - n) for n in (1, 2, 3)]
    await repositories.trim(newest)
    assert [place.path.exists() for place in (old, newer, newest)] == [False, True, True]


async def test_one_that_was_used_again_is_no_longer_the_oldest(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path, most_bytes=25_000)
    one, two, three = [await filled(repositories, n, 10_000, days_ago=9 - n) for n in (1, 2, 3)]
    (await repositories.in_use(one)).release()
    await repositories.trim(three)
    assert [place.path.exists() for place in (one, two, three)] == [True, False, True]


async def test_what_somebody_reads_is_not_removed_until_they_are_done(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path, most_bytes=15_000)
    old, new = [await filled(repositories, n, 10_000, days_ago=9 - n) for n in (1, 2)]
    reading = await repositories.in_use(old)
    os.utime(old.use_lock, (0, 0))
    hold = await repositories.in_use(new)
    await repositories.trim(new)
    assert old.path.exists()
    assert new.path.exists()
    reading.release()
    await repositories.trim(new)
    assert not old.path.exists()
    hold.release()


async def test_hosts_are_kept_apart_and_cannot_leave_the_folder(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path / "r")
    for host in ("github.com", "ghe.example:8443", "../../etc", "..", "/etc", "a/b", ".hidden"):
        place = repositories.place(host, 1)
        assert place.path.resolve().is_relative_to((tmp_path / "r").resolve())
        assert place.path.parent.parent == tmp_path / "r", host
    assert repositories.place("github.com", 1) != repositories.place("ghe.example", 1)


async def test_nobody_else_on_the_machine_reads_the_copies(tmp_path: Path) -> None:
    Repositories(tmp_path / "data" / "repositories").place("github.com", 1)
    assert (tmp_path / "data" / "repositories").stat().st_mode & 0o077 == 0


async def test_an_empty_copy_holds_neither_address_nor_token(fetching: Fetching) -> None:
    remote = fetching.remote()
    await fetching.fetch(fetching.opened({}, {"app.py": "a = 2\n"}), remote=remote)
    kept = b"".join(file.read_bytes() for file in fetching.folder.rglob("*") if file.is_file())
    for secret in (remote.token, remote.credential, "127.0.0.1", "octo/app"):
        assert secret.encode() not in kept
    assert git(fetching.place.path, "config", "--list", "--local").decode().splitlines() == [
        "core.repositoryformatversion=1", "core.bare=true", "extensions.partialclone=origin", "remote.origin.promisor=true",
        "remote.origin.partialclonefilter=blob:none",
    ]  # fmt: skip


async def test_half_made_and_half_removed_folders_are_cleared_an_hour_later(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path)
    place = await filled(repositories, 1, 10)
    for name, hours in ((".trash-old", 2), (".new-old", 2), (".trash-fresh", 0), (".new-fresh", 0)):
        folder = place.path.parent / name
        (folder / "deep").mkdir(parents=True)
        os.utime(folder, (time.time() - hours * 3600 - 60,) * 2)
    await repositories.trim(place)
    assert {path.name for path in place.path.parent.iterdir() if path.name.startswith(".")} == {".trash-fresh", ".new-fresh"}


async def test_a_copy_with_too_many_packs_is_started_anew_unless_somebody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST_PACKS", 0)
    repositories = Repositories(tmp_path)
    place = await filled(repositories, 1, 10)
    reading = try_lock(place.use_lock, shared=True)
    assert reading is not None
    (await repositories.in_use(place)).release()
    assert place.path.exists()
    reading.release()
    (await repositories.in_use(place)).release()
    assert not place.path.exists()


async def test_eviction_after_a_fetch_spares_the_change_that_is_being_read(fetching: Fetching) -> None:
    fetching.fetcher = Fetcher(Repositories(fetching.folder, most_bytes=1))
    first = await fetching.fetch(fetching.opened({}, {"app.py": "a = 2\n"}))
    other = fetching.github.create_repository("octo/other", {"x": "1\n"})
    pull = fetching.github.open_pull_request(other, {"x": "2\n"})
    remote = fetching.remote()
    of_other = type(remote)(remote.url.replace("octo/app", "octo/other"), remote.token)
    second = await fetching.fetcher.fetch(HOST, other.id, of_other, wanted(pull))
    assert dict(await first.checkout.read(End.HEAD, ["app.py", "README.md"])) == {"app.py": b"a = 2\n", "README.md": b"Hello\n"}
    del first
    await fetching.fetcher.fetch(HOST, other.id, of_other, wanted(pull))
    assert not fetching.place.path.exists()
    assert dict(await second.checkout.read(End.HEAD, ["x"])) == {"x": b"2\n"}


async def test_two_fetches_of_one_repository_at_once_both_succeed(fetching: Fetching) -> None:
    pulls = [fetching.opened({}, {"app.py": f"a = 1{n}\n", f"f{n}": "x\n"}) for n in range(4)]
    fetchers = [Fetcher(Repositories(fetching.folder)) for _ in pulls]
    remote = fetching.remote()
    fetched = await asyncio.gather(
        *(
            fetcher.fetch(HOST, fetching.repository.id, remote, wanted(pull))
            for fetcher, pull in zip(fetchers, pulls, strict=True)
        )
    )
    for number, one in enumerate(fetched):
        assert f"+a = 1{number}".encode() in one.diff
        assert dict(await one.checkout.read(End.HEAD, ["app.py"])) == {"app.py": f"a = 1{number}\n".encode()}


def cut_in_half(path: Path) -> None:
    for pack in path.glob("objects/pack/*.pack"):
        data = pack.read_bytes()
        pack.chmod(0o600)
        pack.write_bytes(data[: len(data) // 2])


def flip_bytes(path: Path) -> None:
    for pack in path.glob("objects/pack/*.pack"):
        data = bytearray(pack.read_bytes())
        data[12:-20] = bytes(byte ^ 0x5A for byte in data[12:-20])
        pack.chmod(0o600)
        pack.write_bytes(data)


def no_index(path: Path) -> None:
    for index in path.glob("objects/pack/*.idx"):
        index.unlink()


def broken_index(path: Path) -> None:
    for index in path.glob("objects/pack/*.idx"):
        index.chmod(0o600)
        index.write_bytes(b"not an index")


def no_packs(path: Path) -> None:
    for pack in path.glob("objects/pack/*"):
        pack.unlink()


def oldest_pack_gone(path: Path) -> None:
    """The commits and trees are gone, the blobs are there."""
    largest = max(path.glob("objects/pack/*.pack"), key=lambda pack: pack.stat().st_size)
    for part in path.glob(f"objects/pack/{largest.stem}.*"):
        part.unlink()


def empty_refs(path: Path) -> None:
    for ref in path.glob("refs/refactoriq/*/*"):
        ref.write_bytes(b"")


def refs_to_nothing(path: Path) -> None:
    for ref in path.glob("refs/refactoriq/*/*"):
        ref.write_text("1" * 40 + "\n")


def empty_head(path: Path) -> None:
    (path / "HEAD").write_bytes(b"")


def no_objects_folder(path: Path) -> None:
    (path / "objects").rename(path / "elsewhere")


def broken_config(path: Path) -> None:
    (path / "config").write_text("[core\n")


def no_config(path: Path) -> None:
    (path / "config").unlink()


def broken_shallow(path: Path) -> None:
    (path / "shallow").write_text("what\n")


def shallow_with_unknown_commit(path: Path) -> None:
    (path / "shallow").write_text("1" * 40 + "\n")


BREAKS = (
    cut_in_half, flip_bytes, no_index, broken_index, no_packs, oldest_pack_gone, empty_refs, refs_to_nothing, empty_head,
    no_objects_folder, broken_config, no_config, broken_shallow, shallow_with_unknown_commit,
)  # fmt: skip


@pytest.mark.fault
@pytest.mark.parametrize("new_head", [False, True], ids=["same head", "new head"])
@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__.replace("_", " "))
async def test_a_broken_copy_recovers(fetching: Fetching, damage: Callable[[Path], None], new_head: bool) -> None:
    pull = fetching.opened({"lib.py": "x = 1\n" * 50}, {"app.py": "a = 2\n"})
    await fetching.fetch(pull)
    damage(fetching.place.path)
    if new_head:
        fetching.github.push(pull, {"app.py": "a = 3\n", "lib.py": "y = 1\n"})
    fetched = await fetching.fetch(pull, "README.md")
    assert fetched.also == {"README.md": b"Hello\n"}
    assert fetched.checkout.commits[End.HEAD] == pull.head_sha
    assert dict(await fetched.checkout.read(End.HEAD, ["app.py"])) == {"app.py": b"a = 3\n" if new_head else b"a = 2\n"}
    assert pull.changes.text.count(b"\n") == fetched.diff.count(b"\n")


async def test_locks_and_half_packs_of_a_killed_git_do_not_stop_the_next_one(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    await fetching.fetch(pull)
    path = fetching.place.path
    left = ["shallow.lock", "config.lock", "packed-refs.lock", "HEAD.lock", "refs/refactoriq/1/head.lock"]
    left += ["objects/pack/tmp_pack_abc", "objects/pack/tmp_idx_abc", "objects/tmp_objdir-incoming-x/pack/tmp_pack_y"]
    for name in left:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"half")
    fetching.github.push(pull, {"app.py": "a = 3\n"})
    assert b"+a = 3" in (await fetching.fetch(pull)).diff
    assert not any((path / name).exists() for name in left)
