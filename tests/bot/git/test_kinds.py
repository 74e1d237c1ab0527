"""Every kind of change in a real repository: our diff is GitHub's, and both ends read as git holds them."""

import re

import pytest

from review.change import End
from review.diff import FileKind, FileStatus
from review.parse_diff import parse_diff
from tests.bot.git.conftest import Fetching
from tests.builders import Content, Executable, Files, Submodule, Symlink, git
from tests.sandbox.world import PullRequest

pytestmark = pytest.mark.integration

LONG = "".join(f"line {number}\n" for number in range(40))
ODD = "caf\udce9 \udcff.txt"
"""A name that is not UTF-8."""

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 9\n"

KINDS: dict[str, tuple[Files, Files]] = {
    "added": ({}, {"new/deep/file.py": "x = 1\n"}),
    "modified far apart": ({"f": LONG}, {"f": LONG.replace("line 3\n", "LINE 3\n").replace("line 30\n", "")}),
    "renamed": ({"old.py": LONG}, {"old.py": None, "new.py": LONG}),
    "renamed and altered": ({"old.py": LONG}, {"old.py": None, "d/new.py": LONG.replace("line 7", "line seven")}),
    "copied": ({"a.py": LONG}, {"b.py": LONG}),
    "rewritten under a new name": ({"a.py": LONG}, {"a.py": None, "b.py": LONG.upper()}),
    "deleted": ({"gone.py": LONG}, {"gone.py": None}),
    "binary": ({"b.bin": b"\0\1\2" * 99}, {"b.bin": b"\0\3" * 99, "new.bin": bytes(range(256))}),
    "mode only": ({"run.sh": "echo\n"}, {"run.sh": Executable("echo\n")}),
    "mode and content": ({"run.sh": "echo\n"}, {"run.sh": Executable("echo 1\n")}),
    "submodule": ({"s": Submodule("1" * 40)}, {"s": Submodule("2" * 40), "t": Submodule()}),
    "submodule instead of a file": ({"s": "text\n"}, {"s": Submodule()}),
    "symlink": ({"l": Symlink("app.py")}, {"l": Symlink("README.md"), "out": Symlink("../../../etc/passwd")}),
    "symlink instead of a file": ({"f": "text\n"}, {"f": Symlink("/etc/passwd")}),
    "file instead of a symlink": ({"f": Symlink("app.py")}, {"f": "text\n"}),
    "file instead of a folder": ({"d/a": "1\n", "d/b": "2\n"}, {"d/a": None, "d/b": None, "d": "3\n"}),
    "CRLF": ({"dos.txt": "a\r\nb\r\nc\r\n"}, {"dos.txt": "a\r\nB\r\nc\r\n", "mixed": "a\r\nb\nc\rd\n"}),
    "CRLF becomes LF": ({"dos.txt": "a\r\nb\r\n"}, {"dos.txt": "a\nb\n"}),
    "no newline at the end": ({"n": "a\nb"}, {"n": "a\nb\nc", "m": "only"}),
    "newline at the end comes": ({"n": "a\nb"}, {"n": "a\nb\n"}),
    "newline at the end goes": ({"n": "a\nb\n"}, {"n": "a\nb"}),
    "empty": ({"e": "", "f": "x\n", "g": ""}, {"e": "x\n", "f": "", "g": None, "h": ""}),
    "odd names": (
        {"a b.py": "1\n"},
        {"a b.py": "2\n", "tab\there": "1\n", 'quo"te': "1\n", "back\\slash": "1\n", "new\nline": "1\n"},
    ),
    "unicode names": ({"ä.py": "1\n"}, {"ä.py": "2\n", "日本/語 .txt": "1\n", "e\u0301": "1\n", "\u202egpj.exe": "1\n"}),
    "a name that is not UTF-8": ({ODD: "1\n"}, {ODD: "2\n"}),
    "names like options and headers": (
        {}, {"--output=x": "1\n", "-rf": "1\n", "a b/c": "1\n", "diff --git a b": "1\n", ":(top)x": "1\n", "*": "1\n"},
    ),
    "only the case differs": ({"File": "1\n"}, {"File": "2\n", "file": "3\n", "FILE": "4\n"}),
    "content that looks like a diff": ({"p": "x\n"}, {"p": "--- a/p\n+++ b/p\n@@ -1 +1 @@\n-- x\n++ y\ndiff --git a/q b/q\n"}),
    "strange line ends": ({"u": "a\fb\vc\x1cd\n"}, {"u": "a\fb\vc\x1cd\u2028e\x85f\n"}),
    "not UTF-8": ({"latin": b"caf\xe9\n"}, {"latin": b"caf\xe9s\n"}),
    "LFS pointer": ({}, {"big.bin": POINTER, ".gitattributes": "*.bin filter=lfs diff=lfs -text\n"}),
}  # fmt: skip


