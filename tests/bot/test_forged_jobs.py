"""Whoever can write into Redis cannot make a worker import or call anything but `perform`."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from bot.worker import OurJob
from storage.queue import PERFORM, Json
from tests.sandbox.app_key import AppKey

pytestmark = pytest.mark.integration

TRAP = "from pathlib import Path\ndef spring(*_): ...\nPath(__file__).with_name('sprung').touch()\n"
ORDINARY: tuple[Any, ...] = (PERFORM, None, ["a job", {"delivery_id": "d-1"}], {})
FORGED: dict[str, tuple[Any, dict[str, str]]] = {
    "function": (("trap.spring", None, [], {}), {}),
    "method": (("format", "{0.__class__}", ["x"], {}), {}),
    "success": (ORDINARY, {"success_callback_name": "trap.spring"}),
    "failure": (("trap.other", None, [], {}), {"failure_callback_name": "trap.spring"}),
    "stopped": (ORDINARY, {"stopped_callback_name": "trap.spring"}),
    "scheduled": (("trap.spring", None, [], {}), {"status": "scheduled"}),
    "abandoned": (ORDINARY, {"status": "started", "failure_callback_name": "trap.spring", "retries_left": "0"}),
}


@pytest.fixture
def rq(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


def forge(rq: Redis) -> None:
    """Each job where it would be found: on the queue, on the schedule, or among those in progress whose worker died."""
    for id, (data, more) in FORGED.items():
        fields: dict[Any, Any] = {"status": "queued", "origin": "default", "timeout": "60", "data": Json.dumps(data)} | more
        rq.hset(f"rq:job:{id}", mapping=fields)
        if id == "scheduled":
            rq.zadd("rq:scheduled:default", {id: time.time() - 1})
        elif id == "abandoned":
            rq.zadd("rq:wip:default", {f"{id}:x": time.time() - 1})
        else:
            rq.rpush("rq:queue:default", id)


def test_a_worker_calls_nothing_that_a_forged_job_names(
    rq: Redis, database_url: str, redis_url: str, tmp_path: Path, app_key: AppKey
) -> None:
    (tmp_path / "trap.py").write_text(TRAP)
    forge(rq)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(tmp_path / "data"),
        "GITHUB_APP_ID": "1",
        "GITHUB_PRIVATE_KEY": app_key.private,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "worker", "--burst"],
        cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "sprung").exists()
    assert rq.llen("rq:queue:default") == 0
    assert {b"function", b"method", b"failure", b"abandoned"} <= set(rq.zrange("rq:failed:default", 0, -1))


def test_no_address_out_of_redis_is_called(rq: Redis) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        webhook = json.dumps([{"url": url, "job_status": "failed", "timeout": 1}])
        rq.hset("rq:job:x", mapping={"data": Json.dumps(ORDINARY), "status": "queued", "webhooks": webhook})
        OurJob.fetch("x", connection=rq, serializer=Json).send_webhooks("failed")
        with pytest.raises(BlockingIOError):
            server.accept()
