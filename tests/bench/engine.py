"""From webhook to posted review: seconds, processor time, memory, GitHub calls and prompt tokens, for real changes."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.changes import RealChange, a_real_change
from tests.bench.house import House, house, model
from tests.bench.memory import Peak
from tests.bench.table import held, table
from tests.process_tree import cpu_seconds, tree

SIZES = (50, 300, 2_000, 10_000)
DELAYS = (0.0, 2.0)
SECONDS = {50: 1.0, 300: 1.5, 2_000: 4.0, 10_000: 8.0}
"""Goals: seconds besides the model's own."""

TOKENS = {50: 3_000, 300: 13_000, 2_000: 50_000, 10_000: 121_000}
MOST_CALLS = 6


@dataclass(frozen=True, slots=True)
class Figures:
    """One review. `tokens` are 3.5 bytes of prompt each; `peak` is memory of the worker and its children, by PSS."""

    seconds: float
    cpu: float
    peak: int
    calls: int
    tokens: int
    asked: int


def measure(folder: Path, *, rounds: int, sizes: tuple[int, ...] = SIZES, delays: tuple[float, ...] = DELAYS) -> str:
    """The table, medians of so many rounds; every review is the first one of its repository."""
    changes = {size: a_real_change(size) for size in sizes}
    found: dict[tuple[int, float], list[Figures]] = {}
    with model() as models, house(folder, models) as running:
        running.review(running.open("first", a_real_change(min(sizes))))  # what a process does once only
        for number in range(rounds):
            for delay in delays:
                models.delay_seconds = delay
                for size, change in changes.items():
                    figures = _figures(running, f"{number}-{size}-{delay:.0f}", change)
                    found.setdefault((size, delay), []).append(figures)
    head = ["", "seconds", "goal", "held", "CPU s", "peak MB", "calls", "<= 6", "prompt tokens", "goal", "held", "questions"]
    rows = [_row(size, delay, changes[size], runs) for (size, delay), runs in found.items()]
    return table("Engine: webhook to posted review, the repository never seen before", head, rows)


def _figures(running: House, name: str, change: RealChange) -> Figures:
    pull = running.open(name, change)
    before, tokens, asked = len(running.github.requests), running.models.prompt_tokens, len(running.models.requests)
    used = _cpu(running)
    with Peak(running.worker.pid, every=0.1) as peak:
        seconds = running.review(pull)
        _until_alone(running)
    calls = sum(exchange.rest for exchange in running.github.requests[before:])
    questions = len(running.models.requests) - asked
    return Figures(seconds, _cpu(running) - used, peak.bytes, calls, running.models.prompt_tokens - tokens, questions)


def _cpu(running: House) -> float:
    return cpu_seconds(running.web.pid) + cpu_seconds(running.worker.pid)


def _until_alone(running: House) -> None:
    """Until the job's process has ended: only then does the worker's time include it."""
    for _ in range(200):
        if len(tree(running.worker.pid)) == 1:
            return
        time.sleep(0.02)


def _row(size: int, delay: float, change: RealChange, runs: list[Figures]) -> list[str]:
    seconds, goal = median(run.seconds for run in runs), delay + SECONDS[size]
    tokens, calls = round(median(run.tokens for run in runs)), max(run.calls for run in runs)
    return [
        f"{change.lines:,} lines in {len(change.head)} files, model {delay * 1000:,.0f} ms",
        f"{seconds:.2f}", f"{goal:.1f}", held(seconds <= goal),
        f"{median(run.cpu for run in runs):.2f}", f"{max(run.peak for run in runs) / 1e6:.0f}",
        f"{calls}", held(calls <= MOST_CALLS),
        f"{tokens:,}", f"{TOKENS[size]:,}", held(tokens <= TOKENS[size]),
        f"{median(run.asked for run in runs):.0f}",
    ]  # fmt: skip
