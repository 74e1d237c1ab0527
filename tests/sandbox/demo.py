"""`make demo`: from nothing to a posted review, on services, processes and a GitHub of its own; leaves nothing behind.

`python -m tests.sandbox.demo [--repo PATH] [--base REV] [--head REV]`
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psycopg

from bot.providers import names
from bot.settings import read_model_settings
from review.errors import UserError
from review.words import count
from storage.embedded import embedded_services
from tests.processes import NotRunning, Process, answers, environment, free_port, process, takes_jobs
from tests.sandbox.app_key import make_app_key
from tests.sandbox.control import app_settings
from tests.sandbox.demo_print import done, say, show_review, step
from tests.sandbox.demo_project import NoSuchChange, Range, find_range, open_demo, open_range
from tests.sandbox.demo_proof import Disproved, prove
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PullRequest

PATIENCE = 300.0
"""Seconds that a review may take: a model may be slow, and a change large."""

STEPS = {
    "fetch": "change fetched with git",
    "read": "changed files read at both ends",
    "analyzers": "ruff, bandit and the search for secrets",
    "models": "models asked",
    "verify": "findings merged, suggestions tried on the files",
    "post": "review posted",
}
FINAL = ("done", "ignored", "superseded", "failed")


class Failed(Exception):
    """The demo did not come to its end. The text is the reason."""


class Told(Exception):
    """Somebody told us to stop. The text is the name of the signal."""


@dataclass(frozen=True, slots=True)
class House:
    """What runs meanwhile."""

    github: SandboxGitHub
    database_url: str
    url: str
    worker: Process


def main() -> int:
    """Show the main job; gives the exit code: 0, 1 with the reason on stderr, or 130 when it was stopped."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__.splitlines()[0])
    parser.add_argument("--repo", help="a local git repository (default: a small shop with mistakes in it)")
    parser.add_argument("--base", help="where the change starts (default: the commit before the head)")
    parser.add_argument("--head", help="where it ends (default: HEAD)")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        if not given.repo and (given.base or given.head):
            raise NoSuchChange("BASE and HEAD need REPO, the repository that they are in.")
        demonstrate(find_range(given.repo, given.base, given.head) if given.repo else None)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Told as told:
        sys.stderr.write(f"\nStopped ({told}); nothing is left running.\n")
        return 130
    except (Failed, NoSuchChange, Disproved, NotRunning, UserError) as error:
        sys.stderr.write(f"\nThe demo failed: {error}\n")
        return 1
    return 0


def _stop(number: int, _: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # once is enough: what follows is tidying up
    raise Told(signal.Signals(number).name)


def demonstrate(range: Range | None) -> None:
    """The whole of it. Raises Failed, NotRunning, Disproved, UserError."""
    began = time.monotonic()
    say("RefactorIQ: from nothing to a posted review.", "bold")
    say(_who_looks())
    with running() as house:
        pull = _opened(house.github, range)
        seen = len(house.github.requests)
        outcome = _reviewed(house, pull)
        took = time.monotonic() - began
        _show(house.github, pull, seen)
    say(f"{outcome} {took:.1f} s from nothing; nothing is left running.")


def _who_looks() -> str:
    models = names(read_model_settings())
    if models:
        return f"Asked: {', then '.join(models)}, and the analyzers."
    return "Neither OPENAI_API_KEY nor ANTHROPIC_API_KEY is set: the analyzers alone look at the change, no model is pretended."


@contextmanager
def running() -> Iterator[House]:
    """Postgres, Redis, GitHub, web and worker in a temporary folder, until the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="riq-demo-", ignore_cleanup_errors=True)))
        with step("Postgres with pgvector, and Redis"):
            services = stack.enter_context(embedded_services(folder / "services"))
        key = make_app_key()
        github = SandboxGitHub(folder / "github", key.private, key.public)
        stack.callback(github.stop)
        github.start()
        port = free_port()
        variables = environment(services, folder, app_settings(github) | {"PORT": str(port)})
        migrate = stack.enter_context(process("migrate", variables, folder))
        web = stack.enter_context(process("web", variables, folder))
        with step("tables in Postgres"):
            migrate.wait()
        worker = stack.enter_context(process("worker", variables, folder))
        with step(f"web process on port {port}, and a worker"):
            web.wait_for(answers(f"http://127.0.0.1:{port}/api/v1/health/ready"))
            worker.wait_for(takes_jobs(services.redis_url))
        yield House(github, services.database_url, f"http://127.0.0.1:{port}/webhooks/github", worker)


def _opened(github: SandboxGitHub, range: Range | None) -> PullRequest:
    with step("the sandbox's GitHub: repository, app installed, pull request opened"):
        pull = open_range(github, range) if range else open_demo(github)
        changes = pull.changes
    say(f"    {pull.repository.full_name} #{pull.number} {pull.title}", "dim")
    say(f"    {len(changes.files)} files, {changes.additions} lines added, {changes.deletions} deleted", "dim")
    return pull


def _reviewed(house: House, pull: PullRequest) -> str:
    """Deliver the webhook and wait, showing what the worker does; gives the outcome. Raises Failed, NotRunning."""
    began = time.monotonic()
    answer = house.github.deliver_pull_request(house.url, pull)
    delivery = house.github.world.deliveries[-1]
    if answer.status_code != 202:
        raise Failed(f"the webhook was answered {answer.status_code}: {answer.text}")
    say(f"  signed pull_request.opened delivered, answered 202 after {delivery.duration * 1000:.0f} ms")
    with psycopg.connect(house.database_url, autocommit=True) as connection:
        while True:
            row = connection.execute("SELECT state, outcome FROM deliveries WHERE id = %s", (delivery.guid,)).fetchone()
            _show_steps(house.worker)
            state, outcome = row or ("lost", "")
            if state in FINAL:
                break
            if time.monotonic() - began > PATIENCE:
                raise Failed(f"no review within {PATIENCE:.0f} s; the delivery is {state}. {outcome}")
            house.worker.check()
            time.sleep(0.05)
    if state != "done":
        raise Failed(f"the delivery is {state}: {outcome}")
    return str(outcome)


def _show_steps(worker: Process) -> None:
    for event in worker.events():
        match event.get("event"):
            case "step":
                done(STEPS.get(event["step"], event["step"]), event["seconds"])
            case "job put off":
                say(f"  put off for {event['seconds']} s: {event['because']}", "yellow")


def _show(github: SandboxGitHub, pull: PullRequest, seen: int) -> None:
    """The review, and what is proved of it. Raises Failed, Disproved."""
    reviews, comments = github.reviews(pull.repository, pull.number), github.comments(pull.repository, pull.number)
    if len(reviews) != 1:
        raise Failed(f"there are {len(reviews)} reviews on the pull request, not one.")
    show_review(pull, reviews[0], comments)
    proof = prove(github, pull, comments)
    asked = github.requests[seen:]
    rest = sum(exchange.rest for exchange in asked)
    say(f"GitHub was asked {rest} times by REST and {len(asked) - rest} times by git.")
    if comments:
        say(f"Proved: {count(len(comments), 'comment')} in one review, each on a line of the diff: else GitHub had refused it.")
    if proof.applied:
        others = "" if proof.parsed == proof.files else f" ({proof.files - proof.parsed} are of kinds that nothing here parses)"
        say(
            f"Proved: {count(proof.applied, 'suggestion')}, committed one by one and all in one batch, as GitHub does it; "
            f"{proof.parsed} of {proof.files} files parsed afterwards{others}."
        )


if __name__ == "__main__":
    sys.exit(main())
