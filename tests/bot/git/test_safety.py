"""The hostile repository and the hostile server: nothing runs, nothing is followed, and no token leaves its one address."""

import asyncio
import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.git.errors import GitFailed, GitRefused, understood
from bot.git.process import Bounds, Ended, run
from bot.git.safety import Remote, git_program, offline_environment, online_environment
from review.change import End
from review.diff import FileKind
from review.errors import UserError
from review.parse_diff import parse_diff
from tests.bot.git.conftest import Fetching
from tests.builders import Submodule, Symlink, git
from tests.sandbox.serving import Scope, Serving
from tests.sandbox.world import PullRequest

pytestmark = pytest.mark.integration


class Recorder:
    """A server that answers every request alike and remembers what it heard."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status, self.headers = status, headers
        self.heard: list[tuple[str, dict[bytes, bytes]]] = []

    async def __call__(self, scope: Scope, receive: object, send: object) -> None:
        self.heard.append((scope["path"], dict(scope["headers"])))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"moved"})  # type: ignore[operator]


@pytest.fixture
def elsewhere() -> Iterator[tuple[Recorder, str]]:
    """A server of somebody else's, and its address."""
    recorder = Recorder(200, [(b"content-type", b"text/plain")])
    serving = Serving(recorder)
    yield recorder, serving.start()
    serving.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_so_that_the_token_stays(
    fetching: Fetching, elsewhere: tuple[Recorder, str], status: int
) -> None:
    stranger, url = elsewhere
    redirecting = Recorder(status, [(b"location", f"{url}/octo/app.git/info/refs?service=git-upload-pack".encode())])
    serving = Serving(redirecting)
    remote = Remote(f"{serving.start()}/octo/app.git", "ghs_secret")
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    with pytest.raises(GitRefused):
        await fetching.fetch(pull, remote=remote)
    serving.stop()
    assert redirecting.heard[0][1][b"authorization"]
    assert stranger.heard == []


async def test_the_token_goes_to_its_own_host_and_port_only(elsewhere: tuple[Recorder, str]) -> None:
    stranger, url = elsewhere
    environment = online_environment(Remote("http://127.0.0.1:1/octo/app.git", "ghs_secret"))
    await run([git_program(), "ls-remote", f"{url}/octo/app.git"], environment, Bounds(seconds=10))
    assert stranger.heard
    assert all(b"authorization" not in headers for _, headers in stranger.heard)


