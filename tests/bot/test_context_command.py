"""`refactoriq context`: files and places with their reasons, for people and programs, and a sentence for what went wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import app
from bot.commands.context import context
from review.errors import RefactorIQError, UserError
from tests.builders import BuiltRepository, a_checkout, git

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
CLIENT = "from retry import retry\n\n\ndef fetch_page(url):\n    return url\n"
BASE = {
    "client.py": CLIENT,
    "retry.py": "def retry_slowly(call, times):\n    for _ in range(times):\n        call()\n",
    "download.py": "from client import fetch_page\n\n\ndef download(urls):\n    return [fetch_page(url) for url in urls]\n",
    **{f"other_{n}.py": f"def other_{n}(number):\n    return number + {n}\n" for n in range(6)},
}
HEAD = {"client.py": CLIENT.replace("return url", "return retry_slowly(lambda: url, times=3)")}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> BuiltRepository:
    return a_checkout(tmp_path_factory.mktemp("context") / "checkout", BASE, HEAD)


@pytest.fixture
def diff(checkout: BuiltRepository, tmp_path: Path) -> str:
    path = tmp_path / "change.diff"
    path.write_bytes(checkout.diff())
    return str(path)


def process(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "bot", "context", *arguments]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, check=False, timeout=60)


def test_a_program_reads_the_files_and_places_of_a_diff_on_stdin(checkout: BuiltRepository) -> None:
    done = process(
        str(checkout.path), "--rev", checkout.base[:12], "--diff", "-", "--format", "json", "-k", "2", stdin=checkout.diff()
    )
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout)
    assert told["rev"] == checkout.base
    assert [(file["rank"], set(file)) for file in told["files"]] == [(n, {"rank", "path", "score", "why"}) for n in (1, 2)]
    assert {file["path"] for file in told["files"]} == {"retry.py", "download.py"}
    (place,) = [place for place in told["places"] if place["path"] == "retry.py"]
    assert set(place) == {"path", "first_line", "last_line", "symbol", "why", "score", "text"}
    assert (place["first_line"], place["last_line"], place["symbol"]) == (1, 3, "retry_slowly")
    assert place["text"] == BASE["retry.py"].rstrip("\n")
    assert place["why"] == "defines `retry_slowly`, which the change uses"


def test_people_read_the_same(checkout: BuiltRepository, diff: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert context(checkout.path, checkout.base, diff, "text", 10) == 0
    out = capsys.readouterr().out
    assert (
        "retry.py:1-3 in retry_slowly: defines `retry_slowly`, which the change uses\n    def retry_slowly(call, times):\n"
        in out
    )
    assert out.index("retry.py") < out.index("other_")


@pytest.mark.parametrize("k", [1, 3, 8])
def test_as_many_files_are_told_as_were_asked_for(
    checkout: BuiltRepository, diff: str, k: int, capsys: pytest.CaptureFixture[str]
) -> None:
    context(checkout.path, checkout.base, diff, "json", k)
    files = json.loads(capsys.readouterr().out)["files"]
    assert [file["rank"] for file in files] == list(range(1, k + 1))
    assert [file["score"] for file in files] == sorted((file["score"] for file in files), reverse=True)
    assert "client.py" not in {file["path"] for file in files}


def test_the_repository_is_read_as_it_was_at_the_revision(
    checkout: BuiltRepository, diff: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.path / "retry.py").write_text("nothing\n")
    context(checkout.path, checkout.base, diff, "json", 10)
    git(checkout.path, "checkout", "--quiet", "retry.py")
    told = json.loads(capsys.readouterr().out)
    assert BASE["retry.py"].rstrip("\n") in [place["text"] for place in told["places"]]


def said(path: Path, rev: str, diff: str, format: str = "text", k: int = 10) -> str:
    with pytest.raises(RefactorIQError) as failed:
        context(path, rev, diff, format, k)
    return str(failed.value)


def test_what_went_wrong_is_a_sentence(checkout: BuiltRepository, diff: str, tmp_path: Path) -> None:
    bare = tmp_path / "empty"
    bare.mkdir()
    assert "is not in a git repository" in said(bare, "HEAD", diff)
    assert "does not exist" in said(tmp_path / "gone", "HEAD", diff)
    assert "has no commit nonsense" in said(checkout.path, "nonsense", diff)
    assert "has no commit --all" in said(checkout.path, "--all", diff)
    assert said(checkout.path, "HEAD", str(tmp_path / "no.diff")).startswith("The diff cannot be read: No such file")
    assert said(checkout.path, "HEAD", str(tmp_path)).startswith("The diff cannot be read: Is a directory")
    assert "-k 0 asks for nothing" in said(checkout.path, "HEAD", diff, k=0)
    assert "There is no format xml" in said(checkout.path, "HEAD", diff, format="xml")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The diff is empty"),
        (b"\n\n", "The diff is empty"),
        (b"hello\n", "not the output of `git diff`"),
        (bytes(range(256)) * 40, "not the output of `git diff`"),
        (b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,9 +1,9 @@\n x\n", "Nothing in the diff can be read"),
    ],
)
def test_a_diff_that_is_none_is_refused(checkout: BuiltRepository, tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "bad.diff"
    path.write_bytes(data)
    assert words in said(checkout.path, "HEAD", str(path))


def test_the_exit_code_of_a_mistake_is_2(checkout: BuiltRepository) -> None:
    done = process(str(checkout.path), "--rev", "nonsense", "--diff", "-", stdin=checkout.diff())
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"refactoriq: ") and b"Traceback" not in done.stderr


def test_nothing_in_a_repository_is_obeyed_by_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b]0;owned\x07\u202e.py"
    base = {"client.py": CLIENT, evil: "def retry_slowly(call, times):\n    return '\x1b[2J\x9b\u202e'\n"}
    built = a_checkout(tmp_path / "evil", base, HEAD)
    path = tmp_path / "evil.diff"
    path.write_bytes(built.diff())
    for format in ("text", "json"):
        context(built.path, built.base, str(path), format, 10)
        out = capsys.readouterr().out
        assert "retry_slowly" in out
        assert all(character.isprintable() or character == "\n" for character in out)


def test_where_nothing_is_beside_a_new_file_there_are_no_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = a_checkout(tmp_path / "new", {"README": ""}, {"a.py": "x = 1\n"})
    path = tmp_path / "new.diff"
    path.write_bytes(built.diff())
    assert context(built.path, built.base, str(path), "json", 10) == 0
    assert json.loads(capsys.readouterr().out)["places"] == []


def test_the_command_is_known() -> None:
    assert "context" in {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert issubclass(UserError, RefactorIQError)


def test_a_diff_whose_lines_got_windows_ends_on_the_way_asks_the_same(checkout: BuiltRepository) -> None:
    plain, windows = (
        process(str(checkout.path), "--rev", checkout.base, "--diff", "-", "--format", "json", stdin=diff)
        for diff in (checkout.diff(), checkout.diff().replace(b"\n", b"\r\n"))
    )
    assert json.loads(windows.stdout) == json.loads(plain.stdout)


def test_a_diff_whose_files_are_not_there_is_told_so(checkout: BuiltRepository, tmp_path: Path) -> None:
    elsewhere = tmp_path / "relative.diff"
    elsewhere.write_bytes(checkout.diff().replace(b"client.py", b"src/client.py"))
    with pytest.raises(UserError, match=r"src/client\.py is not in .* name the revision that the diff starts from"):
        context(checkout.path, checkout.base, str(elsewhere), "text", 3)
