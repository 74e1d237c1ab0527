"""Typeset a PDF in a process of its own, with bounds in time and memory: what it shows was written by strangers."""

import os
import resource
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from review.errors import UserError

MOST_SECONDS = 60.0
MOST_MEMORY = 2_000_000_000
"""Bytes of address space: a report of 500 findings takes a tenth of it, and each of typst's threads has its stack."""
MOST_BYTES = 50_000_000
"""Of a PDF."""
START = "import sys; sys.path[:] = {path!r}; from review.typeset import serve; serve()"
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
"""All of it, as for the process that reads syntax trees."""
FAILED = "The PDF could not be made: {because}. Ask for the HTML report, which holds the same and prints well."


def typeset(template: bytes, data: str, at: datetime | None) -> bytes:
    """The PDF of that Typst template, which finds `data` in `sys.inputs.data`; `at` is the time that it gives for its making.

    Raises UserError where it cannot be made within the bounds.
    """
    question = msgspec.msgpack.encode((template, data, None if at is None else int(at.timestamp())))
    command = [sys.executable, "-I", "-c", START.format(path=[entry for entry in sys.path if Path(entry).is_absolute()])]
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, timeout=MOST_SECONDS, env=ENVIRONMENT, cwd="/", check=True
        )
    except subprocess.TimeoutExpired:
        raise UserError(FAILED.format(because="it took too long")) from None
    except subprocess.CalledProcessError as error:
        raise UserError(FAILED.format(because="it is too much for the typesetter")) from error
    if len(done.stdout) > MOST_BYTES:
        raise UserError(FAILED.format(because="it is too large"))
    return done.stdout


def serve() -> None:
    """Read a question from standard input, and write the PDF to standard output."""
    seconds = int(MOST_SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * seconds, 2 * seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from typst import compile as compile_document  # late: only this process needs it

    template, data, at = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=tuple[bytes, str, int | None])
    # System fonts stand in where the built-in ones have no letter: for Chinese, say, where the machine has such a font.
    sys.stdout.buffer.write(compile_document(template, format="pdf", sys_inputs={"data": data}, timestamp=at))
