"""Child processes that never outlive us: started with a death signal, ended in an orderly way."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from review.errors import UserError

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send us this signal when the thread that started us ends (Linux; elsewhere this does nothing)."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


class RunAs(Enum):
    """Under which user id a server runs. Postgres refuses root, and user ids without a name."""

    SELF = "our own user id"
    NAMESPACE = "our own user id, which a user namespace calls nobody: files stay ours"
    NOBODY = "nobody, allowed to enter any folder; its files must be given to it"


def start(
    command: Sequence[str | Path], log: Path, ends_with: signal.Signals, run_as: RunAs = RunAs.SELF, lock: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a server in the foreground, its output appended to `log`. It gets `ends_with` when this process dies.

    It inherits the file descriptor `lock`, and so holds that lock as long as it or a child of it lives.
    Call from the main thread: the kernel takes the end of the calling thread for the death of the parent.
    """
    words = [str(part) for part in command]
    if run_as is RunAs.NOBODY:
        words = [*_as_nobody(ends_with), *words]

    def prepare() -> None:
        if run_as is RunAs.NAMESPACE:
            become_nobody()
        die_with_parent(ends_with)

    with log.open("ab") as output:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
            preexec_fn=prepare,  # noqa: PLW1509  (unshare and prctl take no lock)
        )


def become_nobody() -> None:
    """Enter a user namespace in which our user id is that of `nobody`. Raises OSError where the kernel does not allow it."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1\n")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1\n")


def _as_nobody(ends_with: signal.Signals) -> list[str]:
    """The words before a command that change the user id; the death signal does not survive that, so it is set anew."""
    caps = "+dac_override"
    return [
        "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}",
        f"--pdeathsig={ends_with.name}", "--",
    ]  # fmt: skip


def choose_user() -> RunAs:
    """How to run a Postgres here. Raises UserError where there is no way."""
    if not _refused_by_postgres():
        return RunAs.SELF
    if _works(["/bin/true"], become_nobody):
        return RunAs.NAMESPACE
    if os.geteuid() == 0 and shutil.which("setpriv") and _works([*_as_nobody(signal.SIGTERM), "/bin/true"], None):
        return RunAs.NOBODY
    raise UserError("Postgres does not run under this user id, and this container forbids another: run as an ordinary user.")


def _refused_by_postgres() -> bool:
    if os.geteuid() == 0:
        return True
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return False


def _works(command: list[str], prepare: Callable[[], None] | None) -> bool:
    try:
        done = subprocess.run(command, preexec_fn=prepare, check=False, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def stop(process: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> None:
    """End a process: each signal in turn, with the seconds that it may take; then SIGKILL."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()
