"""Fetching a change: merge bases over short and long histories, forks, heads and branches that are gone, second fetches."""

import pytest

from bot.git.errors import GitAway, GitRefused, GitTooMuch, NoSuchCommit, NothingInCommon
from bot.git.fetching import Fetched, Fetcher, Wanted
from review.change import End
from tests.bot.git.conftest import HOST, Fetching, line_of_commits, wanted
from tests.builders import Symlink, commit, git
from tests.sandbox import git_http
from tests.sandbox.world import PullRequest

pytestmark = pytest.mark.integration


def shallow(fetching: Fetching) -> bool:
    return (fetching.place.path / "shallow").exists()


def base_of(fetched: Fetched) -> str:
    return fetched.checkout.commits[End.BASE]


def opened_at(fetching: Fetching, head: str) -> PullRequest:
    return fetching.github.open_pull_request(fetching.repository, head_rev=head)


async def test_the_base_branch_that_moved_on_does_not_show_in_the_diff(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    tip = fetching.github.push_base(fetching.repository, {"elsewhere.py": "x = 1\n", ".refactoriq.yml": "paths: {}\n"})
    fetched = await fetching.fetch(pull, ".refactoriq.yml", "none.yml")
    assert (fetched.tip, base_of(fetched)) == (tip, pull.base_sha)
    assert b"elsewhere" not in fetched.diff
    assert fetched.also == {".refactoriq.yml": b"paths: {}\n"}


async def test_a_wanted_file_that_is_a_link_or_folder_does_not_come(fetching: Fetching) -> None:
    pull = fetching.opened({"link.yml": Symlink("app.py"), "d/x": "1\n"}, {"app.py": "a = 2\n"})
    assert (await fetching.fetch(pull, "link.yml", "d")).also == {}


async def test_a_forks_head_comes_from_the_base_repository(fetching: Fetching) -> None:
    fork = fetching.github.fork(fetching.repository, "visitor")
    pull = fetching.github.open_pull_request(fetching.repository, {"app.py": "a = 2\n"}, fork=fork, author="visitor")
    fetched = await fetching.fetch(pull)
    assert b"+a = 2" in fetched.diff
    assert not any("visitor" in asked.path for asked in fetching.github.requests)


@pytest.mark.parametrize(("behind", "ahead"), [(5, 5), (29, 1), (1, 45), (120, 90), (450, 2)])
async def test_the_merge_base_is_found_however_far_the_ends_have_gone(fetching: Fetching, behind: int, ahead: int) -> None:
    path, start = fetching.repository.path, fetching.repository.resolve("main")
    line_of_commits(path, behind, ref="refs/heads/main", since=start, file="base-log")
    head = line_of_commits(path, ahead, ref="refs/heads/change", since=start, file="head-log")[-1]
    fetched = await fetching.fetch(opened_at(fetching, head))
    assert base_of(fetched) == start
    assert b"head-log" in fetched.diff
    assert b"base-log" not in fetched.diff


async def test_a_long_history_is_not_fetched_for_a_short_change(fetching: Fetching) -> None:
    line_of_commits(fetching.repository.path, 600, ref="refs/heads/main", since=fetching.repository.resolve("main"))
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    await fetching.fetch(pull)
    assert shallow(fetching)
    here = git(fetching.place.path, "rev-list", "--count", pull.head_sha)
    assert int(here) < 40


async def test_of_two_merge_bases_gits_own_choice_is_taken_also_where_history_was_cut(fetching: Fetching) -> None:
    path = fetching.repository.path
    start = line_of_commits(path, 60, ref="refs/heads/main", since=fetching.repository.resolve("main"))[-1]
    left = commit(path, {"left": "1\n"}, parents=[start], ref="refs/heads/main", message="left")
    right = commit(path, {"right": "1\n"}, parents=[start], ref="refs/heads/x", message="right")
    crossed = commit(path, {"right": "1\n"}, parents=[left, right], ref="refs/heads/main", message="m1")
    back = commit(path, {"left": "1\n"}, parents=[right, left], ref="refs/heads/x", message="m2")
    commit(path, {"more": "1\n"}, parents=[crossed], ref="refs/heads/main", message="more")
    head = commit(path, {"app.py": "a = 2\n"}, parents=[back], ref="refs/heads/change", message="head")
    pull = opened_at(fetching, head)
    fetched = await fetching.fetch(pull)
    assert base_of(fetched) in {left, right}
    assert base_of(fetched) == pull.changes.merge_base


async def test_a_head_that_merged_the_base_branch_is_compared_from_there(fetching: Fetching) -> None:
    path, start = fetching.repository.path, fetching.repository.resolve("main")
    main = line_of_commits(path, 50, ref="refs/heads/main", since=start, file="base-log")[-1]
    side = line_of_commits(path, 50, ref="refs/heads/change", since=start, file="head-log")[-1]
    head = commit(path, {"base-log": "base-log 50\n"}, parents=[side, main], ref="refs/heads/change", message="merge")
    fetched = await fetching.fetch(opened_at(fetching, head))
    assert base_of(fetched) == main
    assert b"base-log" not in fetched.diff


async def test_an_old_branch_merged_late_does_not_hide_the_true_merge_base(fetching: Fetching) -> None:
    """The first 30 generations of both show a common commit, but not the best one."""
    path, start = fetching.repository.path, str(fetching.repository.resolve("main"))
    shared = line_of_commits(path, 100, ref="refs/heads/main", since=start, file="log")[-1]
    long_side = line_of_commits(path, 40, ref="refs/heads/side", since=shared, file="side")[-1]
    main = commit(path, {"main": "1\n"}, parents=[start, long_side], ref="refs/heads/main", message="main")
    head = commit(path, {"head": "1\n"}, parents=[start, shared], ref="refs/heads/change", message="head")
    pull = opened_at(fetching, head)
    fetched = await fetching.fetch(pull)
    assert base_of(fetched) == pull.changes.merge_base == shared
    assert main == fetched.tip


async def test_histories_without_a_common_commit_are_told_apart(fetching: Fetching) -> None:
    alone = commit(fetching.repository.path, {"x": "1\n"}, ref="refs/heads/alone", message="An orphan")
    with pytest.raises(NothingInCommon):
        await fetching.fetch(opened_at(fetching, alone))


async def test_a_base_branch_that_is_gone_is_replaced_by_the_commit_it_stood_at(fetching: Fetching) -> None:
    git(fetching.repository.path, "branch", "release", "main")
    pull = fetching.github.open_pull_request(fetching.repository, {"app.py": "a = 2\n"}, base_ref="release")
    git(fetching.repository.path, "branch", "-D", "release")
    fetched = await fetching.fetch(pull)
    assert (fetched.tip, base_of(fetched)) == (pull.base_sha, pull.base_sha)


async def test_a_base_branch_that_was_pushed_over_is_compared_as_it_is_now(fetching: Fetching) -> None:
    first = str(fetching.repository.resolve("main"))
    fetching.github.push_base(fetching.repository, {"late.py": "1\n"})
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    git(fetching.repository.path, "update-ref", "refs/heads/main", first)
    fetched = await fetching.fetch(pull)
    assert (fetched.tip, base_of(fetched)) == (first, first)
    assert b"late.py" in fetched.diff


async def test_a_branch_with_an_odd_name_is_fetched(fetching: Fetching) -> None:
    name = "fe/ä-'\"$(x);&|<>%20#@!=,"
    git(fetching.repository.path, "update-ref", f"refs/heads/{name}", "main")
    pull = fetching.github.open_pull_request(fetching.repository, {"app.py": "a = 2\n"}, base_ref=name)
    assert b"+a = 2" in (await fetching.fetch(pull)).diff


@pytest.mark.parametrize("name", ["", "a b", "a:b", "--upload-pack=x:y", "*", "x\n+refs/heads/*:refs/heads/y", "a^{}"])
async def test_a_branch_name_that_git_forbids_never_reaches_git(fetching: Fetching, name: str) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    with pytest.raises(NoSuchCommit):
        await fetching.fetcher.fetch(HOST, 1, fetching.remote(), Wanted(1, pull.head_sha, name, pull.base_sha))
    assert fetching.git_requests() == 0


@pytest.mark.parametrize("sha", ["", "main", "HEAD", "--all", "0" * 39, "G" * 40, "refs/heads/main"])
async def test_a_head_that_is_no_commit_id_never_reaches_git(fetching: Fetching, sha: str) -> None:
    with pytest.raises(NoSuchCommit):
        await fetching.fetcher.fetch(HOST, 1, fetching.remote(), Wanted(1, sha, "main", "0" * 40))
    assert fetching.git_requests() == 0


async def test_a_head_that_was_pushed_over_is_still_served_by_its_id(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    old = wanted(pull)
    fetching.github.push(pull, {"app.py": "a = 3\n"}, force=True)
    fetched = await fetching.fetcher.fetch(HOST, fetching.repository.id, fetching.remote(), old)
    assert fetched.checkout.commits[End.HEAD] == old.head_sha
    assert b"+a = 2" in fetched.diff


async def test_a_head_that_is_in_the_repository_no_more_is_no_such_commit(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    old = wanted(pull)
    fetching.github.push(pull, {"app.py": "a = 3\n"}, force=True, forget=True)
    with pytest.raises(NoSuchCommit):
        await fetching.fetcher.fetch(HOST, fetching.repository.id, fetching.remote(), old)
    assert (await fetching.fetch(pull)).checkout.commits[End.HEAD] == pull.head_sha


async def test_a_server_that_serves_no_lone_ids_is_asked_for_the_pull_requests_ref(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    world = fetching.github.world
    no = {"uploadpack.allowReachableSHA1InWant": "false", "uploadpack.allowAnySHA1InWant": "false"}
    fetching.github.server._git = git_http.git_app(world.root, lambda name, token: True, no)
    git(fetching.repository.path, "update-ref", "-d", f"refs/heads/{pull.head_ref}")
    fetched = await fetching.fetch(pull)
    assert fetched.checkout.commits[End.HEAD] == pull.head_sha


async def test_the_second_fetch_brings_only_what_is_new(fetching: Fetching) -> None:
    noise = {f"data/{n}.txt": "".join(f"{n * i * 7919 % 1_000_003}\n" for i in range(400)) for n in range(40)}
    pull = fetching.opened(noise, {"data/1.txt": "1\n"})
    await fetching.fetch(pull)
    packs = {pack.name for pack in fetching.place.path.glob("objects/pack/*.pack")}
    fetching.github.push(pull, {"data/2.txt": "2\n"})
    fetched = await fetching.fetch(pull)
    new = [pack for pack in fetching.place.path.glob("objects/pack/*.pack") if pack.name not in packs]
    assert b"data/2.txt" in fetched.diff
    assert sum(pack.stat().st_size for pack in new) < 6_000, "one commit, two trees, two blobs"


@pytest.mark.parametrize("commits", [1, 100])
async def test_the_same_head_again_brings_nothing(fetching: Fetching, commits: int) -> None:
    path = fetching.repository.path
    line_of_commits(path, commits, ref="refs/heads/main", since=fetching.repository.resolve("main"))
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    first = await fetching.fetch(pull)
    packs = {pack.name for pack in fetching.place.path.glob("objects/pack/*.pack")}
    for _ in range(3):
        assert (await fetching.fetch(pull)).diff == first.diff
    new = [pack for pack in fetching.place.path.glob("objects/pack/*.pack") if pack.name not in packs]
    assert [pack.stat().st_size for pack in new] in ([], [32]), "at most the pack without objects, once"


async def test_files_that_no_change_touches_are_never_fetched(fetching: Fetching) -> None:
    pull = fetching.opened({"large.bin": bytes(range(256)) * 4_000}, {"app.py": "a = 2\n"})
    await fetching.fetch(pull)
    blob = git(fetching.repository.path, "rev-parse", "main:large.bin").decode().strip()
    here = git(fetching.place.path, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").decode().split()
    assert pull.head_sha in here
    assert blob not in here


async def test_a_pack_over_the_bound_is_given_up(fetching: Fetching) -> None:
    noise = b"".join((n * 2_654_435_761 % 2**32).to_bytes(4, "big") for n in range(400_000))
    pull = fetching.opened({}, {"noise.bin": noise})
    fetching.fetcher = Fetcher(fetching.fetcher.repositories, largest_pack=200_000)
    with pytest.raises(GitTooMuch, match="more than may be fetched"):
        await fetching.fetch(pull)
    assert not list(fetching.place.path.rglob("*.lock"))
    fetching.fetcher = Fetcher(fetching.fetcher.repositories)
    assert b"noise.bin" in (await fetching.fetch(pull)).diff


async def test_a_server_that_hangs_is_given_up_after_the_bound(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    fetching.github.fault("*", "octo/app.git", "hang", times=9)
    fetching.fetcher = Fetcher(fetching.fetcher.repositories, seconds=0.5)
    with pytest.raises(GitTooMuch, match=r"longer than 0\.5 seconds"):
        await fetching.fetch(pull)


@pytest.mark.parametrize("kind", ["500", "502", "503", "429", "lose_request", "html", "malformed"])
@pytest.mark.parametrize("path", ["info/refs", "git-upload-pack"])
async def test_a_server_that_is_broken_is_away(fetching: Fetching, kind: str, path: str) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    fetching.github.fault("*", path, kind, times=9)
    with pytest.raises(GitAway):
        await fetching.fetch(pull)


@pytest.mark.parametrize("kind", ["500", "html", "malformed", "lose_request"])
async def test_a_broken_answer_does_not_cost_the_copy_that_is_here(fetching: Fetching, kind: str) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    await fetching.fetch(pull)
    packs = {pack.name for pack in fetching.place.path.glob("objects/pack/*.pack")}
    fetching.github.push(pull, {"app.py": "a = 3\n"})
    fetching.github.fault("*", "info/refs", kind, times=9)
    with pytest.raises(GitAway):
        await fetching.fetch(pull)
    assert {pack.name for pack in fetching.place.path.glob("objects/pack/*.pack")} == packs


async def test_a_server_that_is_not_there_is_away(fetching: Fetching) -> None:
    pull, remote = fetching.opened({}, {"app.py": "a = 2\n"}), fetching.remote()
    fetching.github.stop()
    with pytest.raises(GitAway):
        await fetching.fetch(pull, remote=remote)


async def test_a_token_that_is_worth_nothing_is_refused(fetching: Fetching) -> None:
    pull = fetching.opened({}, {"app.py": "a = 2\n"})
    for token in ("", "ghs_wrong"):
        with pytest.raises(GitRefused):
            await fetching.fetch(pull, remote=fetching.remote(token))


async def test_a_token_revoked_between_two_fetches_is_refused_and_another_one_goes_on(fetching: Fetching) -> None:
    pull, remote = fetching.opened({}, {"app.py": "a = 2\n"}), fetching.remote()
    await fetching.fetch(pull, remote=remote)
    fetching.github.revoke_tokens()
    fetching.github.push(pull, {"app.py": "a = 3\n"})
    with pytest.raises(GitRefused):
        await fetching.fetch(pull, remote=remote)
    assert b"+a = 3" in (await fetching.fetch(pull)).diff


async def test_a_deleted_or_foreign_repository_is_refused(fetching: Fetching) -> None:
    pull, remote = fetching.opened({}, {"app.py": "a = 2\n"}), fetching.remote()
    fetching.github.delete_repository(fetching.repository)
    with pytest.raises(GitRefused):
        await fetching.fetch(pull, remote=remote)
