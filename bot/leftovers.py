"""Temporary files of a worker and its children: in the data folder, closed to others, and swept after a death."""

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from storage.queue import JOB_SECONDS


def temporary_folder(data_dir: Path) -> Path:
    """DATA_DIR/tmp, made if need be."""
    folder = data_dir.expanduser().resolve() / "tmp"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def keep_temporary_files_in(folder: Path) -> None:
    """From now on, those of this process and of its children: they hold code of private repositories, and a process that
    is killed cannot remove its own.
    """
    tempfile.tempdir = str(folder)


def sweep_leftovers(folder: Path) -> int:
    """Remove what is there since longer than a job may take; gives how many files and folders."""
    swept = 0
    for left in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - left.lstat().st_mtime > 2 * JOB_SECONDS:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
                swept += 1
    return swept
