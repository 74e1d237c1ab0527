"""How many signed deliveries one web process takes in, held against HMAC and an answer alone, and against the plain way."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg
import redis

from storage.embedded import embedded_services
from tests.bench.receiver_apps import PLAIN_TABLE
from tests.bench.table import held, table
from tests.builders_delivery import SECRET
from tests.process_tree import cpu_seconds
from tests.processes import Process, answers, environment, free_port, process

CONNECTIONS = (1, 16, 64)
OURS, FLOOR, BARE, PLAIN = "RefactorIQ", "HMAC + 202 alone", "HMAC + 202 without a framework", "plain: INSERT, enqueue"
APPS = {FLOOR: "hmac_only", BARE: "hmac_bare", PLAIN: "plain"}
UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--no-server-header", "--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Run:
    """One load on one server. Latencies in seconds; `cpu` is the server's processor time for one delivery, in seconds."""

    per_second: float
    p50: float
    p99: float
    cpu: float
    acknowledged: list[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receivers:
    """The servers and their ports, by name, and what ours writes into."""

    servers: Mapping[str, Process]
    ports: Mapping[str, int]
    database_url: str
    redis_url: str


Measured = dict[tuple[str, int], list[Run]]


def measure(folder: Path, *, rounds: int, seconds: float) -> str:
    """The tables, medians of so many rounds. Raises AssertionError when an acknowledged delivery was lost."""
    with receivers(folder) as running:
        measured: Measured = {}
        for number in range(rounds):
            for connections in CONNECTIONS:
                for name, server in running.servers.items():
                    run = _load(server, running.ports[name], connections, seconds, f"{number}-{connections}", folder)
                    measured.setdefault((name, connections), []).append(run)
        ours = [id for (name, _), runs in measured.items() if name == OURS for run in runs for id in run.acknowledged]
        kept = _check_kept(running, ours)
    return "\n".join([_figures(measured), _goals(measured), "", kept])


@contextmanager
def receivers(folder: Path) -> Iterator[Receivers]:
    """All of them, on a durable Postgres (fsync on) and a Redis that appends to a file, with two webhook secrets."""
    with ExitStack() as stack:
        services = stack.enter_context(embedded_services(folder / "services"))
        variables = environment(services, folder, {"GITHUB_WEBHOOK_SECRET": f"the secret before this one,{SECRET}"})
        stack.enter_context(process("migrate", variables, folder)).wait()
        with psycopg.connect(services.database_url, autocommit=True) as connection:
            connection.execute(PLAIN_TABLE)
        ports = {name: free_port() for name in (OURS, *APPS)}
        ours = stack.enter_context(process("web", variables | {"PORT": str(ports[OURS])}, folder))
        servers = {name: _serve(stack, name, ports[name], variables, folder) for name in APPS}
        ours.wait_for(answers(f"http://127.0.0.1:{ports[OURS]}/api/v1/health/ready"))
        for name, other in servers.items():
            other.wait_for(answers(f"http://127.0.0.1:{ports[name]}/ready"))
        yield Receivers({OURS: ours, **servers}, ports, services.database_url, services.redis_url)


def _serve(stack: ExitStack, name: str, port: int, variables: Mapping[str, str], folder: Path) -> Process:
    app = f"tests.bench.receiver_apps:{APPS[name]}"
    command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port), *UVICORN]
    return stack.enter_context(process(APPS[name], variables, folder, command))


def _load(server: Process, port: int, connections: int, seconds: float, prefix: str, folder: Path) -> Run:
    """Load that server from a process of its own. Raises AssertionError when it refused a delivery."""
    acknowledged = folder / "acknowledged"
    command = [sys.executable, "-m", "tests.bench.load", str(port), str(connections), str(seconds), prefix, str(acknowledged)]
    before = cpu_seconds(server.pid)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert not said["refused"], f"{said['refused']} deliveries were refused"
    ids = acknowledged.read_text().split()
    return Run(said["per_second"], said["p50"], said["p99"], (cpu_seconds(server.pid) - before) / len(ids), ids)


def _check_kept(running: Receivers, ids: list[str]) -> str:
    """Each of these deliveries is a row and a queued job. Raises AssertionError."""
    with psycopg.connect(running.database_url) as connection:
        rows = connection.execute("SELECT id FROM deliveries WHERE state = 'received' AND id = ANY(%s)", (ids,)).fetchall()
    with redis.Redis.from_url(running.redis_url) as client:
        queued = {id.decode() for id in client.lrange("rq:queue:default", 0, -1)}
        jobs = sum(client.exists(*(f"rq:job:{id}" for id in ids[start : start + 1000])) for start in range(0, len(ids), 1000))
    assert {row[0] for row in rows} == set(ids), f"{len(set(ids)) - len(rows)} acknowledged deliveries are not in Postgres"
    assert set(ids) <= queued and jobs == len(set(ids)), "an acknowledged delivery is not queued"
    return f"All {len(set(ids)):,} deliveries that RefactorIQ acknowledged are rows in Postgres and jobs in Redis."


def _figures(measured: Measured) -> str:
    rows = [
        [
            f"{name}, {connections} connection{'s' * (connections > 1)}",
            f"{median(run.per_second for run in runs):,.0f}",
            f"{median(run.p50 for run in runs) * 1000:.1f}",
            f"{median(run.p99 for run in runs) * 1000:.1f}",
            f"{median(run.cpu for run in runs) * 1e6:,.0f}",
        ]
        for (name, connections), runs in sorted(measured.items(), key=lambda entry: CONNECTIONS.index(entry[0][1]))
    ]
    return table("Receiver: signed 25 KB deliveries", ["", "a second", "p50 ms", "p99 ms", "CPU us each"], rows)


def _goals(measured: Measured) -> str:
    floor = {n: _ratio(measured, FLOOR, n) for n in (16, 64)}
    bare = {n: _ratio(measured, BARE, n) for n in (16, 64)}
    plain = {n: _ratio(measured, PLAIN, n) for n in (16, 64)}
    p99 = median(run.p99 for run in measured[OURS, 16]) * 1000
    rows = [
        ["of HMAC + 202 at 16", f"{floor[16]:.2f}", ">= 0.45", held(floor[16] >= 0.45)],
        ["of HMAC + 202 at 64", f"{floor[64]:.2f}", ">= 0.50", held(floor[64] >= 0.5)],
        ["of HMAC + 202 without a framework at 16", f"{bare[16]:.2f}", "", ""],
        ["of HMAC + 202 without a framework at 64", f"{bare[64]:.2f}", "", ""],
        ["of the plain one at 16", f"{plain[16]:.1f}", ">= 2.5", held(plain[16] >= 2.5)],
        ["of the plain one at 64", f"{plain[64]:.1f}", ">= 2.5", held(plain[64] >= 2.5)],
        ["p99 at 16, ms", f"{p99:.1f}", "< 30", held(p99 < 30)],
    ]
    return table("Receiver: goals", ["", "measured", "goal", "held"], rows)


def _ratio(measured: Measured, than: str, connections: int) -> float:
    """Ours to theirs, round by round: the rounds are not alike on a machine that others use too."""
    pairs = zip(measured[OURS, connections], measured[than, connections], strict=True)
    return median(ours.per_second / theirs.per_second for ours, theirs in pairs)
