"""Checkups of this machine: Python, git, and the folder for data."""

import os
import re
import sys
import tempfile
from pathlib import Path

from bot.checkups.checkup import Line, ok, wrong
from bot.git.errors import GitFailed
from bot.git.process import Bounds, run
from bot.git.safety import git_program, offline_environment
from bot.settings import Settings

OLDEST_PYTHON = (3, 11)
OLDEST_GIT = (2, 38)


async def python(_: Settings) -> list[Line]:
    """The interpreter that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return [wrong("Python", f"{version} is too old: install 3.11 or newer, and `make install` again.")]
    return [ok("Python", f"{version}.")]


async def git(_: Settings) -> list[Line]:
    """The git on the PATH."""
    try:
        ended = await run([git_program(), "--version"], offline_environment(), Bounds(seconds=5.0, output=10_000))
    except (GitFailed, OSError) as error:
        return [wrong("git", f"does not run ({error}): install git 2.38 or newer.")]
    found = re.search(r"(\d+)\.(\d+)[\w.]*", ended.output.decode(errors="replace"))
    if found is None:
        return [wrong("git", "does not say its version: install git 2.38 or newer.")]
    if (int(found[1]), int(found[2])) < OLDEST_GIT:
        return [wrong("git", f"{found[0]} is too old: install 2.38 or newer.")]
    return [ok("git", f"{found[0]}.")]


async def data_dir(settings: Settings) -> list[Line]:
    """Whether files can be kept where DATA_DIR says."""
    folder = settings.data_dir.resolve()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir():
        return [wrong("DATA_DIR", f"{existing} is no folder: set another DATA_DIR.")]
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return [wrong("DATA_DIR", f"{existing} cannot be written to ({error.strerror}): set another DATA_DIR, or allow it.")]
    return [ok("DATA_DIR", f"{folder} can be written to, {_free(existing)} GB are free.")]


def _free(folder: Path) -> int:
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize // 1_000_000_000
