"""Finding a Redis to embed, starting it over a socket that was left behind, and its words when it cannot start."""

import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from review.errors import UserError
from storage.embedded import redis as embedded
from storage.embedded.redis import EmbeddedRedis, find_program

pytestmark = pytest.mark.integration


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="riq-") as name:
        yield Path(name)


@pytest.fixture
def lock(folder: Path) -> Iterator[int]:
    with (folder / "lock").open("w") as file:
        yield file.fileno()


def test_a_socket_that_was_left_behind_is_in_nobodys_way(folder: Path, lock: int) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(folder / "redis.sock"))
    server = EmbeddedRedis(folder / "redis", folder, lock)
    try:
        url = server.start()
        with redis.Redis.from_url(url) as client:
            settings = {name: client.config_get(name)[name] for name in ("port", "appendonly", "maxmemory-policy")}
        assert settings == {"port": "0", "appendonly": "yes", "maxmemory-policy": "noeviction"}
    finally:
        server.stop()
    server.stop()


@pytest.mark.fault
def test_what_was_written_survives_kill_9(folder: Path, lock: int) -> None:
    server = EmbeddedRedis(folder / "redis", folder, lock)
    with redis.Redis.from_url(server.start()) as client:
        client.config_set("appendfsync", "always")
        client.set("job", "1")
        server._process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    server.stop()
    try:
        with redis.Redis.from_url(server.start()) as client:
            assert client.get("job") == b"1"
    finally:
        server.stop()


def test_a_file_that_it_cannot_read_is_no_silent_loss(folder: Path, lock: int) -> None:
    (folder / "redis").mkdir()
    (folder / "redis" / "appendonly.aof").write_text("this is no append-only file\n" * 50)
    with pytest.raises(UserError, match=r"The embedded Redis did not start; see .*redis\.log"):
        EmbeddedRedis(folder / "redis", folder, lock).start()


def test_without_a_wheel_the_program_on_the_path_serves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(embedded, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", str(folder))
    assert find_program() == program
    program.unlink()
    with pytest.raises(UserError, match="apt-get install redis-server"):
        find_program()
