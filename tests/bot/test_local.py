"""The change in a local checkout: what is on disk is what is reviewed, and nothing in the checkout is ever run."""

import os
from pathlib import Path

import pytest

from bot.local import LocalChange, local_change
from review.change import End
from review.diff import FileKind, FileStatus
from review.errors import UserError
from tests.builders import BuiltRepository, Submodule, Symlink, a_checkout, a_repository, commit, git

pytestmark = pytest.mark.integration


@pytest.fixture
def checkout(tmp_path: Path) -> BuiltRepository:
    return a_checkout(tmp_path / "checkout", {"app.py": "a = 1\n", "old.py": "o = 1\n"}, {"app.py": "a = 1\nb = 2\n"})


def paths(local: LocalChange) -> dict[str, FileStatus]:
    return {file.path: file.status for file in local.change.diff.files}


async def head_text(local: LocalChange, path: str) -> bytes | None:
    return (await local.change.checkout.read(End.HEAD, [path])).get(path)


async def test_without_a_head_the_files_on_disk_are_reviewed(checkout: BuiltRepository) -> None:
    (checkout.path / "app.py").write_text("a = 1\nb = 3\n")
    (checkout.path / "new.py").write_text("n = 1\n")
    (checkout.path / "old.py").unlink()
    local = await local_change(checkout.path, None, None)
    assert paths(local) == {"app.py": "modified", "new.py": "added", "old.py": "removed"}
    assert await head_text(local, "app.py") == b"a = 1\nb = 3\n"
    assert await head_text(local, "new.py") == b"n = 1\n"
    assert (await local.change.checkout.read(End.BASE, ["app.py"]))["app.py"] == b"a = 1\n"
    assert (local.change.base_sha, local.change.head_sha) == (checkout.base, checkout.head)
    assert (local.top, local.compared_with) == (checkout.path, f"{checkout.base[:12]} (main)")


async def test_staged_and_ignored_files_are_what_git_says(checkout: BuiltRepository) -> None:
    (checkout.path / ".gitignore").write_text("*.log\n")
    (checkout.path / "noise.log").write_text("x\n")
    (checkout.path / "staged.py").write_text("s = 1\n")
    git(checkout.path, "add", "staged.py")
    (checkout.path / "staged.py").write_text("s = 2\n")
    local = await local_change(checkout.path, None, None)
    assert set(paths(local)) == {".gitignore", "app.py", "staged.py"}
    assert await head_text(local, "staged.py") == b"s = 2\n"


async def test_with_a_head_only_commits_count(checkout: BuiltRepository) -> None:
    (checkout.path / "app.py").write_text("not committed\n")
    local = await local_change(checkout.path, "main", "change")
    assert paths(local) == {"app.py": "modified"}
    assert await head_text(local, "app.py") == b"a = 1\nb = 2\n"


async def test_the_change_starts_where_the_branch_left_its_base(checkout: BuiltRepository) -> None:
    commit(checkout.path, {"later.py": "l = 1\n"}, parents=[checkout.base])
    local = await local_change(checkout.path, None, None)
    assert set(paths(local)) == {"app.py"}
    assert local.compared_with == f"{checkout.base[:12]} (where it left main)"


async def test_origins_default_branch_comes_before_a_local_one(checkout: BuiltRepository) -> None:
    git(checkout.path, "update-ref", "refs/remotes/origin/trunk", checkout.head)
    git(checkout.path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    local = await local_change(checkout.path, None, None)
    assert (local.change.base_sha, paths(local)) == (checkout.head, {})
    assert local.compared_with == f"{checkout.head[:12]} (origin/HEAD)"


async def test_with_nothing_to_compare_with_it_is_the_last_commit(checkout: BuiltRepository) -> None:
    git(checkout.path, "branch", "-D", "main")
    (checkout.path / "app.py").write_text("changed\n")
    local = await local_change(checkout.path, None, None)
    assert local.change.base_sha == checkout.head
    assert "the last commit" in local.compared_with
    with pytest.raises(UserError, match="say with --base"):
        await local_change(checkout.path, None, "change")


async def test_a_folder_inside_the_checkout_stands_for_all_of_it(checkout: BuiltRepository) -> None:
    (checkout.path / "sub" / "deep").mkdir(parents=True)
    (checkout.path / "top.py").write_text("t = 1\n")
    local = await local_change(checkout.path / "sub" / "deep", None, None)
    assert set(paths(local)) == {"app.py", "top.py"}


@pytest.mark.parametrize(("base", "head"), [("nowhere", None), (None, "nowhere"), ("--help", None), ("main", "-x")])
async def test_a_revision_that_is_none_is_a_sentence(checkout: BuiltRepository, base: str | None, head: str | None) -> None:
    with pytest.raises(UserError, match=r"has no commit .*: check the name, or fetch it first"):
        await local_change(checkout.path, base, head)


async def test_no_repository_no_folder_and_no_commit_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not in a git repository"):
        await local_change(tmp_path, None, None)
    with pytest.raises(UserError, match="does not exist"):
        await local_change(tmp_path / "nowhere", None, None)
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UserError, match="has no commits yet"):
        await local_change(tmp_path, None, None)


async def test_a_checkout_that_the_system_does_not_let_us_read_is_a_sentence(checkout: BuiltRepository) -> None:
    (checkout.path / ".git" / "sharedindex.0").mkdir()
    with pytest.raises(UserError, match="This checkout cannot be read: Is a directory"):
        await local_change(checkout.path, None, None)


