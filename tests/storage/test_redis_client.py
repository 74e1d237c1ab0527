"""Any Redis that a URL can name, a real cluster of one node included."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as blocking
from redis.asyncio import Redis, RedisCluster

from review.errors import UserError
from storage.accounts.sessions import Sessions
from storage.accounts.tries import Tries
from storage.cache import Cache
from storage.embedded.redis import find_program
from storage.redis_client import open_redis

pytestmark = pytest.mark.integration

START_SECONDS = 20.0


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of one node that holds every slot."""
    folder, port = tmp_path_factory.mktemp("cluster"), _free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--cluster-enabled", "yes"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([find_program(), *options], stdout=log, stderr=log)
    try:
        _give_it_all_slots(port, folder)
        yield f"redis-cluster://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    """One whose number leaves room for the cluster's bus, which listens 10000 above."""
    for port in range(20_000, 30_000):
        with socket.socket() as at, socket.socket() as bus:
            try:
                at.bind(("127.0.0.1", port))
                bus.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def _give_it_all_slots(port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with blocking.Redis("127.0.0.1", port) as client:
        while time.monotonic() < deadline:
            try:
                told = client.execute_command("CLUSTER INFO")
                if told["cluster_slots_assigned"] == "0":
                    client.execute_command("CLUSTER ADDSLOTS", *range(16384))
                elif told["cluster_state"] == "ok":
                    return
            except blocking.ConnectionError:
                pass
            time.sleep(0.05)
    raise AssertionError((folder / "log").read_text())


async def test_a_cluster_keeps_sessions_and_tries(cluster_url: str) -> None:
    redis = open_redis(cluster_url)
    sessions, tries = Sessions(redis), Tries(redis)
    session = await sessions.start(7, "192.0.2.1", "a browser")
    traded = await sessions.rotate(7, session.id, session.refresh)
    assert traded is not None
    assert await sessions.of(7) == [traded]
    await sessions.end_all(7)
    assert await sessions.get(7, session.id) is None
    assert await tries.take("mona@example.com") == 0
    await tries.give_back("mona@example.com")
    await redis.aclose()


async def test_a_cluster_keeps_what_the_cache_is_given(cluster_url: str) -> None:
    redis = open_redis(cluster_url)
    assert isinstance(redis, RedisCluster)
    cache = Cache(redis)
    for number in range(20):  # over many slots
        await cache.put(f"analysis:{number}", str(number).encode(), 60)
    assert [await cache.get(f"analysis:{number}") for number in range(20)] == [str(n).encode() for n in range(20)]
    await cache.drop("analysis:7")
    assert await cache.get("analysis:7") is None
    await redis.aclose()


async def test_one_server_is_reached_by_its_socket(redis_url: str) -> None:
    redis = open_redis(redis_url)
    assert isinstance(redis, Redis)
    assert await redis.ping()
    await redis.aclose()


@pytest.mark.parametrize(
    "url",
    ["", "http://redis", "redis://", "redis://host:port", "redis-cluster://host:6379/3", "unix-cluster:///run/redis.sock"],
)
def test_what_is_no_address_of_a_redis_is_a_sentence(url: str) -> None:
    with pytest.raises(UserError, match="Redis"):
        open_redis(url)


def test_the_sentence_repeats_no_password() -> None:
    with pytest.raises(UserError) as refused:
        open_redis("redis://:hunter2@host:port")
    assert "hunter2" not in str(refused.value)
