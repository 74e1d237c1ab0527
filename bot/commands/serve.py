"""`refactoriq serve`: everything on one machine. It supervises a web and a worker process and brings its own services."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bot.secret_key import secret_key
from bot.settings import Settings, has_github_app, read_settings
from bot.terminal import say
from storage.embedded.child import die_with_parent

GRACE = 30.0
"""Seconds that a child may take to finish its work after SIGTERM."""

SETTLED = 60.0
"""A child that lived this many seconds counts as sound: its next death is its first."""

BACKOFF = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a child that died is started again; the last one repeats."""


def serve() -> int:
    """Run until SIGINT or SIGTERM; leaves nothing running. Gives the exit code, that of `migrate` where it failed."""
    settings = read_settings()
    with ExitStack() as stack:
        environment = stack.enter_context(services(settings))
        if code := _migrated(environment):
            return code
        children = [Child(name, environment) for name in ("web", "worker")]
        stack.callback(_stop_all, children)
        if not has_github_app(settings):
            say("GITHUB_APP_ID and GITHUB_PRIVATE_KEY are not set: uploads can be analyzed, and nothing that takes GitHub.")
        say(f"Starting; webhooks go to http://{settings.host}:{settings.port}/webhooks/github. Ctrl+C ends it.")
        return _supervise(children)


@contextmanager
def services(settings: Settings) -> Iterator[dict[str, str]]:
    """The environment for the child processes; embedded Postgres and Redis run meanwhile where no URL is set."""
    given = {"DATABASE_URL": settings.database_url.get_secret_value(), "REDIS_URL": settings.redis_url.get_secret_value()}
    environment = os.environ | {"SECRET_KEY": secret_key(settings)}
    if all(given.values()):
        yield environment | given
        return
    from storage.embedded import embedded_services

    say("Starting the embedded Postgres and Redis ...")
    with embedded_services(settings.data_dir) as embedded:
        own = {"DATABASE_URL": embedded.database_url, "REDIS_URL": embedded.redis_url}
        yield environment | {name: given[name] or own[name] for name in own}


@dataclass(slots=True)
class Child:
    """A process that is started again when it dies, later each time."""

    name: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    next_start: float = 0.0
    started: float = 0.0

    def tend(self, now: float) -> None:
        """Start it when it is due; note its death."""
        if self.process is not None and self.process.poll() is not None:
            say(f"The {self.name} process ended with code {self.process.returncode}; starting it again.")
            self.deaths = 0 if now - self.started > SETTLED else self.deaths
            self.next_start = now + BACKOFF[min(self.deaths, len(BACKOFF) - 1)]
            self.deaths += 1
            self.process = None
        if self.process is None and now >= self.next_start:
            self.started = now
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", self.name],
                env=self.environment,
                preexec_fn=_end_with_us,  # noqa: PLW1509  (prctl takes no lock)
            )

    def stop(self) -> None:
        """Ask it to finish; see `_stop_all`."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def _end_with_us() -> None:
    """Should we be killed, our services end with us: nobody is left to hold the port, or to wait for them."""
    die_with_parent(signal.SIGTERM)


def _migrated(environment: dict[str, str]) -> int:
    """Migrate in a process of its own: Alembic is heavy, and nobody needs it afterwards. Gives its exit code."""
    return subprocess.run([sys.executable, "-m", "bot", "migrate"], env=environment, check=False).returncode


def _supervise(children: list[Child]) -> int:
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: stopped.append(got))
    while not stopped:
        for child in children:
            child.tend(time.monotonic())
        time.sleep(0.2)
    return 0


def _stop_all(children: list[Child]) -> None:
    say("Stopping; work in progress is finished first ...")
    for child in children:
        child.stop()
    deadline = time.monotonic() + GRACE
    for child in children:
        if child.process is not None:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
