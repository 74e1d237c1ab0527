"""Run an analyzer's program beside us: bounded in time, memory and output, with none of our environment, and no child left."""

import asyncio
import os
import re
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from review.errors import AnalyzerFailed

MAX_OUTPUT = 32 * 1024 * 1024
MAX_ERRORS = 8 * 1024
MAX_ARGUMENTS = 96 * 1024
"""Linux allows 128 KB for the environment and arguments on the smallest stacks; the rest goes into another run."""

LIMITS = 'ulimit -c 0; ulimit -t 120; ulimit -v 1048576 2>/dev/null; exec "$@"'
"""CPU seconds and kilobytes of address space. macOS knows no -v and goes without."""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "RAYON_NUM_THREADS": "4"}
"""All that a tool sees: no secret of ours, no option of the person who started us."""

FOLDERS = re.compile(r"(?<![\w.~/-])(?!//)/(?:[^\s/'\":,;]+/)+")
"""The folders of an absolute path: complaints are posted, and this machine's folders are nobody's business."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: its exit code, what it printed, and the beginning of its complaints, paths without folders."""

    code: int
    out: bytes
    complaints: str


async def run_tool(arguments: Sequence[str], folder: Path) -> Ran:
    """Run a program in that folder and wait for it. Cancelling kills it together with whatever it started.

    Raises AnalyzerFailed when it cannot be started, is killed, or prints more than 32 MB.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", LIMITS, "sh", *arguments, cwd=folder, env=ENVIRONMENT, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise AnalyzerFailed(f"it could not be started: {error.strerror}") from error
    assert process.stdout is not None and process.stderr is not None  # noqa: S101  (we asked for pipes)
    complaints = asyncio.create_task(_read_first(process.stderr))
    try:
        out = await _read(process.stdout)
        code = await process.wait()
        said = await complaints
    finally:
        complaints.cancel()
        await asyncio.wait([complaints])
        await _end(process)
    if code < 0 or code > 128:  # a shell reports a killed child as 128 + the signal
        raise AnalyzerFailed(f"it was ended by signal {-code if code < 0 else code - 128}")
    return Ran(code, out, FOLDERS.sub("", said.decode(errors="replace").strip()))


def batches(paths: Iterable[str]) -> Iterator[list[str]]:
    """The paths in runs that fit on a command line."""
    batch: list[str] = []
    size = 0
    for path in paths:
        if batch and size + len(path) > MAX_ARGUMENTS:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += len(path) + 1
    if batch:
        yield batch


async def _read(stream: asyncio.StreamReader) -> bytes:
    parts, size = [], 0
    while part := await stream.read(65_536):
        size += len(part)
        if size > MAX_OUTPUT:
            raise AnalyzerFailed("it printed more than 32 MB")
        parts.append(part)
    return b"".join(parts)


async def _read_first(stream: asyncio.StreamReader) -> bytes:
    """The first bytes of a stream that is read to its end, so that its writer never waits."""
    kept = b""
    while part := await stream.read(65_536):
        kept = (kept + part)[:MAX_ERRORS]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the whole process group, children that outlived their parent included; collect the parent and close its pipes.

    `wait` returns only when both pipes were read to their end, so they are emptied first: a full one would hold us for ever.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(2):  # a child that left the group may keep a pipe open
            await asyncio.gather(_drop(process.stdout), _drop(process.stderr))
            await process.wait()
    process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way to let go of the pipes


async def _drop(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(65_536):
        pass
