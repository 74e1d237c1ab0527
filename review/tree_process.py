"""Read syntax trees and count code in a process with bounds of its own: 5 kB of some rubbish cost tree-sitter gigabytes."""

import atexit
import math
import os
import resource
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

import msgspec
from ast_grep_py import SgRoot

from review.context.find_definitions import Found, find_definitions
from review.context.languages import languages
from review.count_code import Counts, count_code

MOST_MEMORY = 700_000_000
"""Bytes; an ordinary file of the largest size that is tried needs a fifth of it."""
MOST_SECONDS = 2.5
"""For one question, the process's start included; 300 kB of ordinary Python take 0.1 s."""
MOST_WASTED_SECONDS = 20.0
"""Spent on questions without an answer in this program's life, which is that of a job: then no more are asked."""
MOST_CPU_SECONDS = 6
"""What a question may burn: more than MOST_SECONDS, since it is for a process whose parent was killed and ends it no more."""
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
"""All of it: what reads other people's files has no use for our secrets."""
LENGTH = struct.Struct(">I")
START = "import sys; sys.path[:] = {path!r}; from review.tree_process import serve; serve()"
"""With our own search path, never the working directory's: that may be a repository under review."""

_definitions, _errors = msgspec.msgpack.Decoder(list[Found]), msgspec.msgpack.Decoder(int)
_counts: msgspec.msgpack.Decoder[Counts | None] = msgspec.msgpack.Decoder(Counts | None)


class GaveUp(Exception):
    """The parser ran out of time or memory, and is gone; the next file gets a new one."""


class TreeProcess:
    """Asks the process, and starts it when it is needed. One question at a time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._wasted = 0.0

    def definitions(self, language: str, source: str) -> list[Found]:
        """What this text defines, in a language of `languages.toml`; raises GaveUp."""
        return _definitions.decode(self._asked("definitions", language, source))

    def errors(self, language: str, source: str) -> int:
        """How many syntax errors this text has, in a language of ast-grep's; raises GaveUp."""
        return _errors.decode(self._asked("errors", language, source))

    def counts(self, path: str, source: str) -> Counts | None:
        """What `count_code` counts in this text; raises GaveUp."""
        return _counts.decode(self._asked("counts", path, source))

    def _asked(self, what: str, language: str, source: str) -> bytes:
        answer = None
        with self._lock:
            if self._wasted >= MOST_WASTED_SECONDS:
                raise GaveUp
            began = time.monotonic()
            try:
                question = msgspec.msgpack.encode((what, language, source))
                answer = _ask(self._started(), question, began + MOST_SECONDS)
            except (OSError, EOFError) as error:
                self._wasted += time.monotonic() - began
                raise GaveUp from error
            finally:
                if answer is None:  # interrupted, say: the next question would be given this one's answer
                    self._end()
        return answer

    def close(self) -> None:
        """End the process, if it was this one that started it."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        """The process. One that was started before a fork belongs to the parent: two would read each other's answers."""
        if self._process is None or self._owner != os.getpid():
            self._process = _start()
            self._owner = os.getpid()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _shut(pipe)


@cache
def tree_process() -> TreeProcess:
    """The one that this program uses, ended with it."""
    process = TreeProcess()
    atexit.register(process.close)
    return process


def _start() -> subprocess.Popen[bytes]:
    """The process, in a folder that is nobody's repository. A relative entry of the search path would mean another there."""
    command = [sys.executable, "-I", "-c", START.format(path=[entry for entry in sys.path if Path(entry).is_absolute()])]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    if process.stdin:  # a process that does not read must not hold up who writes
        os.set_blocking(process.stdin.fileno(), False)
    return process


def serve() -> None:
    """Answer questions from standard input until it ends, as it does when the parent is gone."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions = msgspec.msgpack.Decoder(tuple[str, str, str])
    while head := sys.stdin.buffer.read(LENGTH.size):
        _limit_cpu()
        what, language, source = questions.decode(sys.stdin.buffer.read(LENGTH.unpack(head)[0]))
        answer = msgspec.msgpack.encode(ANSWERS[what](language, source))
        sys.stdout.buffer.write(LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


def _limit_cpu() -> None:
    """For one more question. The parent's death signal would not do: it comes as soon as the thread that started us ends."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most, hard = math.ceil(used.ru_utime + used.ru_stime) + MOST_CPU_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _find_definitions(language: str, source: str) -> Sequence[Found]:
    return find_definitions(languages()[language], source, source.split("\n"))


def _count_errors(language: str, source: str) -> int:
    """ERROR nodes, and tokens that tree-sitter put in because they were missing: those have no text."""
    root = SgRoot(source, language).root()
    return len(root.find_all(kind="ERROR")) + len(root.find_all(regex="^$"))


ANSWERS: dict[str, Callable[[str, str], object]] = {
    "definitions": _find_definitions,
    "errors": _count_errors,
    "counts": count_code,
}


def _ask(process: subprocess.Popen[bytes], question: bytes, until: float) -> bytes:
    assert process.stdin and process.stdout  # noqa: S101  (both are pipes)
    _write(process.stdin, LENGTH.pack(len(question)) + question, until)
    return _read(process.stdout, LENGTH.unpack(_read(process.stdout, LENGTH.size, until))[0], until)


def _write(pipe: IO[bytes], data: bytes, until: float) -> None:
    """All of it, as fast as it is read. The pipe does not block."""
    rest = memoryview(data)
    waiting = select.poll()
    waiting.register(pipe, select.POLLOUT)
    while rest:
        if not waiting.poll(max(until - time.monotonic(), 0) * 1000):
            raise TimeoutError
        rest = rest[os.write(pipe.fileno(), rest) :]


def _read(pipe: IO[bytes], count: int, until: float) -> bytes:
    """Exactly so many bytes. The pipe is not buffered, so that what is there can be waited for."""
    got = bytearray()
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    while len(got) < count:
        if not waiting.poll(max(until - time.monotonic(), 0) * 1000):
            raise TimeoutError
        part = os.read(pipe.fileno(), count - len(got))
        if not part:
            raise EOFError
        got += part
    return bytes(got)


def _shut(pipe: IO[bytes] | None) -> None:
    """Close it; what was not written yet has nobody to read it."""
    with suppress(OSError):
        if pipe is not None:
            pipe.close()