async def test_the_token_stands_in_no_argument_list_file_or_word(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Looks at every process of the machine while git fetches slowly."""
    pull, remote = fetching.opened({}, {"app.py": "a = 2\n"}), fetching.remote()
    fetching.github.fault("*", "octo/app.git", "slow", times=2, seconds=0.15)
    task = asyncio.create_task(fetching.fetch(pull, remote=remote))
    lists: set[str] = set()
    while not task.done():
        for pid in Path("/proc").glob("[0-9]*"):
            try:
                lists.add((pid / "cmdline").read_text(errors="replace"))
            except OSError:
                continue
        await asyncio.sleep(0.01)
    await task
    secrets = (remote.token, remote.credential)
    assert any("git-remote-http" in words or "remote-http" in words for words in lists), "git was seen at work"
    assert not [words for words in lists if any(secret in words for secret in secrets)]
    assert not [f for f in fetching.folder.rglob("*") if f.is_file() and any(s.encode() in f.read_bytes() for s in secrets)]
    assert not any(secret in "".join(capfd.readouterr()) for secret in secrets)
    assert remote.token not in repr(remote)


@pytest.mark.parametrize("path", ["info/refs", "git-upload-pack"])
async def test_no_failure_tells_the_token(fetching: Fetching, path: str) -> None:
    pull, remote = fetching.opened({}, {"app.py": "a = 2\n"}), fetching.remote("ghs_" + "s3cr3t" * 40)
    fetching.github.fault("*", path, "500", times=9)
    with pytest.raises(GitFailed) as failed:
        await fetching.fetch(pull, remote=remote)
    assert "s3cr3t" not in str(failed.value)
    assert remote.credential not in str(failed.value)


def test_gits_words_are_cleared_of_token_credential_and_proxy() -> None:
    remote = Remote("https://github.com/a/b.git", "ghs_abc", proxy="http://me:pw@proxy:3128")
    told = f"fatal: ghs_abc and {base64.b64encode(b'x-access-token:ghs_abc').decode()} by http://me:pw@proxy:3128"
    assert remote.redacted(told) == "fatal: *** and *** by ***"
    assert "pw" not in repr(remote)
    assert Remote("https://github.com/a/b.git").redacted("fatal: nothing") == "fatal: nothing"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc", "/etc", "ext::sh -c id", "ssh://git@github.com/a/b", "git@github.com:a/b", "git://github.com/a",
        "https://user:pw@github.com/a/b", "https://@/a", "--upload-pack=id", "", "ftp://x/y", "http:///a",
    ],
)  # fmt: skip
def test_only_an_http_address_without_a_password_is_fetched_from(url: str) -> None:
    with pytest.raises(UserError) as refused:
        Remote(url)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("protocol", ["file", "ssh", "git", "ext", "https", "http"])
async def test_reading_can_use_no_transport_and_fetching_only_its_own(tmp_path: Path, protocol: str) -> None:
    git(tmp_path, "init", "-q", "--bare")
    address = {"file": str(tmp_path), "ext": f"ext::touch {tmp_path}/ran", "ssh": "ssh://localhost/x"}.get(
        protocol, f"{protocol}://127.0.0.1:1/x"
    )
    command = [git_program(), "-C", str(tmp_path), "ls-remote", address]
    for environment in (offline_environment(), online_environment(Remote("https://github.com/a/b.git", "t"))):
        ended = await run(command, environment, Bounds(seconds=10))
        allowed = environment["GIT_ALLOW_PROTOCOL"] == protocol
        assert ("not allowed" in ended.words) is not allowed, (protocol, ended.words)
    assert not (tmp_path / "ran").exists()


async def test_nothing_of_the_machines_configuration_and_environment_reaches_git(
    fetching: Fetching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = tmp_path / "home"
    hostile.mkdir()
    ran = tmp_path / "ran"
    (hostile / ".gitconfig").write_text(
        f'[core]\n\thooksPath = {hostile}\n\tsshCommand = touch {ran}\n\tfsmonitor = touch {ran}\n'
        f'[alias]\n\tfetch = !touch {ran}\n'
        f'[url "http://127.0.0.1:1/"]\n\tinsteadOf = {fetching.github.url}\n[credential]\n\thelper = "!touch {ran}"\n'
    )  # fmt: skip
    for name, value in {
        "HOME": str(hostile), "XDG_CONFIG_HOME": str(hostile), "GIT_CONFIG_GLOBAL": str(hostile / ".gitconfig"),
        "GIT_DIR": "/nowhere",
        "GIT_SSH_COMMAND": f"touch {ran}", "GIT_EXTERNAL_DIFF": f"touch {ran}", "GIT_PROXY_COMMAND": f"touch {ran}",
        "http_proxy": "http://127.0.0.1:1", "GIT_ASKPASS": f"touch {ran}", "GIT_TRACE": str(tmp_path / "trace"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    pull_files = {"app.py": "a = 2\n"}
    pull = fetching.opened({}, pull_files)
    assert b"+a = 2" in (await fetching.fetch(pull)).diff
    with pytest.raises(GitRefused):
        await fetching.fetch(pull, remote=fetching.remote("wrong"))
    assert not ran.exists()
    assert not (tmp_path / "trace").exists()


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


async def test_an_altered_large_file_does_not_fill_the_memory(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = b"\0" * 60_000_000
    pull = fetching.opened({"a.bin": zeros}, {"a.bin": zeros + b"a"})
    diff, kilobytes = await memory_of_the_diff(fetching, pull, monkeypatch)
    assert [file.kind for file in parse_diff(diff).files] == [FileKind.BINARY]
    assert kilobytes < 60_000


def test_words_of_git_are_understood() -> None:
    cases = {
        "fatal: remote error: upload-pack: not our ref 123": "NoSuchCommit",
        "fatal: couldn't find remote ref refs/heads/x": "NoSuchCommit",
        "remote: Repository not found.\nfatal: repository 'https://x/' not found": "GitRefused",
        "fatal: unable to access 'https://x/': The requested URL returned error: 403": "GitRefused",
        "fatal: unable to access 'https://x/': The requested URL returned error: 429": "GitAway",
        "fatal: could not read Username for 'https://x': terminal prompts disabled": "GitRefused",
        "fatal: unable to access 'https://x/': Could not resolve host: x": "GitAway",
        "fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate": "GitAway",
        "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly\nfatal: early EOF": "GitAway",
        "fatal: index-pack died of signal 25": "GitTooMuch",
        "fatal: loose object 12 is corrupt": "GitFailed",
        "error: unable to write file: No space left on device": "GitFailed",
    }
    assert {words: type(understood(words)).__name__ for words in cases} == cases


def test_a_proxy_and_a_certificate_file_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    remote = Remote("https://ghe.example/a/b.git", "t", proxy="http://proxy:3128", ca_file="/etc/ca.pem")
    environment = online_environment(remote)
    assert (environment["https_proxy"], environment["GIT_SSL_CAINFO"]) == ("http://proxy:3128", "/etc/ca.pem")
    monkeypatch.setenv("no_proxy", "ghe.example,localhost")
    assert "https_proxy" not in online_environment(remote)


async def test_git_really_goes_through_the_proxy(elsewhere: tuple[Recorder, str], tmp_path: Path) -> None:
    proxy, url = elsewhere
    remote = Remote("https://ghe.example/a/b.git", "ghs_secret", proxy=url)
    ended = await run([git_program(), "ls-remote", remote.url], online_environment(remote), Bounds(seconds=10))
    assert ended.code != 0
    assert re.search("CONNECT|Proxy|proxy|SSL|HTTP", ended.words)
    assert all(b"authorization" not in headers for _, headers in proxy.heard)


def test_every_setting_reaches_git_and_wins_over_files(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare")
    (tmp_path / "config").write_text("[core]\n\thooksPath = /evil\n\tbare = true\n[protocol]\n\tallow = always\n")
    told = subprocess.run(
        ["git", "-C", str(tmp_path), "config", "--get-regexp", "hookspath|protocol.allow|attr.tree"],
        env=offline_environment({"extra.setting": "1"}), capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert told[-3:] == [
        "attr.tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904", "core.hookspath /dev/null", "protocol.allow never",
    ]  # fmt: skip


async def test_a_missing_git_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    git_program.cache_clear()
    with pytest.raises(UserError, match="install git"):
        git_program()
    git_program.cache_clear()
