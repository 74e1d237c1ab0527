"""Both servers together: data outlive restarts and crashes, one process at a time, nobody from outside, under any user."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from review.errors import UserError
from storage.embedded import child, embedded_services, running_services
from tests.process_tree import alive
from tests.storage.embedded.holding import holder, leave_a_trace, pids, traces

pytestmark = pytest.mark.integration

NOBODY, NAMELESS = 65534, 54321


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for all these tests, so that the cluster is made once."""
    with tempfile.TemporaryDirectory(prefix="riq-embedded-") as name:
        yield Path(name)


def wait_until_dead(*ids: int) -> None:
    deadline = time.monotonic() + 15
    while any(map(alive, ids)):
        assert time.monotonic() < deadline, f"still alive: {[pid for pid in ids if alive(pid)]}"
        time.sleep(0.02)


def listening_on_a_port(pid: int) -> set[str]:
    """The sockets of a process that listen on TCP, as the kernel counts them."""
    files = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    mine = {name.removeprefix("socket:[").removesuffix("]") for name in files if name.startswith("socket:")}
    lines = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]]
    return mine & {fields[9] for fields in lines if fields[3] == "0A"}


def test_what_was_written_is_there_after_a_restart(folder: Path) -> None:
    with embedded_services(folder) as services:
        leave_a_trace(services, "kept")
        before = pids(services)
    assert not any(map(alive, before))
    with embedded_services(folder) as services:
        assert all("kept" in words for words in traces(services))


def test_another_process_finds_them_as_long_as_they_run(folder: Path) -> None:
    with embedded_services(folder) as services:
        assert running_services(folder) == services
    assert running_services(folder) is None


def test_nothing_listens_on_a_network_and_nobody_else_gets_in(folder: Path) -> None:
    with embedded_services(folder) as services:
        assert [listening_on_a_port(pid) for pid in pids(services)] == [set(), set()]
        for name in ("run", "postgres", "postgres/data", "redis"):
            assert (name, oct(stat.S_IMODE((folder / name).stat().st_mode))) == (name, "0o700")


def test_a_second_process_on_the_same_folder_reads_what_to_do(folder: Path) -> None:
    with embedded_services(folder) as services:
        with holder(folder) as second:
            assert second.refused == (
                f"Another RefactorIQ already runs its services in {folder}: stop it, or set another DATA_DIR."
            )
        leave_a_trace(services, "undisturbed")


@pytest.mark.parametrize(
    ("name", "temporary"),
    [pytest.param("d" * 120, "t", marks=pytest.mark.fault), ("données & co, 100% #1?", "t" * 90)],
    ids=["long", "odd"],
)
def test_any_name_of_a_folder_will_do_that_of_the_temporary_one_too(
    tmp_path: Path, name: str, temporary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / temporary).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / temporary))
    with embedded_services(tmp_path / name, durable=False) as services:
        leave_a_trace(services, "there")
        assert traces(services) == ({"there"}, {"there"})
        sockets = Path(services.redis_url.removeprefix("unix://")).parent
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.exists()
    assert list((tmp_path / temporary).iterdir()) == []


@pytest.mark.fault
def test_a_process_that_is_killed_takes_its_servers_along_and_the_next_one_has_all_data(folder: Path) -> None:
    """At once, while the former servers are still stopping: neither the files nor the sockets are theirs any more."""
    for n in range(2):
        with holder(folder) as killed:
            leave_a_trace(killed.services, f"before kill {n}")
            servers = pids(killed.services)
            killed.kill()
        with holder(folder) as again:
            assert not any(map(alive, servers))
            assert all(f"before kill {n}" in words for words in traces(again.services))
    wait_until_dead(*servers)


@pytest.mark.fault
def test_servers_that_are_killed_themselves_recover(folder: Path) -> None:
    with embedded_services(folder) as services:
        leave_a_trace(services, "before the crash")
        time.sleep(1.1)  # Redis writes its file down every second
        for pid in pids(services):
            os.kill(pid, signal.SIGKILL)
    with embedded_services(folder) as services:
        assert all("before the crash" in words for words in traces(services))


@pytest.mark.fault
def test_a_process_id_that_belongs_to_somebody_else_by_now_stops_nobody(folder: Path) -> None:
    """In a container process ids come again: the one in a crashed server's file may be that of any process."""
    with embedded_services(folder) as services:
        os.kill(pids(services)[0], signal.SIGKILL)
    file = folder / "postgres" / "data" / "postmaster.pid"
    with subprocess.Popen(["sleep", "30"]) as other:
        file.write_text("\n".join([str(other.pid), *file.read_text().splitlines()[1:]]) + "\n")
        with embedded_services(folder) as services:
            leave_a_trace(services, "started")
        other.kill()


@pytest.mark.fault
@pytest.mark.parametrize("uid", [NOBODY, NAMELESS], ids=["a plain user", "a user id without a name"])
def test_it_runs_as_any_user(uid: int) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("Only root can become somebody else, with setpriv.")
    # It may read all files, since Python may lie in root's home; it may write nobody's but its own.
    caps = "+dac_read_search"
    words = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}"]
    with tempfile.TemporaryDirectory(prefix="riq-user-") as name:
        os.chown(name, uid, uid)
        with holder(Path(name), words) as held:
            if "forbids another" in held.refused:
                pytest.skip(held.refused)
            assert held.refused == ""
            postmaster, redis = pids(held.services)
            assert {Path(f"/proc/{pid}").stat().st_uid for pid in (postmaster, redis)} == {uid}
            leave_a_trace(held.services, "written")
        with holder(Path(name), words) as held:
            assert traces(held.services) == ({"written"}, {"written"})


@pytest.mark.fault
def test_root_runs_it_as_nobody_where_the_kernel_allows_no_user_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("Only root can become somebody else, with setpriv.")
    monkeypatch.setattr(child, "choose_user", lambda: child.RunAs.NOBODY)
    with tempfile.TemporaryDirectory(prefix="riq-nobody-") as name:
        for n in range(2):
            with embedded_services(Path(name)) as services:
                leave_a_trace(services, f"in start {n}")
                assert Path(f"/proc/{pids(services)[0]}").stat().st_uid == NOBODY
                assert all("in start 0" in words for words in traces(services))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True, mode=0o700)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(UserError, match=r"The embedded Postgres did not start\. Its words: .+"), embedded_services(tmp_path):
        pass


def test_an_embedded_postgres_is_safe_unless_a_test_wants_it_fast(folder: Path) -> None:
    with embedded_services(folder) as services, psycopg.connect(services.database_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)
