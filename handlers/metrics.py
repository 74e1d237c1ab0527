"""The figures of all processes as Prometheus reads them, the same whichever web process is asked."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from handlers.events import EVENTS
from handlers.measures import BATCH, DELIVERIES, DELIVERY_SECONDS, MEASURES, MORE, SECURITY, SUM, UNQUEUED, Measure
from review.errors import TryAgain
from storage.counts import Counts, ProcessState
from storage.queue import Queue, Waiting

OTHER = "other"
PREFIX = "refactoriq_"


class Metrics:
    """What the receiver counts. `note` is where the counts of this process gather."""

    def __init__(self, note: Callable[[Mapping[str, float]], None]) -> None:
        self._note = note

    def answered(self, event: str, outcome: str, seconds: float) -> None:
        """A delivery was taken in. `outcome` comes from our own few words."""
        self._note(DELIVERIES.counted(_known(event), outcome))
        self._note(DELIVERY_SECONDS.observed(seconds))

    def refused(self, event: str, status: int) -> None:
        """A request was turned away; nothing in it can be trusted."""
        self._note(DELIVERIES.counted(_known(event), f"refused_{status}"))
        if status == 401:
            self._note(SECURITY.counted("refused_signatures"))

    def remembered(self, deliveries: int) -> None:
        """One INSERT took this many."""
        self._note(BATCH.observed(deliveries))

    def unqueued(self, deliveries: int) -> None:
        """This many are in Postgres and not in Redis."""
        self._note(UNQUEUED.counted(by=deliveries))


def _known(event: str) -> str:
    return event if event in EVENTS else OTHER


async def exposition(counts: Counts, queue: Queue) -> bytes:
    """All figures, in Prometheus' text format. While Redis is away it says that, and little else."""
    await counts.flush()
    try:
        waiting: Mapping[str, Waiting] = {str(name): each for name, each in (await queue.waiting()).items()}
    except TryAgain:
        waiting = {}
    registry = CollectorRegistry()
    registry.register(_Figures(await counts.read(), await counts.processes(), waiting))
    return generate_latest(registry)


@dataclass(frozen=True, eq=False)
class _Figures(Collector):
    counted: Mapping[str, float]
    processes: Sequence[ProcessState]
    waiting: Mapping[str, Waiting]
    _by_name: dict[str, list[tuple[list[str], float]]] = field(default_factory=lambda: defaultdict(list))

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        for key, number in self.counted.items():
            name, *values = key.split("|")
            self._by_name[name].append((values, number))
        for measure in MEASURES:
            yield (
                _histogram(measure, self._by_name[measure.name])
                if measure.buckets
                else _counter(measure, self._by_name[measure.name])
            )
        yield GaugeMetricFamily(f"{PREFIX}redis_up", "Whether the queue's Redis answers.", value=int(bool(self.waiting)))
        lengths = {name: waiting.jobs for name, waiting in self.waiting.items()}
        ages = {name: waiting.oldest for name, waiting in self.waiting.items()}
        yield _gauge("queue_jobs", "Jobs that wait on a queue.", "queue", lengths)
        yield _gauge("queue_oldest_seconds", "How long the oldest of them has waited.", "queue", ages)
        yield from self._of_processes()

    def _of_processes(self) -> Iterator[Metric]:
        """A figure of each process that lives: web processes and workers, with the job that they are at."""
        cpu = CounterMetricFamily(f"{PREFIX}process_cpu_seconds", "Processor time.", labels=("process", "role"))
        memory = GaugeMetricFamily(f"{PREFIX}process_memory_bytes", "Resident memory.", labels=("process", "role"))
        for process in self.processes:
            cpu.add_metric((process.name, process.role), process.cpu)
            memory.add_metric((process.name, process.role), process.memory)
        web = [process for process in self.processes if process.role == "web"]
        yield from (cpu, memory)
        yield _gauge("pool_connections", "Connections to Postgres.", "process", {p.name: p.pool_size for p in web})
        yield _gauge("pool_waiting", "Requests that wait for one.", "process", {p.name: p.pool_waiting for p in web})
        yield _gauge("websockets", "Open WebSockets.", "process", {p.name: p.websockets for p in web})


def _gauge(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, meaning, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family


def _counter(measure: Measure, samples: Iterable[tuple[list[str], float]]) -> Metric:
    family = CounterMetricFamily(PREFIX + measure.name, measure.meaning, labels=measure.labels)
    for values, number in samples:
        family.add_metric(values, number)
    if not measure.labels and not family.samples:
        family.add_metric((), 0)
    return family


def _histogram(measure: Measure, samples: Iterable[tuple[list[str], float]]) -> Metric:
    """Each bucket is kept by itself; Prometheus wants them with all below."""
    family = HistogramMetricFamily(PREFIX + measure.name, measure.meaning, labels=measure.labels)
    kept: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for (*values, bound), number in samples:
        kept[tuple(values)][bound] = number
    bounds = [*map(str, measure.buckets), MORE]
    for labels, numbers in kept.items():
        upto = accumulate(numbers.get(bound, 0.0) for bound in bounds)
        family.add_metric(labels, list(zip(bounds, upto, strict=True)), numbers.get(SUM, 0.0))
    return family
