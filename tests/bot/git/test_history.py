"""What commits touched: each commit once, newest first, without merges, roots and sweeping changes, as far as it is here."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.git import history as module
from bot.git.local import LocalRepository
from bot.git.objects import Objects
from bot.git.process import Bounds
from bot.git.tree import GitTree
from review.context.tree import Changeset
from tests.bot.git.conftest import line_of_commits
from tests.builders import Files, commit, git, init_bare

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return init_bare(tmp_path / "r.git")


def commits(folder: Path, *changes: Files) -> list[str]:
    """A first commit with `base`, then these; gives all ids, oldest first."""
    made = [commit(folder, {"base": "1\n"})]
    for number, files in enumerate(changes):
        made.append(commit(folder, files, parents=made[-1:], message=str(number)))
    return made


async def touched(folder: Path, tip: str, most: int = 100) -> list[tuple[str, ...]]:
    return [one.paths for one in await GitTree(Objects(folder), tip).changesets(most)]


def ids(changesets: Sequence[Changeset] | None) -> list[str] | None:
    return None if changesets is None else [one.sha for one in changesets]


async def test_each_commit_says_what_it_touched_newest_first(folder: Path) -> None:
    made = commits(folder, {"a": "1\n", "b": "1\n"}, {"a": "2\n", "d/c": "1\n"}, {"b": None, "d/c": "2\n"})
    found = await GitTree(Objects(folder), made[-1]).changesets(100)
    assert [(one.sha, one.paths) for one in found] == [
        (made[3], ("b", "d/c")), (made[2], ("a", "d/c")), (made[1], ("a", "b")),
    ]  # fmt: skip
    assert {one.at for one in found} == {1_760_000_000}


async def test_names_of_any_kind_are_told_apart_from_commits(folder: Path) -> None:
    odd = ["\nfirst", "new\nline", "\n\n", "tab\t", 'q"', "caf\udce9", "1" * 40 + " 17", " "]
    made = commits(folder, *({name: "1\n", "b": name.encode(errors="surrogateescape")} for name in odd))
    assert [set(paths) for paths in await touched(folder, made[-1])] == [{name, "b"} for name in reversed(odd)]


async def test_a_renamed_file_is_touched_under_both_names(folder: Path) -> None:
    made = commits(folder, {"old": "1\n2\n3\n"}, {"old": None, "new": "1\n2\n3\n"})
    assert await touched(folder, made[-1]) == [("new", "old"), ("old",)]


async def test_merges_roots_and_commits_without_files_are_left_out(folder: Path) -> None:
    made = commits(folder, {"a": "1\n"}, {})
    side = commit(folder, {"s": "1\n"}, parents=[made[0]], ref="refs/heads/side", message="side")
    merged = commit(folder, {"s": "1\n"}, parents=[made[-1], side], message="merge")
    root = commit(folder, {"other": "1\n"}, ref="refs/heads/other", message="another root")
    joined = commit(folder, {"other": "1\n"}, parents=[merged, root], message="join")
    assert sorted(await touched(folder, joined)) == [("a",), ("s",)]


async def test_a_sweeping_commit_is_left_out_and_counts(folder: Path) -> None:
    made = commits(folder, {"a": "1\n"}, {f"f{n}": "1\n" for n in range(61)}, {f"f{n}": "2\n" for n in range(60)})
    assert [len(paths) for paths in await touched(folder, made[-1])] == [60, 1]
    assert [len(paths) for paths in await touched(folder, made[-1], most=2)] == [60]


async def test_only_so_many_of_the_newest_are_looked_at(folder: Path) -> None:
    made = line_of_commits(folder, 50, ref="refs/heads/main")
    assert ids(await GitTree(Objects(folder), made[-1]).changesets(3)) == [made[-1], made[-2], made[-3]]


async def test_what_came_after_a_known_commit_is_told(folder: Path) -> None:
    made = commits(folder, {"a": "1\n"}, {"a": "2\n"}, {"a": "3\n"})
    tree = GitTree(Objects(folder), made[-1])
    assert ids(await tree.changesets_since(made[1], 100)) == [made[3], made[2]]
    assert ids(await tree.changesets_since(made[1], 1)) == [made[3]]
    assert ids(await tree.changesets_since(made[3], 100)) == []


async def test_a_known_commit_that_is_no_ancestor_any_more_is_told_apart(folder: Path) -> None:
    made = commits(folder, {"a": "1\n"}, {"a": "2\n"})
    other = commit(folder, {"a": "3\n"}, parents=[made[1]], message="another")
    tree = GitTree(Objects(folder), other)
    assert await tree.changesets_since(made[2], 100) is None
    assert await tree.changesets_since("1" * 40, 100) is None
    assert ids(await tree.changesets_since(made[1], 100)) == [other]


async def test_where_a_shallow_clone_is_cut_off_nothing_is_made_up(folder: Path, tmp_path: Path) -> None:
    made = commits(folder, {"a": "1\n", "b": "1\n"}, {"a": "2\n"}, {"b": "2\n"}, {"a": "3\n"})
    git(tmp_path, "clone", "-q", "--bare", "--depth=3", f"file://{folder}", "short")
    tree = await LocalRepository(tmp_path / "short").tree("main")
    assert [one.paths for one in await tree.changesets(100)] == [("a",), ("b",)]
    assert await tree.changesets_since(made[0], 100) is None
    assert ids(await tree.changesets_since(made[3], 100)) == [made[4]]


async def test_a_clone_without_all_its_trees_has_the_history_that_it_has(folder: Path, tmp_path: Path) -> None:
    commits(folder, {"a": "1\n"}, {"a": "2\n"})
    git(tmp_path, "clone", "-q", "--bare", "--filter=tree:0", f"file://{folder}", "bald")
    git(tmp_path / "bald", "ls-tree", "-r", "main")
    tree = await LocalRepository(tmp_path / "bald").tree("main")
    assert [file.path for file in await tree.files()] == ["a", "base"]
    assert list(await tree.changesets(100)) == []


@pytest.mark.parametrize("bounds", [Bounds(output=1_000), Bounds(output=1), Bounds(seconds=0.0)])
async def test_of_a_history_that_is_too_long_what_came_in_time_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, bounds: Bounds
) -> None:
    made = line_of_commits(folder, 500, ref="refs/heads/main", file="some file")
    monkeypatch.setattr(module, "BOUNDS", bounds)
    found = await GitTree(Objects(folder), made[-1]).changesets(500)
    assert {one.paths for one in found} <= {("some file",)}
    assert ids(found) == list(reversed(made))[: len(found)]
    assert (10 < len(found) < 20) if bounds.output == 1_000 else found == []


async def test_any_date_is_a_date(folder: Path) -> None:
    first = commit(folder, {"a": "1\n"})
    tree = git(folder, "rev-parse", "main^{tree}").decode().strip()
    empty = git(folder, "mktree", stdin=b"").decode().strip()
    tip, trees = first, [empty, tree]
    for number, date in enumerate(["0", "99999999999999999999", "18446744073709551614", "none", "253402300800"]):
        text = f"tree {trees[number % 2]}\nparent {tip}\nauthor a <a> {date} +0000\ncommitter a <a> {date} +0000\n\nx\n"
        tip = git(folder, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=text.encode()).decode().strip()
    found = await GitTree(Objects(folder), tip).changesets(100)
    assert len(found) == 5
    assert all(0 <= one.at <= 253_402_300_799 for one in found)


async def test_thousands_of_commits_are_one_walk(folder: Path) -> None:
    made = line_of_commits(folder, 5_000, ref="refs/heads/main")
    assert len(await GitTree(Objects(folder), made[-1]).changesets(6_000)) == 4_999
