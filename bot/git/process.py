"""Run one command with bounds: seconds, bytes of output, bytes of any file it writes. Its whole process group ends with it."""

import asyncio
import contextlib
import os
import signal
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.git.errors import GitTooMuch

WORDS = 8_192
"""How much of standard error is kept: its end."""

PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one command. `file_bytes` bounds each file that it or its children write (the pack of a fetch)."""

    seconds: float = 60.0
    output: int = 64_000_000
    file_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. `words` are the end of its standard error; `cut` says that a bound ended it."""

    code: int
    output: bytes
    words: str
    cut: bool = False


async def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    bounds: Bounds,
    given: bytes = b"",
    held: Sequence[int] = (),
    *,
    partly: bool = False,
) -> Ended:
    """Run `command` in `/`, feed it `given`, and wait. Raises GitTooMuch when a bound is met.

    With `partly`, what it wrote until a bound was met counts instead. `held` are file descriptors that the command keeps
    open: a lock stays taken until it, too, has ended.
    """
    process = await asyncio.create_subprocess_exec(
        *_bounded(command, bounds), env=environment, cwd="/", stdin=PIPE, stdout=PIPE, stderr=PIPE,
        start_new_session=True, pass_fds=held,
    )  # fmt: skip
    kept, words, late = _Kept(bounds.output), "", False
    try:
        async with asyncio.timeout(bounds.seconds):
            _, words, _ = await asyncio.gather(_keep(process, kept), _words(_pipe(process.stderr)), _feed(process, given))
            await process.wait()
    except TimeoutError:
        late = True
    finally:
        code = await _end(process)
    if late and not partly:
        raise GitTooMuch(f"git took longer than {bounds.seconds:g} seconds.")
    if kept.full and not partly:
        raise GitTooMuch(f"git wrote more than {bounds.output // 1_000_000} MB.")
    return Ended(code, b"".join(kept.pieces), words, late or kept.full)


@dataclass(slots=True)
class _Kept:
    """Output so far, at most `most` bytes; `full` once there was more."""

    most: int
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    full: bool = False

    def add(self, piece: bytes) -> bool:
        """Keep it, as far as it fits; tells whether all of it did."""
        fits = piece[: self.most - self.size]
        self.pieces.append(fits)
        self.size += len(fits)
        self.full = len(fits) < len(piece)
        return not self.full


def _bounded(command: Sequence[str], bounds: Bounds) -> list[str]:
    """The command, behind a shell's `ulimit -f` (in blocks of 512 bytes) where the files it writes are bounded.

    Such a command fetches, and has a token in its environment: no image of it is written should it crash.
    """
    if bounds.file_bytes is None:
        return list(command)
    return ["/bin/sh", "-c", 'ulimit -c 0; ulimit -f "$0" && exec "$@"', str(bounds.file_bytes // 512), *command]


def _pipe(stream: StreamReader | None) -> StreamReader:
    if stream is None:
        raise RuntimeError("the command was started without pipes")
    return stream


async def _keep(process: Process, kept: _Kept) -> None:
    """Standard output; more of it than may be kept ends the command."""
    stdout = _pipe(process.stdout)
    while piece := await stdout.read(PIECE):
        if not kept.full and not kept.add(piece):
            _kill(process)


async def _words(stderr: StreamReader) -> str:
    words = b""
    while piece := await stderr.read(WORDS):
        words = (words + piece)[-WORDS:]
    return words.decode(errors="replace").strip()


async def _feed(process: Process, given: bytes) -> None:
    if process.stdin is None:
        raise RuntimeError("the command was started without pipes")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(given)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


def _kill(process: Process) -> None:
    """The command's whole group: git's own children too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end(process: Process) -> int:
    """Kill what is left, and wait until asyncio has seen the end of every pipe: it closes none of them before."""
    _kill(process)
    for stream in (process.stdout, process.stderr):
        while await _pipe(stream).read(PIECE):
            pass
    code = await process.wait()
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await process.stdin.wait_closed()
    return code
