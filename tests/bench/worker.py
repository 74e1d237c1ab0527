"""The worker process: how soon it is ready, and how much memory it takes at rest and at its peak."""

import time
from pathlib import Path

from tests.bench.changes import a_real_change
from tests.bench.house import house, model
from tests.bench.memory import Peak
from tests.bench.table import held, table
from tests.process_tree import memory

LARGE = 10_000
MEGABYTE = 1_000_000


def measure(folder: Path, *, lines: int = LARGE) -> str:
    """The table: start to ready, memory at rest, and the peak with its children while it reviews so many lines."""
    change = a_real_change(lines)
    with model() as models, house(folder, models) as running:
        time.sleep(1)
        rss, pss = (memory([running.worker.pid], kind) / MEGABYTE for kind in ("Rss", "Pss"))
        pull = running.open("large", change)
        with Peak(running.worker.pid, every=0.02) as peak:
            running.review(pull)
    most = peak.bytes / MEGABYTE
    rows = [
        ["start to ready, s", f"{running.started:.1f}", "< 3", held(running.started < 3)],
        ["at rest, MB (RSS)", f"{rss:.0f}", "< 200", held(rss < 200)],
        ["at rest, MB (PSS)", f"{pss:.0f}", "< 200", held(pss < 200)],
        [f"peak on {change.lines:,} lines with its children, MB (PSS)", f"{most:.0f}", "< 400", held(most < 400)],
    ]
    return table("Worker", ["", "measured", "goal", "held"], rows)
