"""`python -m tests.bench [receiver] [engine] [worker] [api] [live] [code-index] [--quick]`: measure, print tables."""

import argparse
import os
import platform
import tempfile
from pathlib import Path

from tests.bench import api, code_index, engine, live, receiver, worker

PARTS = ("receiver", "engine", "worker", "api", "live")
LONG = ("code-index",)
"""What takes a quarter of an hour and gigabytes of disk: only when it is named."""


def main() -> None:
    """Everything in one run on one machine, so that figures can be compared with each other."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, *LONG, []], help="all but code-index unless some are named")
    parser.add_argument("--quick", action="store_true", help="one short round of each: shows that it works, measures little")
    parser.add_argument("--chunks", type=int, default=100_000, help="of the largest repository of code-index (a tenth of all)")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    for part in given.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="riq-bench-", ignore_cleanup_errors=True) as folder:
            print(_measured(part, Path(folder), given.quick, given.chunks), flush=True)


def _measured(part: str, folder: Path, quick: bool, chunks: int) -> str:
    match part:
        case "receiver":
            return receiver.measure(folder, rounds=1 if quick else 5, seconds=0.3 if quick else 1.5)
        case "engine":
            return engine.measure(folder, rounds=1, sizes=(50,), delays=(0.0,)) if quick else engine.measure(folder, rounds=3)
        case "api":
            rows, others = (20_000, 5_000) if quick else (1_000_000, 200_000)
            return api.measure(folder, rows=rows, others=others, seconds=0.3 if quick else 3.0)
        case "live":
            return live.measure(folder, clients=50, steps=5) if quick else live.measure(folder, clients=500, steps=50)
        case "code-index":
            if quick:
                return code_index.measure(folder, chunks=2_400, most=6_000, tenants=4, rounds=5)
            return code_index.measure(folder, chunks=chunks, most=10 * chunks)
    return worker.measure(folder, lines=300 if quick else worker.LARGE)


if __name__ == "__main__":
    main()
