"""What is counted and timed in the web process, and what the workers count, for Prometheus to read."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from handlers.events import EVENTS
from storage.counts import Counts

OTHER = "other"

PLACES, CITED = "context_places", "context_places_cited"
"""The names of what a review counts: the places that models were shown beyond a change, and those that a posted finding cites.
Their quotient is what retrieval is worth."""

SHARED = {
    PLACES: "Places that models were shown beyond a change.",
    CITED: "Those of them that a posted finding cites.",
    "security_refused_logins": "Logins with a wrong password, or at a closed account.",
    "security_refused_tokens": "Requests with a token or an API key that is not valid.",
    "security_reused_refresh_tokens": "Refresh tokens that came a second time: their sessions are over.",
    "security_forbidden": "Requests for what the caller's role or scopes do not allow.",
}


class SharedCounts(Collector):
    """What all processes counted together, as it was last read."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def collect(self) -> Iterator[CounterMetricFamily]:
        """See prometheus_client."""
        for name, meaning in SHARED.items():
            yield CounterMetricFamily(f"refactoriq_{name}", meaning, value=self.known.get(name, 0))


class Metrics:
    """The counters of one web process. Labels come from short written lists: no delivery can add a new one."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.counts: Counts | None = None
        """Where the workers count; None before the services are open."""
        self._shared = SharedCounts()
        self.registry.register(self._shared)
        self._deliveries = Counter(
            "refactoriq_deliveries_total", "Webhooks answered.", ["event", "outcome"], registry=self.registry
        )
        self._children: dict[tuple[str, str], Counter] = {}
        self._seconds = Histogram(
            "refactoriq_delivery_seconds",
            "From the first byte of an accepted delivery to its answer.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10),
            registry=self.registry,
        )
        self._batch = Histogram(
            "refactoriq_intake_batch",
            "Deliveries that shared one INSERT.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self._unqueued = Counter(
            "refactoriq_unqueued_total", "Remembered while Redis was away: the sweep queues them.", registry=self.registry
        )

    def answered(self, event: str, outcome: str, seconds: float) -> None:
        """A delivery was taken in. `outcome` comes from our own few words."""
        self._count(event, outcome)
        self._seconds.observe(seconds)

    def refused(self, event: str, status: int) -> None:
        """A request was turned away; nothing in it can be trusted."""
        self._count(event, f"refused_{status}")

    def _count(self, event: str, outcome: str) -> None:
        key = (event if event in EVENTS else OTHER, outcome)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._deliveries.labels(*key)
        child.inc()

    def remembered(self, deliveries: int) -> None:
        """One INSERT took this many."""
        self._batch.observe(deliveries)

    def unqueued(self, deliveries: int) -> None:
        """This many are in Postgres and not in Redis."""
        self._unqueued.inc(deliveries)

    async def page(self, _: Request) -> Response:
        """GET /api/v1/health/metrics. While Redis is away what the workers counted stands still."""
        if self.counts is not None:
            self._shared.known |= await self.counts.read()
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)
