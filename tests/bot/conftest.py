"""What tests of the processes share: a working folder and an environment without any setting."""

from pathlib import Path

import pytest

from bot.settings import Settings


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's settings, proxies included, nor a `.env` of the working folder."""
    for name in (*Settings.model_fields, "no_proxy", "all_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
