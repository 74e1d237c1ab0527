"""The default branch as an index needs it: newest commit, long history, all files in one fetch; and beside it the reviews."""

from pathlib import Path

import pytest

from bot.git import fetching as module
from bot.git import incoming
from bot.git.errors import GitAway, GitRefused, NoSuchCommit
from bot.git.fetching import Fetcher
from bot.git.tree import GitTree
from review.change import End
from review.errors import TryAgain
from tests.bot.git.conftest import HOST, Fetching, line_of_commits
from tests.builders import Files, commit, git

pytestmark = pytest.mark.integration


async def contents(tree: GitTree) -> dict[str, bytes]:
    """All of it that is read, by path."""
    files = await tree.files()
    read = await tree.read([file.blob for file in files])
    return {file.path: read[file.blob] for file in files if file.blob in read}


def here(place: Path) -> set[str]:
    """Every object that was fetched."""
    return set(git(place, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").decode().split())


def copy_of(fetching: Fetching) -> Path:
    return fetching.fetcher.repositories.place(HOST, fetching.repository.id, "branch").path


async def test_the_newest_commit_comes_without_its_files_and_these_all_at_once(fetching: Fetching) -> None:
    fetching.github.push_base(fetching.repository, {f"d{n % 7}/f{n}.py": f"{n}\n" for n in range(900)})
    tree = await fetching.branch()
    assert tree.sha == fetching.repository.branch("main")
    assert len(await tree.files()) == 902
    assert fetching.fetches() == 1
    assert len(await contents(tree)) == 902
    assert fetching.fetches() == 2
    assert (await contents(tree))["d1/f8.py"] == b"8\n"
    assert fetching.fetches() == 2, "what is here is not fetched again"


async def test_thousands_of_files_come_in_one_fetch_and_large_ones_not_at_all(fetching: Fetching) -> None:
    files: Files = {f"d{n % 7}/f{n}.py": f"{n}\n" for n in range(1_200)}
    fetching.github.push_base(fetching.repository, {**files, "large.csv": b"1,2\n" * 300_000, "fits.txt": b"x" * 1_000_000})
    tree = await fetching.branch()
    read = await contents(tree)
    assert (len(read), "large.csv" in read, len(read["fits.txt"])) == (1_203, False, 1_000_000)
    assert fetching.fetches() == 2
    large = (await tree.blobs(["large.csv"]))["large.csv"]
    assert dict(await tree.read([large])) == {}
    assert large not in here(copy_of(fetching))
    assert fetching.fetches() == 2, "it is known to be too large"


async def test_files_that_are_read_in_small_portions_take_few_fetches_all_the_same(fetching: Fetching) -> None:
    fetching.github.push_base(fetching.repository, {f"d{n % 7}/f{n}.py": f"{n}\n" for n in range(1_000)})
    tree = await fetching.branch()
    blobs = [file.blob for file in await tree.files()]
    read = [await tree.read(blobs[at : at + 100]) for at in range(0, len(blobs), 100)]
    assert sum(map(len, read)) == 1_002
    assert fetching.fetches() == 1 + 3 + 1


async def test_a_few_files_that_weigh_too_much_are_left_where_they_are(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "FEW_BYTES", 500_000)
    noise = b"".join((n * 2_654_435_761 % 2**32).to_bytes(4, "big") for n in range(400_000))
    fetching.github.push_base(fetching.repository, {"large.bin": noise, "small.py": "1\n"})
    tree = await fetching.branch()
    assert set(await contents(tree)) == {"README.md", "app.py", "small.py"}
    assert not list(copy_of(fetching).rglob("*.lock"))


async def test_what_came_before_is_not_fetched_again(fetching: Fetching) -> None:
    fetching.github.push_base(fetching.repository, {f"f{n}.py": f"{n}\n" * 500 for n in range(300)})
    old = await fetching.branch()
    await contents(old)
    packs = {pack.name for pack in copy_of(fetching).glob("objects/pack/*.pack")}
    fetching.github.push_base(fetching.repository, {"f1.py": "new\n"})
    new = await fetching.branch()
    assert (await contents(new))["f1.py"] == b"new\n"
    assert (await contents(old))["f1.py"] != b"new\n"
    come = [pack for pack in copy_of(fetching).glob("objects/pack/*.pack") if pack.name not in packs]
    assert sum(pack.stat().st_size for pack in come) < 15_000, "a commit, a tree of 300 names, a blob"
    changesets = await new.changesets_since(old.sha, 10)
    assert [one.paths for one in changesets or []] == [("f1.py",)]


async def test_the_host_says_which_branch_is_the_default(fetching: Fetching) -> None:
    tip = fetching.github.push_base(fetching.repository, {"trunk.py": "1\n"}, "trunk")
    git(fetching.repository.path, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert (await fetching.branch()).sha == tip


async def test_a_repository_without_commits_has_no_newest_one(fetching: Fetching) -> None:
    fetching.repository = fetching.github.create_repository("octo/empty")
    with pytest.raises(NoSuchCommit):
        await fetching.branch()
    tip = fetching.github.push_base(fetching.repository, {"a.py": "1\n"})
    assert (await fetching.branch()).sha == tip


async def test_history_comes_as_deep_as_is_affordable(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BRANCH_DEPTHS", (20, 5))
    path = fetching.repository.path
    made = line_of_commits(path, 60, ref="refs/heads/main", since=fetching.repository.branch("main"))
    tree = await fetching.branch()
    assert [one.sha for one in await tree.changesets(1_000)] == made[:-20:-1], "the twentieth's parent is not here"
    more = line_of_commits(path, 10, ref="refs/heads/main", since=made[-1], file="more")
    new = await fetching.branch()
    assert [one.sha for one in await new.changesets_since(made[-1], 1_000) or []] == more[::-1]
    far = line_of_commits(path, 30, ref="refs/heads/main", since=more[-1], file="far")
    assert await (await fetching.branch()).changesets_since(more[-1], 1_000) is None, "too far back to be known"
    assert fetching.repository.branch("main") == far[-1]


async def test_history_that_is_too_much_is_fetched_less_deep(fetching: Fetching) -> None:
    path, tip = fetching.repository.path, str(fetching.repository.branch("main"))
    for number in range(80):
        message = "".join(f"{(number + 1) * (n + 7) * 2_654_435_761 % 2**32:08x}" for n in range(1_000))
        tip = commit(path, {"log": f"{number}\n"}, parents=[tip], message=message)
    fetching.fetcher = Fetcher(fetching.fetcher.repositories, largest_pack=310_000)
    tree = await fetching.branch()
    assert tree.sha == tip
    assert len(await tree.changesets(1_000)) == 49
    assert (await contents(tree))["log"] == b"79\n"


async def test_a_history_that_is_rewritten_in_between_leaves_the_old_commit_readable(fetching: Fetching) -> None:
    fetching.github.push_base(fetching.repository, {"app.py": "a = 2\n"})
    old = await fetching.branch()
    fetching.github.push_base(fetching.repository, {"app.py": "a = 3\n"}, force=True)
    new = await fetching.branch()
    assert new.sha == fetching.repository.branch("main")
    assert await new.changesets_since(old.sha, 10) is None
    assert (await contents(old))["app.py"] == b"a = 2\n", "fetched by its id, which the host still serves"
    assert len(await old.changesets(10)) == 1
    assert (await contents(new))["app.py"] == b"a = 3\n"


async def test_files_that_the_host_has_forgotten_meanwhile_are_for_a_later_try(fetching: Fetching) -> None:
    fetching.github.push_base(fetching.repository, {"app.py": "a = 2\n"})
    old = await fetching.branch()
    fetching.github.push_base(fetching.repository, {"app.py": "a = 3\n"}, force=True)
    git(fetching.repository.path, "repack", "-q", "-a", "-d")
    git(fetching.repository.path, "prune", "--expire=now")
    assert {file.path for file in await old.files()} == {"README.md", "app.py"}
    with pytest.raises(TryAgain, match="could not be read"):
        await contents(old)
    assert (await contents(await fetching.branch()))["app.py"] == b"a = 3\n"


async def test_a_host_that_is_away_when_files_are_read_is_for_later(fetching: Fetching) -> None:
    tree = await fetching.branch()
    fault = fetching.github.fault("*", "octo/app.git", "503", times=50)
    with pytest.raises(TryAgain, match="could not be read"):
        await contents(tree)
    fault.times = 0
    assert set(await contents(tree)) == {"README.md", "app.py"}


@pytest.mark.parametrize("kind", ["500", "502", "503", "429", "lose_request", "html", "malformed"])
@pytest.mark.parametrize("path", ["info/refs", "git-upload-pack"])
async def test_a_host_that_is_broken_is_away_and_not_empty(fetching: Fetching, kind: str, path: str) -> None:
    fetching.github.fault("*", path, kind, times=9)
    with pytest.raises(GitAway):
        await fetching.branch()


async def test_a_deleted_repository_is_refused(fetching: Fetching) -> None:
    await fetching.branch()
    fetching.github.delete_repository(fetching.repository)
    with pytest.raises(GitRefused):
        await fetching.branch()


async def test_an_index_before_a_review_changes_nothing_for_it(fetching: Fetching) -> None:
    path = fetching.repository.path
    main = line_of_commits(path, 100, ref="refs/heads/main", since=fetching.repository.branch("main"))
    head = line_of_commits(path, 3, ref="refs/heads/change", since=main[20], file="head-log")[-1]
    pull = fetching.github.open_pull_request(fetching.repository, head_rev=head)
    tree = await fetching.branch()
    fetched = await fetching.fetch(pull)
    assert fetched.checkout.commits[End.BASE] == main[20]
    assert b"head-log" in fetched.diff
    assert len(await tree.changesets(1_000)) == 100


async def test_a_review_before_an_index_does_not_cut_off_its_history(fetching: Fetching) -> None:
    path = fetching.repository.path
    line_of_commits(path, 100, ref="refs/heads/main", since=fetching.repository.branch("main"))
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    await fetching.fetch(pull)
    tree = await fetching.branch()
    assert len(await tree.changesets(1_000)) == 100
    fetching.github.push(pull, {"app.py": "a = 3\n"})
    await fetching.fetch(pull)
    assert len(await tree.changesets(1_000)) == 100
    assert len(await (await fetching.branch()).changesets(1_000)) == 100


async def test_a_branch_rewritten_between_index_and_review_is_compared_as_it_is_now(fetching: Fetching) -> None:
    first = str(fetching.repository.branch("main"))
    fetching.github.push_base(fetching.repository, {"late.py": "1\n"})
    old = await fetching.branch()
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    fetching.github.push_base(fetching.repository, {"other.py": "1\n"}, force=True)
    fetched = await fetching.fetch(pull)
    assert fetched.checkout.commits[End.BASE] == first
    assert b"late.py" in fetched.diff
    new = await fetching.branch()
    assert {"other.py"} == set(await contents(new)) - {"README.md", "app.py"}
    assert "late.py" in await contents(old)


async def test_a_change_brings_the_whole_tree_that_it_starts_from(fetching: Fetching) -> None:
    pull = fetching.opened({"lib/a.py": "1\n", "lib/b.py": "2\n"}, {"app.py": "a = 2\n", "new.py": "1\n"})
    fetching.github.push_base(fetching.repository, {"later.py": "1\n"})
    fetched = await fetching.fetch(pull)
    before = fetching.fetches()
    assert fetched.tree.sha == fetched.checkout.commits[End.BASE]
    assert {file.path for file in await fetched.tree.files()} == {"README.md", "app.py", "lib/a.py", "lib/b.py"}
    assert fetching.fetches() == before
    assert (await contents(fetched.tree))["lib/b.py"] == b"2\n"
    assert fetching.fetches() == before + 1


async def test_a_tree_keeps_its_copy_from_being_removed(fetching: Fetching) -> None:
    fetching.fetcher.repositories.most_bytes = 1
    tree = await fetching.branch()
    await fetching.fetch(fetching.opened({}, {"app.py": "a = 2\n"}))
    assert set(await contents(tree)) == {"README.md", "app.py"}
    del tree
    await fetching.fetch(fetching.repository.pulls[1])
    assert not copy_of(fetching).exists()
