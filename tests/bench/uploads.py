"""Uploads of hundreds of megabytes into one web process: how long they take, and how much memory they add."""

import os
import tarfile
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from storage.embedded import embedded_services
from tests.bench.memory import Peak
from tests.bench.table import held, table
from tests.process_tree import memory, tree
from tests.processes import answers, environment, free_port, process

MIB = 1024 * 1024
GOAL = 64 * MIB
"""Memory that an upload may add, whatever its size."""

EACH = 4 * MIB
"""Bytes of each file in the archive: random, so that the body is as large as what it unpacks to."""

WHO = {"email": "mona@example.com", "password": "a passphrase of this benchmark"}


def measure(folder: Path, *, megabytes: int) -> str:
    """The table. Raises AssertionError when an upload was refused."""
    with ExitStack() as stack:
        services = stack.enter_context(embedded_services(folder / "services"))
        port = free_port()
        variables = environment(services, folder, {"GITHUB_WEBHOOK_SECRET": "w" * 32, "PORT": str(port)})
        stack.enter_context(process("migrate", variables, folder)).wait()
        web = stack.enter_context(process("web", variables, folder))
        web.wait_for(answers(f"http://127.0.0.1:{port}/api/v1/health/ready"))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=300, trust_env=False))
        assert client.post("/auth/register", json=WHO).status_code == 201
        client.headers["Authorization"] = f"Bearer {client.post('/auth/login', json=WHO).json()['data']['access_token']}"
        _send(client, _archive(folder / "warm.zip", 1))
        bodies = [(size, name) for size in (megabytes // 10, megabytes) for name in ("zip", "tar.gz")]
        lines = [
            _line(f"{size} MB {name}", client, _archive(folder / f"of{size}.{name}", size), web.process.pid)
            for size, name in bodies
        ]
    return table("Uploads", ["body", "seconds up", "seconds down", "memory more", "goal held"], lines)


def _line(name: str, client: httpx.Client, archive: Path, pid: int) -> list[str]:
    idle = memory(tree(pid))
    with Peak(pid, every=0.02) as peak:
        up, path = _timed(lambda: _send(client, archive))
        down, _ = _timed(lambda: _fetch(client, path))
    more = peak.bytes - idle
    archive.unlink()
    return [name, f"{up:.1f}", f"{down:.1f}", f"{more / MIB:.0f} MB", held(more < GOAL)]


def _timed(act: Callable[[], str]) -> tuple[float, str]:
    began = time.monotonic()
    given = act()
    return time.monotonic() - began, given


def _send(client: httpx.Client, archive: Path) -> str:
    with archive.open("rb") as file:
        answer = client.post("/uploads", files={"file": (archive.name, file)})
    assert answer.status_code == 201, answer.text
    return f"/uploads/{answer.json()['data']['upload_id']}"


def _fetch(client: httpx.Client, path: str) -> str:
    with client.stream("GET", path, headers={"Accept": "application/zip"}) as answer:
        assert answer.status_code == 200
        return str(sum(len(piece) for piece in answer.iter_raw()))


def _archive(path: Path, megabytes: int) -> Path:
    content = path.with_suffix(".part")
    count = max(1, megabytes * MIB // EACH)
    with ExitStack() as stack:
        if path.suffix == ".zip":
            packed = stack.enter_context(zipfile.ZipFile(path, "w"))
            add: Callable[[Path, str], None] = packed.write
        else:
            add = stack.enter_context(tarfile.open(path, "w:gz", compresslevel=1)).add
        for number in range(count):
            content.write_bytes(os.urandom(EACH if megabytes > 1 else 1000))
            add(content, f"file{number}.bin")
    content.unlink()
    return path