def without_ids(diff: bytes) -> bytes:
    """GitHub shortens the blobs' ids, we do not."""
    return re.sub(rb"^index [0-9a-f]+\.\.[0-9a-f]+", b"index", diff, flags=re.MULTILINE)


def regular_files(fetching: Fetching, commit: str) -> dict[str, bytes]:
    """Path and bytes of every regular file of a commit, as git on the server tells it."""
    rows = git(fetching.repository.path, "ls-tree", "-r", "-z", commit).split(b"\0")[:-1]
    found = {}
    for row in rows:
        about, _, path = row.partition(b"\t")
        mode, _, oid = about.decode().split()
        if mode.startswith("100"):
            found[path.decode(errors="surrogateescape")] = git(fetching.repository.path, "cat-file", "blob", oid)
    return found


async def held_against_github(fetching: Fetching, pull: PullRequest) -> None:
    fetched = await fetching.fetch(pull)
    changes = pull.changes
    assert without_ids(fetched.diff) == without_ids(changes.text)
    assert list(fetched.checkout.commits.values()) == [changes.merge_base, pull.head_sha]
    for end, commit in fetched.checkout.commits.items():
        files = regular_files(fetching, commit)
        asked = {file.path for file in changes.files} | {file.previous_path or file.path for file in changes.files}
        assert dict(await fetched.checkout.read(end, sorted(asked))) == {path: files[path] for path in asked if path in files}
    shown = {(file.path, str(file.status)) for file in parse_diff(fetched.diff).files}
    words = {"changed": "modified", "copied": "added"}
    assert shown == {(file.path, words.get(file.status, file.status)) for file in changes.files}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_change_comes_as_github_shows_it(fetching: Fetching, kind: str) -> None:
    await held_against_github(fetching, fetching.opened(*KINDS[kind]))


async def test_three_thousand_files_come_whole_in_two_requests(fetching: Fetching) -> None:
    pull = fetching.opened({}, {f"d{n % 60}/f{n}.py": f"x = {n}\n" for n in range(3_000)})
    fetched = await fetching.fetch(pull)
    diff = parse_diff(fetched.diff)
    assert {file.status for file in diff.files} == {FileStatus.ADDED}
    assert (len(diff.files), diff.changed_lines) == (3_000, 3_000)
    assert len(await fetched.checkout.read(End.HEAD, [file.path for file in diff.files])) == 3_000
    assert fetching.git_requests() <= 6, "each fetch asks for refs, then for a pack"


async def test_ten_thousand_lines_come_whole(fetching: Fetching) -> None:
    base = {f"m{n}.py": "".join(f"x{i} = {i}\n" for i in range(500)) for n in range(10)}
    head = {name: str(text).replace(" = ", " = 1 + ") for name, text in base.items()}
    pull = fetching.opened(base, head)
    await held_against_github(fetching, pull)
    assert pull.changes.additions + pull.changes.deletions == 10_000


async def test_what_is_unchanged_is_read_too_and_fetched_only_then(fetching: Fetching) -> None:
    fetched = await fetching.fetch(fetching.opened({"lib/far.py": "far = 1\n", "near.py": "1\n"}, {"near.py": "2\n"}))
    before = fetching.git_requests()
    read = await fetched.checkout.read(End.HEAD, ["lib/far.py", "README.md", "lib", "lib/", "none.py", "near.py"])
    assert dict(read) == {"lib/far.py": b"far = 1\n", "README.md": b"Hello\n", "near.py": b"2\n"}
    after = fetching.git_requests()
    assert after > before
    await fetched.checkout.read(End.BASE, ["lib/far.py", "README.md"])
    assert fetching.git_requests() == after


async def test_a_file_over_the_bound_is_absent(fetching: Fetching) -> None:
    fetched = await fetching.fetch(fetching.opened({}, {"big.txt": "x" * 1_000_001, "fits.txt": "x" * 1_000_000}))
    assert set(await fetched.checkout.read(End.HEAD, ["big.txt", "fits.txt"])) == {"fits.txt"}


async def test_a_file_far_too_large_to_compare_is_binary(fetching: Fetching) -> None:
    fetched = await fetching.fetch(fetching.opened({}, {"huge.txt": "some text\n" * 2_200_000}))
    assert [file.kind for file in parse_diff(fetched.diff).files] == [FileKind.BINARY]


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../app.py", "/etc/passwd", "a/../../x", "nul\0", "x" * 200_000, "\ud800", "./app.py", "app.py/"]
)
async def test_a_path_that_cannot_be_is_simply_absent(fetching: Fetching, path: str) -> None:
    content: Content = "1\n"
    fetched = await fetching.fetch(fetching.opened({}, {"x": content}))
    assert dict(await fetched.checkout.read(End.HEAD, [path, "app.py"])) == {"app.py": b"a = 1\nb = 2\nc = 3\n"}
