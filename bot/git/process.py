"""Run one command with bounds: seconds, bytes of output, bytes of any file it writes. Its whole process group ends with it."""

import asyncio
import contextlib
import os
import signal
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    """How a command ended. `words` are the end of its standard error."""

    code: int
    output: bytes
    words: str


async def run(
    command: Sequence[str], environment: Mapping[str, str], bounds: Bounds, given: bytes = b"", held: Sequence[int] = ()
) -> Ended:
    """Run `command` in `/`, feed it `given`, and wait. Raises GitTooMuch when a bound is met.

    `held` are file descriptors that the command keeps open: a lock stays taken until it, too, has ended.
    """
    process = await asyncio.create_subprocess_exec(
        *_bounded(command, bounds), env=environment, cwd="/", stdin=PIPE, stdout=PIPE, stderr=PIPE,
        start_new_session=True, pass_fds=held,
    )  # fmt: skip
    try:
        async with asyncio.timeout(bounds.seconds):
            output, words = await _talk(process, given, bounds.output)
            code = await process.wait()
    except TimeoutError:
        raise GitTooMuch(f"git took longer than {bounds.seconds:g} seconds.") from None
    finally:
        await _end(process)
    return Ended(code, output, words)


def _bounded(command: Sequence[str], bounds: Bounds) -> list[str]:
    """The command, behind a shell's `ulimit -f` (in blocks of 512 bytes) where the files it writes are bounded."""
    if bounds.file_bytes is None:
        return list(command)
    return ["/bin/sh", "-c", 'ulimit -f "$0" && exec "$@"', str(bounds.file_bytes // 512), *command]


async def _talk(process: Process, given: bytes, most: int) -> tuple[bytes, str]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("the command was started without pipes")
    output, words, _ = await asyncio.gather(_output(process.stdout, most), _words(process.stderr), _feed(process.stdin, given))
    return output, words


async def _output(stdout: StreamReader, most: int) -> bytes:
    pieces, size = [], 0
    while piece := await stdout.read(PIECE):
        size += len(piece)
        if size > most:
            raise GitTooMuch(f"git wrote more than {most // 1_000_000} MB.")
        pieces.append(piece)
    return b"".join(pieces)


async def _words(stderr: StreamReader) -> str:
    words = b""
    while piece := await stderr.read(WORDS):
        words = (words + piece)[-WORDS:]
    return words.decode(errors="replace").strip()


async def _feed(stdin: StreamWriter, given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(given)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _end(process: Process) -> None:
    """Kill what is left of the command's group: git's own children too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
