"""Every example payload that GitHub publishes is accepted, and decided on without an error."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.delivery import parse
from handlers.events import EVENTS
from handlers.router import route

pytestmark = pytest.mark.integration

PACKAGE = "@octokit/webhooks-examples@7.6.1"
CACHE = Path.home() / ".cache" / "refactoriq" / "webhooks-examples-7.6.1"


@pytest.fixture(scope="session")
def examples() -> list[tuple[str, str, Any]]:
    """(host, event, payload) of every example: github.com's, and those of five Enterprise Servers."""
    if not CACHE.is_dir():
        fetch()
    return list(read(CACHE))


def fetch() -> None:
    """Ask npm for the package once; it is kept outside of the repository."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("GitHub's example payloads come from npm, and npm is not installed")
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
        command = [npm, "pack", "--silent", PACKAGE]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if packed.returncode != 0:
            pytest.skip(f"npm could not fetch {PACKAGE}: {packed.stderr.strip()[-200:]}")
        subprocess.run(["tar", "-xzf", *Path(folder).glob("*.tgz")], cwd=folder, timeout=60, check=True)
        with contextlib.suppress(OSError):  # another test process was quicker
            (Path(folder) / "package").rename(CACHE)


def read(folder: Path) -> Iterator[tuple[str, str, Any]]:
    for index in sorted(folder.glob("*/index.json")):
        for event in json.loads(index.read_text()):
            for payload in event["examples"]:
                yield index.parent.name, event["name"], payload


def test_every_example_is_accepted_even_where_types_are_held_against_it(examples: list[tuple[str, str, Any]]) -> None:
    for number, (_, event, payload) in enumerate(examples):
        routed = route(parse(f"d-{number}", event, json.dumps(payload).encode(), strict=True))
        assert routed.remembered.outcome or routed.job
    assert len(examples) > 300


def test_the_examples_of_the_events_that_are_heard_are_understood(examples: list[tuple[str, str, Any]]) -> None:
    states: Counter[tuple[str, str]] = Counter()
    for host, event, payload in examples:
        if event in EVENTS and host == "api.github.com":
            states[event, route(parse("d-1", event, json.dumps(payload).encode())).remembered.state] += 1
    assert states["installation", "received"] == 7
    assert states["installation_repositories", "received"] == 3
    assert states["ping", "done"] == 4
