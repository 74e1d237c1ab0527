"""The hostile server and machine: no redirect is followed, no setting counts, and no token leaves its one address."""

import asyncio
import base64
import re
import subprocess
from pathlib import Path

import pytest

from bot.git.errors import GitFailed, GitRefused, understood
from bot.git.process import Bounds, run
from bot.git.safety import Remote, git_program, offline_environment, online_environment
from review.errors import UserError
from tests.bot.git.conftest import Fetching, Recorder
from tests.builders import git
from tests.sandbox.serving import Serving

pytestmark = pytest.mark.integration


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
