"""Reading a git directory: commits, trees, blobs, in whatever number and under whatever name."""

from pathlib import Path

import pytest

from bot.git import objects as module
from bot.git.checkout import GitCheckout, needed_blobs
from bot.git.errors import GitAway, GitFailed, GitTooMuch, NoSuchCommit
from bot.git.objects import Entry, Objects
from review.change import End
from review.errors import TryAgain
from tests.builders import BuiltRepository, Executable, Submodule, Symlink, a_repository, commit, git

pytestmark = pytest.mark.integration

BASE = {"a.py": "a\n", "d/b.py": "b\n", "d/e/c.py": "c\n", "link": Symlink("a.py"), "sub": Submodule("1" * 40)}
HEAD = {"a.py": "A\n", "d/b.py": None, "new": Executable("n\n"), "link": Symlink("d"), "sub": Submodule("2" * 40)}


@pytest.fixture
def built(tmp_path: Path) -> BuiltRepository:
    return a_repository(tmp_path / "r.git", BASE, HEAD)


def blob(built: BuiltRepository, name: str) -> str:
    return git(built.path, "rev-parse", name).decode().strip()


async def test_revisions_become_full_ids(built: BuiltRepository) -> None:
    objects = Objects(built.path)
    assert await objects.commits("main", built.head[:12], "change~1", "refs/heads/change") == [
        built.base, built.head, built.base, built.head,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "revision", ["", "none", "1" * 40, "main:a.py", "main^{tree}", "--all", "-h", "main..change", "@{-1}", "\n"]
)
async def test_what_names_no_commit_is_no_such_commit(built: BuiltRepository, revision: str) -> None:
    with pytest.raises(NoSuchCommit):
        await Objects(built.path).commits(revision)


async def test_a_folder_that_is_no_repository_has_failed(tmp_path: Path) -> None:
    with pytest.raises(GitFailed) as failed:
        await Objects(tmp_path).commits("main")
    assert not isinstance(failed.value, NoSuchCommit | GitAway)


async def test_entries_tell_mode_and_blob_at_both_ends(built: BuiltRepository) -> None:
    entries = {entry.path: entry for entry in await Objects(built.path).entries(built.base, built.head)}
    assert entries.keys() == {"a.py", "d/b.py", "new", "link", "sub"}
    assert entries["new"] == Entry("new", "000000", "100755", "0" * 40, blob(built, "change:new"))
    assert entries["sub"] == Entry("sub", "160000", "160000", "1" * 40, "2" * 40)
    assert needed_blobs(list(entries.values())) == {
        blob(built, name) for name in ("main:a.py", "change:a.py", "main:d/b.py", "change:new", "main:link", "change:link")
    }


async def test_more_files_than_anybody_reviews_are_too_much(built: BuiltRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 1)
    with pytest.raises(GitTooMuch, match="more than 1 files"):
        await Objects(built.path).entries(built.base, built.head)


async def test_nothing_differs_between_a_commit_and_itself(built: BuiltRepository) -> None:
    objects = Objects(built.path)
    assert await objects.entries(built.head, built.head) == []
    assert await objects.diff(built.head, built.head) == b""


async def test_missing_objects_are_told_from_those_that_are_here(built: BuiltRepository) -> None:
    here, gone = blob(built, "main:a.py"), ["1" * 40, "f" * 40]
    assert await Objects(built.path).missing([here, *gone, built.head]) == set(gone)
    assert await Objects(built.path).missing([]) == set()


async def test_blobs_over_the_bound_and_other_objects_are_left_out(built: BuiltRepository) -> None:
    a = blob(built, "main:a.py")
    objects = Objects(built.path)
    assert await objects.blobs([a, a, built.head, blob(built, "main:d"), "1" * 40], 2) == {a: b"a\n"}
    assert await objects.blobs([a], 1) == {}
    assert await objects.blobs([], 9) == {}


async def test_blobs_that_are_too_much_together_are_left_out(built: BuiltRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(built.path, {name: name * 400 for name in "xyz"}, ref="refs/heads/more", parents=[built.base])
    x, y, z = (blob(built, f"more:{name}") for name in "xyz")
    monkeypatch.setattr(module, "MOST_AT_ONCE", 1_000)
    assert await Objects(built.path).blobs([x, y, z], 500) == {x: b"x" * 400, y: b"y" * 400}


async def test_thousands_of_paths_are_looked_up_in_batches(built: BuiltRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    many = {f"folder {n % 7}/{'long name ' * 9}{n}.py": f"{n}\n" for n in range(3_000)}
    sha = commit(built.path, many, ref="refs/heads/many", parents=[built.base])
    found = await Objects(built.path).lookup(sha, many)
    assert found.keys() == many.keys()
    assert {mode for mode, _ in found.values()} == {"100644"}


async def test_contents_with_anything_in_them_come_back_byte_for_byte(tmp_path: Path) -> None:
    contents = [b"", b"\n", b"x", b"\0\xff\r\n" * 9, b"1" * 40 + b" blob 3\nabc\n", "ä\n".encode() * 70_000]
    built = a_repository(tmp_path / "r.git", {}, {f"f{n}": content for n, content in enumerate(contents)})
    checkout = GitCheckout(Objects(built.path), {End.BASE: built.base, End.HEAD: built.head}, {})
    read = await checkout.read(End.HEAD, [f"f{n}" for n in range(len(contents))])
    assert list(read.values()) == contents
    assert await checkout.read(End.BASE, ["f0"]) == {}


async def test_a_diff_over_the_bound_is_too_much(built: BuiltRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = commit(built.path, {"long": "line\n" * 300_000}, ref="refs/heads/long", parents=[built.base])

    async def small(self: Objects, *arguments: str) -> bytes:
        return await whole(self, *arguments, output=1_000_000)

    whole = Objects.git
    monkeypatch.setattr(Objects, "git", small)
    with pytest.raises(GitTooMuch, match="more than 1 MB"):
        await Objects(built.path).diff(built.base, sha)


async def test_files_that_cannot_be_read_just_now_are_for_later(built: BuiltRepository) -> None:
    checkout = GitCheckout(Objects(built.path / "nowhere"), {End.BASE: built.base, End.HEAD: built.head}, {})
    with pytest.raises(TryAgain, match="could not be read"):
        await checkout.read(End.HEAD, ["a.py"])


async def test_a_repository_with_sha256_is_read_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "--object-format=sha256", "--initial-branch=main")
    first = commit(tmp_path, {"a.py": "a\n"})
    head = commit(tmp_path, {"a.py": "b\n"}, parents=[first], ref="refs/heads/change")
    objects = Objects(tmp_path)
    assert len(head) == 64
    (entry,) = await objects.entries(first, head)
    assert await objects.blobs([entry.new_id], 9) == {entry.new_id: b"b\n"}
    assert b"+b" in await objects.diff(first, head)
