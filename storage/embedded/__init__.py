"""Postgres and Redis without installing anything: child processes on unix sockets that end with us."""

import fcntl
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from review.errors import UserError
from storage.embedded.postgres import EmbeddedPostgres
from storage.embedded.redis import EmbeddedRedis

LONGEST_SOCKET_FOLDER = 80
"""Bytes. A socket's whole path may have 107 (sun_path in unix(7)), and `.s.PGSQL.5432.lock` is added to it."""

PLAIN_FOLDER = re.compile(r"[A-Za-z0-9/_.-]+")
"""Paths that stand in a URL, and in Postgres' list of socket folders, as they are."""

PREFIX = "refactoriq-"
SHORTEST = "/tmp"  # noqa: S108  (mkdtemp makes a folder there that is ours alone)
"""Every system has it."""

ADDRESSES = "services.json"
"""Where they listen, for other processes on the same folder; there as long as they run."""

ENDING_SECONDS = 30.0
"""How long the servers of a process that was killed may take to write everything down."""


@dataclass(frozen=True, slots=True)
class EmbeddedServices:
    """Where the two servers listen."""

    database_url: str
    redis_url: str


@contextmanager
def embedded_services(data_dir: Path, *, durable: bool = True) -> Iterator[EmbeddedServices]:
    """Both servers, with their data under `data_dir`, until the block ends.

    Nothing listens on a network. Only one process at a time may use the folder. `durable=False` is for tests.
    Raises UserError with what to do.
    """
    folder = data_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_alone_in(folder))
        lock = stack.enter_context(_servers_lock(folder))
        sockets = stack.enter_context(_socket_folder(folder))
        postgres = EmbeddedPostgres(folder / "postgres", sockets, lock, durable=durable)
        redis = EmbeddedRedis(folder / "redis", sockets, lock, durable=durable)
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        services = EmbeddedServices(postgres.start(), redis.start())
        stack.callback((folder / ADDRESSES).unlink, missing_ok=True)
        (folder / ADDRESSES).write_text(json.dumps(asdict(services)))
        yield services


def running_services(data_dir: Path) -> EmbeddedServices | None:
    """Where the servers listen that another process runs on this folder; None where there are none."""
    try:
        return EmbeddedServices(**json.loads((data_dir / ADDRESSES).read_text()))
    except FileNotFoundError:
        return None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / "embedded.lock").open("w") as file:
        if not _locked(file):
            raise UserError(f"Another RefactorIQ already runs its services in {folder}: stop it, or set another DATA_DIR.")
        yield


@contextmanager
def _servers_lock(folder: Path) -> Iterator[int]:
    """A lock that the servers inherit, and hold as long as one of them lives: gives its file descriptor.

    When our predecessor was killed, its servers may still be writing, and would take away the sockets of ours.
    """
    deadline = time.monotonic() + ENDING_SECONDS
    with (folder / "servers.lock").open("w") as file:
        while not _locked(file):
            if time.monotonic() > deadline:
                raise UserError(
                    f"The services of a RefactorIQ that was killed still run in {folder}: end them, then try again."
                )
            time.sleep(0.05)
        yield file.fileno()


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _socket_folder(folder: Path) -> Iterator[Path]:
    """`run` in the data folder, or a temporary one where that path would be too long for a socket, or not plain."""
    own = folder / "run"
    if _fits(own):
        own.mkdir(exist_ok=True, mode=0o700)
        yield own
        return
    short = Path(tempfile.mkdtemp(prefix=PREFIX))
    if not _fits(short):  # TMPDIR may be as long as any folder
        short.rmdir()
        short = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SHORTEST))
    try:
        yield short
    finally:
        shutil.rmtree(short, ignore_errors=True)


def _fits(sockets: Path) -> bool:
    return len(str(sockets).encode()) <= LONGEST_SOCKET_FOLDER and PLAIN_FOLDER.fullmatch(str(sockets)) is not None
