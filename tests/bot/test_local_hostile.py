"""A checkout whose configuration, attributes, hooks and remotes would run programs: for a review, none of them ever does."""

import os
import subprocess
from pathlib import Path

import pytest

from bot.local import local_change
from review.change import End
from review.diff import FileKind
from review.errors import UserError
from tests.builders import NO_CONFIGURATION, BuiltRepository, Submodule, a_checkout, a_repository, git

pytestmark = pytest.mark.integration


@pytest.fixture
def checkout(tmp_path: Path) -> BuiltRepository:
    return a_checkout(tmp_path / "checkout", {"app.py": "a = 1\n"}, {"app.py": "a = 1\nb = 2\n"})


HOSTILE = """
[core]
    fsmonitor = touch {mark}; false
    hooksPath = {hooks}
    sshCommand = touch {mark}
    worktree = {elsewhere}
    pager = touch {mark}
    editor = touch {mark}
    alternateRefsCommand = touch {mark}
    attributesFile = {attributes}
[filter "evil"]
    clean = touch {mark}; cat
    smudge = touch {mark}; cat
    process = touch {mark}
    required = true
[diff "evil"]
    textconv = touch {mark}
    command = touch {mark}
[diff]
    external = touch {mark}
[gpg]
    program = touch {mark}
[credential]
    helper = !touch {mark}
[remote "origin"]
    url = ext::sh -c touch% {mark}
    promisor = true
    partialCloneFilter = blob:none
[extensions]
    partialClone = origin
[alias]
    diff-tree = !touch {mark}
"""


async def test_nothing_that_the_checkouts_configuration_names_is_run(checkout: BuiltRepository, tmp_path: Path) -> None:
    mark, hooks = tmp_path / "run", tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "attributes").write_text("* filter=evil diff=evil\n")
    (checkout.path / ".gitattributes").write_text("* filter=evil diff=evil\n")
    names = {"mark": mark, "hooks": hooks, "elsewhere": tmp_path / "elsewhere", "attributes": tmp_path / "attributes"}
    with (checkout.path / ".git" / "config").open("a") as file:
        file.write(HOSTILE.format(**names))
    (checkout.path / "app.py").write_text("a = 1\nb = 3\n")
    before = {path: path.read_bytes() for path in (checkout.path / ".git").rglob("*") if path.is_file()}

    local = await local_change(checkout.path, None, None)

    assert {file.path for file in local.change.diff.files} == {".gitattributes", "app.py"}
    assert (await local.change.checkout.read(End.HEAD, ["app.py"]))["app.py"] == b"a = 1\nb = 3\n"
    assert not mark.exists()
    assert {path: path.read_bytes() for path in (checkout.path / ".git").rglob("*") if path.is_file()} == before


async def test_a_submodule_is_its_commit_and_nothing_in_it_is_run(tmp_path: Path) -> None:
    inner = a_checkout(tmp_path / "checkout" / "sub", {"inner.py": "1\n"}, {"inner.py": "2\n"})
    outer = a_checkout(tmp_path / "checkout", {"app.py": "1\n"}, {"sub": Submodule(inner.base)})
    mark = tmp_path / "run"
    with (inner.path / ".git" / "config").open("a") as file:
        file.write(f'[core]\n\tfsmonitor = touch {mark}; false\n[filter "evil"]\n\tclean = touch {mark}; cat\n')
    (inner.path / ".gitattributes").write_text("* filter=evil\n")
    (inner.path / "inner.py").write_text("3\n")
    local = await local_change(outer.path, None, None)
    assert [(file.path, file.kind) for file in local.change.diff.files] == [("sub", FileKind.SUBMODULE)]
    assert not mark.exists()


async def test_git_itself_would_have_run_it(checkout: BuiltRepository, tmp_path: Path) -> None:
    """The traps of the test above do go off: otherwise it would prove nothing."""
    mark = tmp_path / "run"
    names = dict.fromkeys(("hooks", "attributes"), tmp_path) | {"elsewhere": checkout.path, "mark": mark}
    (checkout.path / ".git" / "config").write_text((checkout.path / ".git" / "config").read_text() + HOSTILE.format(**names))
    subprocess.run(
        ["git", "-C", checkout.path, "status"], env=os.environ | NO_CONFIGURATION, capture_output=True, check=False, timeout=20
    )
    assert mark.exists()


async def test_what_is_not_here_is_not_fetched(tmp_path: Path) -> None:
    """A promisor remote would be asked for missing objects, by a transport that the repository names."""
    built = a_repository(tmp_path / "origin.git", {"app.py": "1\n"}, {"app.py": "2\n"})
    clone, mark = tmp_path / "clone", tmp_path / "run"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", "--no-local", f"file://{built.path}", str(clone))
    git(clone, "config", "remote.origin.url", f"ext::touch {mark}")
    git(clone, "config", "protocol.ext.allow", "always")
    with pytest.raises(UserError, match="partial clone"):
        await local_change(clone, "origin/main", "origin/change")
    assert not mark.exists()
