"""A worker's temporary files live in the data folder, and what a killed one left behind is swept."""

import os
import stat
import tempfile
import time
from pathlib import Path

import pytest

from bot.leftovers import keep_temporary_files_in, sweep_leftovers, temporary_folder
from storage.queue import JOB_SECONDS

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", None)  # and back to what it was afterwards
    return temporary_folder(tmp_path / "data")


def aged(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def test_temporary_files_live_in_the_data_folder_closed_to_others(folder: Path) -> None:
    keep_temporary_files_in(folder)
    with tempfile.TemporaryDirectory() as made:
        assert Path(made).parent == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_older_than_a_job_may_be_is_swept_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    left = folder / "refactoriq-dead"
    (left / "head").mkdir(parents=True)
    (left / "head" / "secret.py").touch()
    (folder / "file").touch()
    (folder / "link").symlink_to(elsewhere)
    (folder / "refactoriq-alive").mkdir()
    for name in ("refactoriq-dead", "file", "link"):
        aged(folder / name, 3 * JOB_SECONDS)
    assert sweep_leftovers(folder) == 3
    assert [path.name for path in folder.iterdir()] == ["refactoriq-alive"]
    assert (elsewhere / "kept").exists()
