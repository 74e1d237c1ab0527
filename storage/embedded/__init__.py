"""Postgres and Redis without installing anything: child processes on unix sockets that end with us."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from review.errors import UserError
from storage.embedded.postgres import EmbeddedPostgres
from storage.embedded.redis import EmbeddedRedis

LONGEST_SOCKET_FOLDER = 80
"""Bytes. A socket's whole path may have 107 (sun_path in unix(7)), and `.s.PGSQL.5432.lock` is added to it."""


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
    folder = data_dir.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_alone_in(folder))
        sockets = stack.enter_context(_socket_folder(folder))
        postgres = EmbeddedPostgres(folder / "postgres", sockets, durable=durable)
        redis = EmbeddedRedis(folder / "redis", sockets, durable=durable)
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        yield EmbeddedServices(postgres.start(), redis.start())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / "embedded.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Another RefactorIQ already runs its services in {folder}: stop it, or set another DATA_DIR."
            ) from None
        yield


@contextmanager
def _socket_folder(folder: Path) -> Iterator[Path]:
    """`run` in the data folder, or a short temporary one where that path would be too long for a socket."""
    own = folder / "run"
    if len(str(own).encode()) <= LONGEST_SOCKET_FOLDER:
        own.mkdir(exist_ok=True, mode=0o700)
        yield own
        return
    short = Path(tempfile.mkdtemp(prefix="refactoriq-"))
    try:
        yield short
    finally:
        shutil.rmtree(short, ignore_errors=True)
