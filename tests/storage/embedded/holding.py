"""A process of its own that holds the embedded services, so that tests can kill it, or run it as somebody else."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from storage.embedded import EmbeddedServices

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from review.errors import UserError
from storage.embedded import embedded_services
try:
    with embedded_services(Path(sys.argv[1])) as services:
        print(services.database_url, services.redis_url, flush=True)
        sys.stdin.read()
except UserError as error:
    print("refused:", error, flush=True)
"""


class Holder:
    """The process, where its servers listen, and what it said when it was refused."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        said = process.stdout.readline().strip()
        self.refused = said.removeprefix("refused:").strip() if said.startswith("refused:") else ""
        assert self.refused or " unix://" in said, f"it said nothing of use: {said!r}"
        self.services = None if self.refused else EmbeddedServices(*said.split())

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def holder(folder: Path, as_user: Sequence[str] = ()) -> Iterator[Holder]:
    """Hold the services of that folder until the block ends; `as_user` are words before the command."""
    command = [*as_user, sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Holder(process)
        finally:
            if process.poll() is None:
                process.communicate(timeout=40)


def leave_a_trace(services: EmbeddedServices | None, word: str) -> None:
    """Write this word into both servers, as a client that needs it to last."""
    assert services is not None
    with psycopg.connect(services.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS traces (word text)")
        connection.execute("INSERT INTO traces VALUES (%s)", (word,))
    with redis.Redis.from_url(services.redis_url) as client:
        client.sadd("traces", word)


def traces(services: EmbeddedServices | None) -> tuple[set[str], set[str]]:
    """The words that Postgres and Redis remember."""
    assert services is not None
    with psycopg.connect(services.database_url) as connection:
        words = {row[0] for row in connection.execute("SELECT word FROM traces")}
    with redis.Redis.from_url(services.redis_url, decode_responses=True) as client:
        return words, set(client.smembers("traces"))


def pids(services: EmbeddedServices | None) -> tuple[int, int]:
    """The process ids of the postmaster and of Redis, as the host sees them."""
    assert services is not None
    with psycopg.connect(services.database_url) as connection:
        row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert row is not None
    postmaster = int((Path(row[0]) / "postmaster.pid").read_text().split("\n", 1)[0])
    with redis.Redis.from_url(services.redis_url) as client:
        return postmaster, int(client.info("server")["process_id"])
