"""The hostile repository: hooks, attributes, pointers, submodules, links, trees and names that want to be followed."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.git.errors import GitFailed
from bot.git.process import Ended, run
from bot.git.safety import offline_environment
from review.change import End
from review.diff import FileKind
from review.parse_diff import parse_diff
from tests.bot.git.conftest import Fetching, Recorder
from tests.builders import Submodule, Symlink, git
from tests.sandbox.world import PullRequest

pytestmark = pytest.mark.integration


async def test_hooks_and_settings_put_into_the_cached_copy_do_not_run(fetching: Fetching, tmp_path: Path) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    await fetching.fetch(pull)
    ran, path = tmp_path / "ran", fetching.place.path
    (path / "hooks").mkdir()
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc", "fsmonitor-watchman", "post-index-change", "update"):
        (path / "hooks" / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (path / "hooks" / name).chmod(0o755)
    with (path / "config").open("a") as config:
        config.write(
            f'[core]\n\tsshCommand = touch {ran}\n\tfsmonitor = touch {ran}\n\tattributesFile = {tmp_path}/attributes\n'
            f'\tpager = touch {ran}\n\taskPass = touch {ran}\n\tworktree = /\n\tbare = false\n'
            f'[diff "x"]\n\ttextconv = touch {ran}\n\tcommand = touch {ran}\n[diff]\n\texternal = touch {ran}\n'
            f'[uploadpack]\n\tpackObjectsHook = touch {ran}\n[remote "origin"]\n\tuploadpack = touch {ran}\n\tvcs = ext\n'
            f'[credential]\n\thelper = "!touch {ran}"\n[include]\n\tpath = {tmp_path}/more\n'
            f'[gc]\n\tauto = 1\n\trecentObjectsHook = touch {ran}\n'
        )  # fmt: skip
    (tmp_path / "attributes").write_text("* diff=x -diff\n")
    fetching.github.push(pull, {"app.py": "a = 3\n"})
    try:
        fetched = await fetching.fetch(pull)
        assert b"+a = 3" in fetched.diff
    finally:
        assert not ran.exists()


ATTRIBUTES = "* -diff -text binary\n*.py diff=evil filter=evil merge=evil ident eol=crlf working-tree-encoding=UTF-16\n"


@pytest.mark.parametrize("where", ["base", "head", "both"])
async def test_attributes_in_the_repository_hide_and_convert_nothing(fetching: Fetching, where: str) -> None:
    attributes = {".gitattributes": ATTRIBUTES, "d/.gitattributes": "*.py -diff\n", "d/x.py": "1\n"}
    base = {"d/x.py": "1\n", "id.py": "$Id$\n"} | (attributes if where != "head" else {})
    head = {"app.py": "a = 2\n", "id.py": "$Id$ 2\n", "d/x.py": "2\n"} | (
        {".gitattributes": ATTRIBUTES} if where != "base" else {}
    )
    fetched = await fetching.fetch(fetching.opened(base, head))
    for line in (b"+a = 2", b"+$Id$ 2", b"+2"):
        assert line in fetched.diff.splitlines()
    assert dict(await fetched.checkout.read(End.HEAD, ["id.py"])) == {"id.py": b"$Id$ 2\n"}


async def test_an_lfs_pointer_is_read_as_the_pointer_and_asks_nobody(
    fetching: Fetching, elsewhere: tuple[Recorder, str]
) -> None:
    stranger, url = elsewhere
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    lfs = {".lfsconfig": f"[lfs]\n\turl = {url}\n", ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"}
    fetched = await fetching.fetch(fetching.opened(lfs, {"model.bin": pointer}))
    assert dict(await fetched.checkout.read(End.HEAD, ["model.bin"])) == {"model.bin": pointer.encode()}
    assert stranger.heard == []
    assert not any("lfs" in asked.path for asked in fetching.github.requests)


async def test_a_submodule_is_a_commit_id_and_its_address_is_never_asked(
    fetching: Fetching, elsewhere: tuple[Recorder, str]
) -> None:
    stranger, url = elsewhere
    modules = (
        f'[submodule "s"]\n\tpath = s\n\turl = {url}/s.git\n\tupdate = !touch /tmp/never\n'
        '[submodule "-u"]\n\turl = --upload-pack=id\n'
    )
    fetched = await fetching.fetch(fetching.opened({".gitmodules": "\n"}, {".gitmodules": modules, "s": Submodule("7" * 40)}))
    assert b"+Subproject commit " + b"7" * 40 in fetched.diff
    assert dict(await fetched.checkout.read(End.HEAD, ["s", "s/x", ".gitmodules"])) == {".gitmodules": modules.encode()}
    assert stranger.heard == []


async def test_a_symlink_is_shown_and_never_followed(fetching: Fetching) -> None:
    links = {
        "etc": Symlink("/etc"),
        "up": Symlink("../" * 12 + "etc/passwd"),
        "self": Symlink("self"),
        "near": Symlink("app.py"),
    }
    fetched = await fetching.fetch(fetching.opened({}, {**links, "f": "1\n"}))
    assert {file.kind for file in parse_diff(fetched.diff).files if file.path in links} == {FileKind.SYMLINK}
    asked = [*links, "etc/passwd", "near/x", "f"]
    assert dict(await fetched.checkout.read(End.HEAD, asked)) == {"f": b"1\n"}


def raw_tree(repository: Path, rows: list[tuple[str, str, str]]) -> str:
    """A tree with any names, past all checks; gives its id."""
    raw = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in rows)
    return git(repository, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=raw).decode().strip()


@pytest.mark.parametrize("name", ["..", ".git", ".", "../../x", "/etc/passwd", "a/b", ""])
async def test_a_tree_with_names_that_no_file_system_may_see_is_harmless(fetching: Fetching, name: str) -> None:
    path = fetching.repository.path
    blob = git(path, "hash-object", "-w", "--stdin", stdin=b"evil\n").decode().strip()
    tree = raw_tree(path, [("100644", name, blob), ("100644", "zz.py", blob)])
    head = (
        git(path, "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-p", "main", "-m", "evil").decode().strip()
    )
    pull = fetching.github.open_pull_request(fetching.repository, head_rev=head)
    before = set(fetching.folder.parent.rglob("*"))
    try:
        fetched = await fetching.fetch(pull)
        assert "zz.py" in {file.path for file in parse_diff(fetched.diff).files}
        assert (await fetched.checkout.read(End.HEAD, [name, "zz.py"]))["zz.py"] == b"evil\n"
    except GitFailed:
        pass  # git may refuse such a tree altogether
    new = {file for file in set(fetching.folder.parent.rglob("*")) - before if fetching.folder not in file.parents}
    assert {file for file in new if "github" not in file.parts} <= {fetching.folder}


async def test_replace_refs_and_grafts_in_the_repository_change_nothing(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    git(fetching.repository.path, "replace", pull.head_sha, pull.base_sha)
    assert b"+a = 2" in (await fetching.fetch(pull)).diff
    names = git(fetching.place.path, "for-each-ref", "--format=%(refname)").decode().split()
    assert names == ["refs/refactoriq/1/base", "refs/refactoriq/1/head"]


async def test_tags_and_other_branches_are_not_fetched(fetching: Fetching) -> None:
    git(fetching.repository.path, "tag", "v1", "main")
    git(fetching.repository.path, "branch", "other", "main")
    await fetching.fetch(fetching.opened({}, {"app.py": "a = 2\n"}))
    assert not list((fetching.place.path / "refs").glob("tags/*"))
    assert len(git(fetching.place.path, "for-each-ref").splitlines()) == 2


async def memory_of_the_diff(fetching: Fetching, pull: PullRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, int]:
    """The fetched diff, and the most kilobytes that git took for it."""
    commands: list[list[str]] = []

    async def noting(command: list[str], *more: object, **named: object) -> Ended:
        commands.append(list(command))
        return await run(command, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("bot.git.objects.run", noting)
    fetched = await fetching.fetch(pull)
    diff = next(command for command in commands if "-p" in command)
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-S", "-c", script, *diff]
    told = subprocess.run(command, env=offline_environment(), capture_output=True, text=True, check=True)
    return fetched.diff, int(told.stdout)


@pytest.mark.slow
async def test_an_altered_large_file_does_not_fill_the_memory(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = b"\0" * 60_000_000
    pull = fetching.opened({"a.bin": zeros}, {"a.bin": zeros + b"a"})
    diff, kilobytes = await memory_of_the_diff(fetching, pull, monkeypatch)
    assert [file.kind for file in parse_diff(diff).files] == [FileKind.BINARY]
    assert kilobytes < 60_000
