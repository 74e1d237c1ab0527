"""Where a change comes from: git first, the API behind it, and what could not be read is said."""

import pytest
import structlog

from bot.git.cache import Repositories
from bot.git.fetching import Fetcher
from bot.source import GitHubSource, Web
from handlers.host import Gone
from review.change import End
from review.diff import FileKind, FileStatus
from review.errors import Superseded
from tests.bot.conftest import RULES, Octo
from tests.builders import Executable, Files, Submodule, Symlink, commit, git

pytestmark = pytest.mark.integration


async def test_git_brings_the_change_both_ends_and_the_rules_for_one_token_call(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    read = await octo.read(pull)
    octo.hold_still()
    change = await octo.source.change(octo.installation.id, read)
    assert [file.path for file in change.diff.files] == ["app.py"]
    assert (change.base_sha, change.head_sha, change.title, change.unread) == (pull.base_sha, pull.head_sha, "A change", ())
    assert dict(await change.checkout.read(End.BASE, ["app.py"])) == {"app.py": b"a = 1\nb = 2\n"}
    assert dict(await change.checkout.read(End.HEAD, ["app.py", "lib.py"])) == {"app.py": b"a = 2\nb = 2\n", "lib.py": b"x\n"}
    assert await octo.source.rules(octo.installation.id, read) == RULES.encode()
    assert octo.rest() == []


async def test_rules_come_from_the_base_branchs_tip_and_never_from_the_head(octo: Octo) -> None:
    pull = octo.opened({".refactoriq.yml": "max_comments: 50\n"})
    octo.github.push_base(octo.repository, {".refactoriq.yml": "max_comments: 7\n"})
    await octo.change(pull)
    assert await octo.source.rules(octo.installation.id, await octo.read(pull)) == b"max_comments: 7\n"


@pytest.mark.parametrize("with_git", [True, False])
@pytest.mark.parametrize("content", [None, Symlink("lib.py"), Submodule()])
async def test_rules_that_are_no_file_on_the_base_are_none(octo: Octo, with_git: bool, content: Symlink | None) -> None:
    octo.github.push_base(octo.repository, {".refactoriq.yml": content})
    pull = octo.opened({".refactoriq.yml": "max_comments: 50\n"})
    if not with_git:
        octo.without_git()
    await octo.change(pull)
    assert await octo.source.rules(octo.installation.id, await octo.read(pull)) is None


async def test_rules_are_asked_of_the_api_where_git_was_not(octo: Octo) -> None:
    pull = octo.opened({".refactoriq.yml": "max_comments: 50\n"})
    assert await octo.source.rules(octo.installation.id, await octo.read(pull)) == RULES.encode()


async def test_a_forks_change_comes_by_git_and_by_the_api_alike(octo: Octo) -> None:
    fork = octo.github.fork(octo.repository, "visitor")
    pull = octo.github.open_pull_request(octo.repository, {"app.py": "a = 2\nb = 2\n"}, fork=fork, author="visitor")
    by_git = await octo.change(pull)
    octo.without_git()
    by_api = await octo.change(pull)
    assert by_api.diff == by_git.diff
    assert (by_api.base_sha, by_api.head_sha) == (by_git.base_sha, by_git.head_sha)
    assert dict(await by_api.checkout.read(End.HEAD, ["app.py"])) == {"app.py": b"a = 2\nb = 2\n"}


@pytest.mark.parametrize(
    ("kind", "said"),
    [("503", "git did not get through"), ("lose_request", "git did not get through"), ("403", "git was not let into")],
)
async def test_where_git_does_not_reach_the_repository_the_api_serves_and_it_is_said(octo: Octo, kind: str, said: str) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    octo.github.push_base(octo.repository, {"later.py": "1\n"})
    octo.without_git(kind)
    change = await octo.change(pull)
    assert [(file.path, file.additions) for file in change.diff.files] == [("app.py", 1)]
    assert change.unread == (
        f"{change.unread[0].split('.')[0]}. The change was read from GitHub's API instead, without the files around it.",
    )
    assert change.unread[0].startswith(said)
    assert change.base_sha == pull.base_sha, "the merge base, not the branch's tip"
    assert dict(await change.checkout.read(End.BASE, ["app.py", "lib.py"])) == {"app.py": b"a = 1\nb = 2\n"}


async def test_a_change_that_is_too_much_for_git_is_read_by_the_api(octo: Octo) -> None:
    noise = b"".join((n * 2_654_435_761 % 2**32).to_bytes(4, "big") for n in range(400_000))
    pull = octo.opened({"app.py": "a = 2\nb = 2\n", "noise.bin": noise})
    fetcher = Fetcher(Repositories(octo.folder), largest_pack=200_000)
    source = GitHubSource(fetcher, octo.client, Web(octo.github.url))
    change = await source.change(octo.installation.id, await octo.read(pull))
    assert change.unread[0].startswith("The server sent more than may be fetched.")
    assert {file.path: file.kind for file in change.diff.files} == {"app.py": FileKind.TEXT, "noise.bin": FileKind.BINARY}


async def test_a_stumble_of_git_is_asked_again_and_not_told(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    octo.github.fault("*", "info/refs", "503")
    assert (await octo.change(pull)).unread == ()


async def test_a_token_revoked_in_mid_review_is_renewed_for_git(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    read = await octo.read(pull)
    octo.github.revoke_tokens()
    assert (await octo.source.change(octo.installation.id, read)).unread == ()
    assert sum("access_tokens" in asked for asked in octo.rest()) == 2


async def test_a_head_that_is_gone_is_superseded_by_git(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    read = await octo.read(pull)
    octo.github.push(pull, {"app.py": "a = 3\nb = 2\n"}, force=True, forget=True)
    with pytest.raises(Superseded, match="pushed over"):
        await octo.source.change(octo.installation.id, read)


async def test_a_deleted_repository_or_installation_is_gone(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    read = await octo.read(pull)
    octo.github.delete_repository(octo.repository)
    with pytest.raises(Gone):
        await octo.source.change(octo.installation.id, read)
    octo.installation.removed = True
    with pytest.raises(Gone):
        await octo.source.change(octo.installation.id, read)


async def test_unrelated_histories_are_left_to_the_api(octo: Octo) -> None:
    alone = commit(octo.repository.path, {"x.py": "1\n"}, ref="refs/heads/alone", message="An orphan")
    change = await octo.change(octo.github.open_pull_request(octo.repository, head_rev=alone))
    assert change.unread[0].startswith("git could not read the repository.")
    assert "x.py" in {file.path for file in change.diff.files}


async def test_a_diff_too_large_for_github_comes_file_by_file(octo: Octo) -> None:
    head: Files = {f"d/f{n:03}.py": f"x = {n}\n" for n in range(310)}
    pull = octo.opened(head)
    octo.without_git()
    change = await octo.change(pull)
    assert len(change.diff.files) == 310
    assert {file.status for file in change.diff.files} == {FileStatus.ADDED}
    assert change.diff.changed_lines == 310
    assert len(change.unread) == 1


async def test_files_over_githubs_bound_are_counted_as_not_read(octo: Octo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.github.api_diff.MOST_PAGES", 2)
    pull = octo.opened({f"f{n:03}.py": "x\n" for n in range(310)})
    octo.without_git()
    change = await octo.change(pull)
    assert len(change.diff.files) == 200
    assert change.unread[1] == "GitHub lists 200 of the 310 changed files; the others were not read."


async def test_what_the_list_of_files_leaves_out_is_said_of_each_file(octo: Octo) -> None:
    base: Files = {"old.py": "1\n2\n3\n4\n", "run.sh": "x\n", "bin": b"\0\1", "kind": "x\n", "gone.py": "1\n"}
    head: Files = {
        "old.py": None, "new name.py": "1\n2\n3\n5\n", "run.sh": Executable("x\n"), "bin": b"\0\2", "kind": Symlink("run.sh"),
        "gone.py": None, "empty": "", "sub": Submodule(), "end": "no end", "long.txt": "x\n" * 20_001,
    }  # fmt: skip
    pull = octo.opened(head, base)
    octo.without_git()
    change = await octo.change(pull)
    files = {file.path: file for file in change.diff.files}
    assert {path for path, file in files.items() if file.unread} == {"run.sh", "bin", "long.txt"}
    assert files["new name.py"].status is FileStatus.RENAMED
    assert files["new name.py"].previous_path == "old.py"
    assert files["gone.py"].status is FileStatus.REMOVED
    assert (files["empty"].unread, files["empty"].hunks) == ("", ())
    assert [line.ends for line in files["end"].lines()] == [False]
    asked = ["new name.py", "gone.py", "end", "../etc/passwd", "lib.py", "old.py"]
    assert set(await change.checkout.read(End.HEAD, asked)) == {"new name.py", "end"}
    assert set(await change.checkout.read(End.BASE, asked)) == {"old.py", "gone.py"}


async def test_only_so_many_files_are_read_by_the_api_and_each_once(octo: Octo) -> None:
    pull = octo.opened({f"f{n:02}.py": f"{n}\n" for n in range(30)})
    octo.without_git()
    change = await octo.change(pull)
    paths = [file.path for file in change.diff.files]
    first = await change.checkout.read(End.HEAD, paths)
    assert len(first) == 20
    octo.hold_still()
    assert await change.checkout.read(End.HEAD, paths) == first
    assert octo.rest() == []


@pytest.mark.parametrize("name", ["ä b.py", "a#b?c%41.py", 'quo"te\\x.py', "tab\tnew\nline.py", "日本.py"])
async def test_the_api_reads_files_with_odd_names(octo: Octo, name: str) -> None:
    pull = octo.opened({name: "x = 1\n"})
    octo.without_git()
    change = await octo.change(pull)
    assert dict(await change.checkout.read(End.HEAD, [name])) == {name: b"x = 1\n"}


async def test_a_name_that_is_not_utf8_is_only_not_read(octo: Octo) -> None:
    pull = octo.opened({"caf\udce9.py": "x = 1\n", "ok.py": "1\n"})
    octo.without_git()
    change = await octo.change(pull)
    assert set(await change.checkout.read(End.HEAD, ["caf\udce9.py", "ok.py"])) == {"ok.py"}


async def test_git_failing_is_logged_without_the_token_and_told_without_git_words(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    octo.without_git()
    with structlog.testing.capture_logs() as logs:
        change = await octo.change(pull)
    token = await octo.client.identity.token(octo.installation.id)
    (entry,) = [entry for entry in logs if entry["event"] == "git_failed"]
    assert (entry["repository"], entry["number"]) == ("octo/app", 1)
    assert token not in str(logs)
    assert str(octo.folder) not in change.unread[0]


async def test_what_was_known_of_a_change_is_not_kept_for_ever(octo: Octo) -> None:
    for number in range(3):
        pull = octo.opened({"app.py": f"a = {number + 5}\n"})
        read = await octo.read(pull)
        await octo.source.change(octo.installation.id, read)
        await octo.source.rules(octo.installation.id, read)
    assert octo.source._rules == {}


async def test_a_renamed_repository_keeps_its_copy(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n"})
    await octo.change(pull)
    (kept,) = octo.folder.glob("*/*.git")
    assert kept.name == f"{octo.repository.id}.git"
    assert git(kept, "rev-parse", "refs/refactoriq/1/head").decode().strip() == pull.head_sha


async def test_a_change_carries_the_tree_that_it_starts_from_and_none_by_the_api(octo: Octo) -> None:
    pull = octo.opened({"app.py": "a = 2\nb = 2\n", "new.py": "1\n"})
    octo.github.push_base(octo.repository, {"later.py": "1\n"})
    tree = (await octo.change(pull)).tree
    assert tree is not None
    assert tree.sha == pull.base_sha
    assert {file.path for file in await tree.files()} == {".refactoriq.yml", "app.py", "lib.py"}
    octo.without_git()
    assert (await octo.change(pull)).tree is None
