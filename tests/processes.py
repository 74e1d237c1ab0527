"""The product's own processes, started as a host starts them, for the demo, the bench and the walks. They end with us."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import redis

from bot.settings import ModelSettings, Settings
from storage.embedded import EmbeddedServices
from storage.embedded.child import die_with_parent
from tests.process_tree import kill, tree

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0
"""A worker imports three SDKs; on a busy machine that takes its time."""

STOP_SECONDS = 10.0


class NotRunning(Exception):
    """A process did not start, or ended by itself. The text says which, with its last words."""


class Process:
    """One process of ours, in a session of its own so that Ctrl+C reaches us alone; what it writes goes into `log`."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._read = 0
        self.began = time.monotonic()
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                # Not in the project's folder: what a `.env` there says is for the real thing.
                cwd=folder,
                env=dict(environment) | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_us,  # noqa: PLW1509  (prctl takes no lock)
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.began

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Until it has ended well. Raises NotRunning where it has not."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NotRunning(f"The {self.name} process took longer than {seconds:.0f} s. {self.last_words()}") from None
        if code != 0:
            raise NotRunning(f"The {self.name} process failed. {self.last_words()}")

    def wait_for(self, ready: Callable[[], bool], seconds: float = START_SECONDS) -> float:
        """Until `ready` says so; gives the age of the process then. Raises NotRunning where it ends or does not get there."""
        while not ready():
            self.check()
            if self.age > seconds:
                raise NotRunning(f"The {self.name} process was not ready within {seconds:.0f} s. {self.last_words()}")
            time.sleep(0.02)
        return self.age

    def check(self) -> None:
        """Raises NotRunning when it has ended."""
        if self.process.poll() is not None:
            raise NotRunning(f"The {self.name} process ended with code {self.process.returncode}. {self.last_words()}")

    def events(self) -> Iterator[dict[str, Any]]:
        """The lines of its log since the last call that are events (JSON)."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole + newline)
        for line in whole.splitlines():
            if line.startswith(b"{"):
                yield json.loads(line)

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "Its last words:\n" + "\n".join(lines[-8:]) if lines else "It said nothing."

    def stop(self) -> None:
        """Ask it to end; after ten seconds nobody is asked. What it started ends with it."""
        family = tree(self.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            family = tree(self.pid)
        kill(family[1:])
        self.process.kill()
        self.process.wait()

    def stop_now(self) -> None:
        """End it and all that it started at once, in whatever it is doing."""
        kill(tree(self.pid))
        self.process.wait()


def _die_with_us() -> None:
    die_with_parent(signal.SIGKILL)


@contextmanager
def process(name: str, environment: Mapping[str, str], folder: Path, command: Sequence[str] = ()) -> Iterator[Process]:
    """`python -m bot NAME`, or that command, until the block ends. Call from the main thread: see `die_with_parent`."""
    started = Process(name, command or [sys.executable, "-m", "bot", name], environment, folder)
    try:
        yield started
    except BaseException:
        started.stop_now()
        raise
    else:
        started.stop()


def environment(services: EmbeddedServices, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for one of the product's: none of its settings is inherited, but for those of the models."""
    ours = Settings.model_fields.keys() - ModelSettings.model_fields.keys()
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in ours}
    return inherited | {
        "DATABASE_URL": services.database_url,
        "REDIS_URL": services.redis_url,
        "DATA_DIR": str(folder / "data"),
        "SECRET_KEY": "a key for one hour on this machine only",
        "HOST": "127.0.0.1",
        "LOG_FORMAT": "json",
        **given,
    }


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def answers(url: str) -> Callable[[], bool]:
    """Whether a GET there is answered with 200 by now."""

    def ready() -> bool:
        try:
            return httpx.get(url, timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    return ready


def takes_jobs(redis_url: str) -> Callable[[], bool]:
    """Whether a worker waits for jobs by now."""
    client = redis.Redis.from_url(redis_url)
    return lambda: bool(client.scard("rq:workers"))
