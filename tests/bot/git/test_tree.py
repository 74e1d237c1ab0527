"""The files of one commit: whatever their names, only regular ones, and nothing large in memory."""

import tracemalloc
from pathlib import Path

import pytest

from bot.git import tree as module
from bot.git.local import LocalRepository
from bot.git.objects import Objects
from bot.git.process import Bounds
from bot.git.tree import GitTree
from review.context.tree import TreeFile
from review.errors import TryAgain, UserError
from tests.builders import Executable, Files, Submodule, Symlink, a_checkout, commit, git, init_bare

pytestmark = pytest.mark.integration

ODD = [
    "new\nline.py",
    "\nfirst.py",
    "tab\t.py",
    'quo"te\\.py',
    "caf\udce9.py",
    "ä 日本.py",
    " space ",
    "-",
    "d/\n/x",
    ":(top)x.py",
]


async def a_tree(folder: Path, files: Files) -> GitTree:
    return GitTree(Objects(init_bare(folder)), commit(folder, files))


async def contents(tree: GitTree) -> dict[str, bytes]:
    """All of it that is read, by path."""
    files = await tree.files()
    read = await tree.read([file.blob for file in files])
    return {file.path: read[file.blob] for file in files if file.blob in read}


async def test_files_of_any_name_are_listed_looked_up_and_read(tmp_path: Path) -> None:
    tree = await a_tree(tmp_path, {name: f"{number}\n" for number, name in enumerate(ODD)})
    files = await tree.files()
    assert {file.path for file in files} == set(ODD)
    assert dict(await tree.blobs(ODD)) == {file.path: file.blob for file in files}
    assert await contents(tree) == {name: f"{number}\n".encode() for number, name in enumerate(ODD)}


async def test_only_regular_files_are_files(tmp_path: Path) -> None:
    whole: Files = {"a.py": "1\n", "run": Executable("2\n"), "link": Symlink("a.py"), "sub": Submodule(), "d/b.py": "3\n"}
    tree = await a_tree(tmp_path, whole)
    assert [file.path for file in await tree.files()] == ["a.py", "d/b.py", "run"]
    assert set(await tree.blobs([*whole, "d", "d/", "none", "", "../a.py", "nul\0"])) == {"a.py", "d/b.py", "run"}


async def test_an_empty_commit_has_no_files(tmp_path: Path) -> None:
    tree = await a_tree(tmp_path, {})
    assert (list(await tree.files()), dict(await tree.blobs([])), dict(await tree.read([]))) == ([], {}, {})


async def test_a_blob_of_50_mb_is_left_out_without_being_read(tmp_path: Path) -> None:
    tree = await a_tree(tmp_path, {"small.py": "1\n", "large.py": b"x" * 50_000_000, "fits": b"y" * 1_000_000})
    files = await tree.files()
    tracemalloc.start()
    read = await tree.read([file.blob for file in files])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {file.path for file in files if file.blob in read} == {"small.py", "fits"}
    assert peak < 10_000_000


async def test_of_more_files_than_are_looked_at_the_first_by_path_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 3)
    tree = await a_tree(tmp_path, dict.fromkeys(("b", "c", "a.py", "d", "e"), "1\n") | {"a": Symlink("b")})
    assert [file.path for file in await tree.files()] == ["a.py", "b", "c"]
    monkeypatch.setattr(module, "LISTING", Bounds(output=240))  # four rows and a piece of the fifth
    assert [file.path for file in await tree.files()] == ["a.py", "b", "c"]


async def test_a_list_of_names_that_is_too_long_is_no_shorter_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTING", Bounds(output=1_000))
    tree = await a_tree(tmp_path, {f"{n}{'long' * 50}": "1\n" for n in range(20)})
    with pytest.raises(TryAgain, match="The list of files is too long"):
        await tree.files()


async def test_a_repository_that_is_taken_away_is_for_later(tmp_path: Path) -> None:
    tree = GitTree(Objects(tmp_path), "1" * 40)
    for ask in (tree.files, lambda: tree.blobs(["a"]), lambda: tree.read(["1" * 40]), lambda: tree.changesets(9)):
        with pytest.raises(TryAgain, match="could not be read"):
            await ask()


async def test_a_repository_with_sha256_is_read_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "--object-format=sha256", "--initial-branch=main")
    first = commit(tmp_path, {"a.py": "a\n"})
    commit(tmp_path, {"a.py": "b\n"}, parents=[first])
    tree = await LocalRepository(tmp_path).tree("main")
    assert await contents(tree) == {"a.py": b"b\n"}
    assert [one.paths for one in await tree.changesets(9)] == [("a.py",)]
    new = await tree.changesets_since(first, 9)
    assert [one.sha for one in new or []] == [tree.sha]


async def test_a_local_revision_is_opened_and_one_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    built = a_checkout(tmp_path, {"a.py": "1\n"}, {"a.py": "2\n"})
    (tmp_path / "a.py").write_text("not committed\n")
    repository = LocalRepository(tmp_path)
    assert await contents(await repository.tree()) == {"a.py": b"2\n"}
    assert await contents(await repository.tree(built.base[:9])) == {"a.py": b"1\n"}
    with pytest.raises(UserError, match="has no commit nowhere"):
        await repository.tree("nowhere")


async def test_what_a_local_partial_clone_lacks_is_absent_and_nothing_is_fetched(tmp_path: Path) -> None:
    built = a_checkout(tmp_path / "whole", {"a.py": "1\n", "b.py": "1\n"}, {"a.py": "2\n"})
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", f"file://{built.path}", "part")
    git(tmp_path / "part", "cat-file", "-p", "change:b.py")
    (tmp_path / "whole").rename(tmp_path / "gone")
    tree = await LocalRepository(tmp_path / "part").tree("change")
    assert [file.path for file in await tree.files()] == ["a.py", "b.py"]
    assert await contents(tree) == {"b.py": b"1\n"}
    assert [one.paths for one in await tree.changesets(9)] == [("a.py",)]


@pytest.mark.slow
async def test_a_tree_of_over_200_000_files_is_cut_there(tmp_path: Path) -> None:
    folder = init_bare(tmp_path)
    blob = git(folder, "hash-object", "-w", "--stdin", stdin=b"x\n").decode().strip()
    names = [f"file {number:05} of many, under a name of some length.py" for number in range(21_000)]
    inner = git(folder, "mktree", stdin="".join(f"100644 blob {blob}\t{name}\n" for name in names).encode()).decode().strip()
    outer = "".join(f"040000 tree {inner}\td{number}\n" for number in range(10)) + f"100644 blob {blob}\tz.py\n"
    sha = git(folder, "mktree", stdin=outer.encode()).decode().strip()
    whole = git(folder, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit-tree", "-m", "x", sha).decode().strip()
    files = await GitTree(Objects(folder), whole).files()
    assert len(files) == 200_000
    assert files[-1] == TreeFile(f"d9/{names[10_999]}", blob)