async def test_a_linked_work_tree_is_reviewed_as_it_stands(checkout: BuiltRepository, tmp_path: Path) -> None:
    git(checkout.path, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"), checkout.head)
    (tmp_path / "linked" / "here.py").write_text("h = 1\n")
    (checkout.path / "there.py").write_text("t = 1\n")
    local = await local_change(tmp_path / "linked", None, None)
    assert set(paths(local)) == {"app.py", "here.py"}
    assert local.top == tmp_path / "linked"


async def test_a_bare_repository_is_reviewed_by_its_commits(tmp_path: Path) -> None:
    built = a_repository(tmp_path / "bare.git", {"app.py": "1\n"}, {"app.py": "2\n"})
    local = await local_change(built.path, "main", "change")
    assert (paths(local), local.top) == ({"app.py": "modified"}, None)


async def test_histories_with_nothing_in_common_are_compared_directly(checkout: BuiltRepository) -> None:
    commit(checkout.path, {"alien.py": "x\n"}, ref="refs/heads/alien")
    local = await local_change(checkout.path, "alien", "change")
    assert paths(local)["alien.py"] == "removed"
    assert "shares no history" in local.compared_with


async def test_a_partial_clone_without_the_contents_says_how_to_fetch_them(tmp_path: Path) -> None:
    built = a_repository(tmp_path / "origin.git", {"app.py": "1\n"}, {"app.py": "2\n"})
    clone = tmp_path / "clone"
    options = ("clone", "--quiet", "--filter=blob:none", "--no-checkout", "--no-local")
    git(tmp_path, *options, f"file://{built.path}", str(clone))
    with pytest.raises(UserError, match="partial clone") as caught:
        await local_change(clone, "origin/main", "origin/change")
    assert "git diff --stat origin/main origin/change" in str(caught.value)


async def test_links_submodules_binaries_and_strange_names_are_told_apart(tmp_path: Path) -> None:
    files = {"b.bin": b"\0\1", "ü \t\n.py": "x\n", os.fsdecode(b"\xff.py"): "y\n"}
    head = {"link": Symlink("/etc/passwd"), "sub": Submodule(), **files}
    built = a_repository(tmp_path / "odd.git", {"app.py": "1\n"}, head)
    local = await local_change(built.path, "main", "change")
    assert {file.path: file.kind for file in local.change.diff.files} == {
        "link": FileKind.SYMLINK,
        "sub": FileKind.SUBMODULE,
        "b.bin": FileKind.BINARY,
        "ü \t\n.py": FileKind.TEXT,
        os.fsdecode(b"\xff.py"): FileKind.TEXT,
    }
    assert await head_text(local, "link") is None


async def test_a_link_on_disk_is_never_followed(checkout: BuiltRepository, tmp_path: Path) -> None:
    (tmp_path / "private").write_text("private\n")
    (checkout.path / "link.py").symlink_to(tmp_path / "private")
    (checkout.path / "app.py").unlink()
    (checkout.path / "app.py").symlink_to(tmp_path / "private")
    local = await local_change(checkout.path, None, None)
    assert await local.change.checkout.read(End.HEAD, ["link.py", "app.py"]) == {}


async def test_a_pipe_is_not_waited_for(checkout: BuiltRepository) -> None:
    os.mkfifo(checkout.path / "pipe.py")
    assert set(paths(await local_change(checkout.path, None, None))) == {"app.py"}


async def test_a_repository_inside_the_checkout_is_no_business_of_ours(checkout: BuiltRepository) -> None:
    a_checkout(checkout.path / "inner", {"inner.py": "1\n"}, {"inner.py": "2\n"})
    assert set(paths(await local_change(checkout.path, None, None))) == {"app.py"}


async def test_a_large_file_is_left_out_and_named(checkout: BuiltRepository) -> None:
    with (checkout.path / "large.csv").open("wb") as file:
        file.truncate(21_000_000)
    local = await local_change(checkout.path, None, None)
    assert set(paths(local)) == {"app.py"}
    assert local.change.unread == ("Not looked at, larger than 20 MB or not readable: large.csv.",)


async def test_line_ends_of_the_disk_are_not_a_change(checkout: BuiltRepository) -> None:
    git(checkout.path, "config", "core.autocrlf", "true")
    (checkout.path / "app.py").write_bytes(b"a = 1\r\nb = 2\r\nc = 3\r\n")
    (checkout.path / "old.py").write_bytes(b"o = 1\r\n")
    local = await local_change(checkout.path, None, None)
    assert set(paths(local)) == {"app.py"}
    assert await head_text(local, "app.py") == b"a = 1\nb = 2\nc = 3\n"


async def test_a_mode_that_the_disk_cannot_keep_is_not_a_change(checkout: BuiltRepository) -> None:
    git(checkout.path, "config", "core.filemode", "false")
    (checkout.path / "old.py").chmod(0o755)
    assert set(paths(await local_change(checkout.path, None, None))) == {"app.py"}


async def test_the_temporary_folder_goes_with_the_change(
    checkout: BuiltRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    local = await local_change(checkout.path, None, None)
    assert list(tmp_path.glob("refactoriq-*"))
    del local
    assert not list(tmp_path.glob("refactoriq-*"))


async def test_the_tree_to_look_around_in_is_the_commit_that_the_change_starts_from(checkout: BuiltRepository) -> None:
    (checkout.path / "new.py").write_text("n = 1\n")
    commit(checkout.path, {"later.py": "l = 1\n"}, parents=[checkout.base])
    tree = (await local_change(checkout.path, None, None)).change.tree
    assert tree is not None
    assert tree.sha == checkout.base
    assert {file.path for file in await tree.files()} == {"app.py", "old.py"}
