"""All that is counted and timed, in one table, and how each figure is named where all processes add it up."""

from bisect import bisect_left
from dataclasses import dataclass
from functools import cache

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0)

MORE, SUM = "+Inf", "sum"
LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True)
class Measure:
    """A counter, or with `buckets` (upper bounds) a histogram. The labels' values come from short lists: written ones, our
    endpoints, the models of the settings. No request can add a new one."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def counted(self, *values: str, by: float = 1) -> dict[str, float]:
        """What to note for `by` more of it."""
        return {_key(self.name, *values): by}

    def observed(self, amount: float, *values: str) -> dict[str, float]:
        """What to note for one more of that size."""
        place = bisect_left(self.buckets, amount)
        bound = str(self.buckets[place]) if place < len(self.buckets) else MORE
        return {_key(self.name, *values, bound): 1, _key(self.name, *values, SUM): float(amount)}


@cache  # as many as there are figures: the labels' values are few, and the receiver is in a hurry
def _key(*parts: str) -> str:
    return "|".join(part.replace("|", "/")[:LONGEST_LABEL] for part in parts)


DELIVERIES = Measure("deliveries", "Webhooks answered.", ("event", "outcome"))
DELIVERY_SECONDS = Measure("delivery_seconds", "From the first byte of an accepted delivery to its answer.", buckets=QUICK)
BATCH = Measure("intake_batch", "Deliveries that shared one INSERT.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
UNQUEUED = Measure("unqueued", "Remembered while Redis was away: the sweep queues them.")
REQUEST_SECONDS = Measure(
    "request_seconds", "API requests, by endpoint; statuses from 500 on are our faults.", ("method", "path", "status"), SECONDS
)
JOB_SECONDS = Measure("job_seconds", "Tries at jobs, by what became of them.", ("kind", "outcome"), LONG)
STEP_SECONDS = Measure("step_seconds", "Steps of reviews and analyses.", ("step",), LONG)
FINDINGS = Measure("findings", "Findings that stood, by severity.", ("severity",))
MODEL_CALLS = Measure("model_calls", "Calls to models.", ("provider", "model", "outcome"))
MODEL_TOKENS = Measure("model_tokens", "Tokens, cached ones among the input.", ("provider", "model", "kind"))
MODEL_COST = Measure("model_cost_dollars", "US dollars, of the models whose price is known.", ("provider", "model"))
SECURITY = Measure("security_events", "What somebody may have tried who should not.", ("event",))
PLACES = Measure("context_places", "Places that models were shown beyond a change.")
CITED = Measure("context_places_cited", "Those of them that a posted finding cites: their share is what retrieval is worth.")

MEASURES = (
    DELIVERIES, DELIVERY_SECONDS, BATCH, UNQUEUED, REQUEST_SECONDS, JOB_SECONDS, STEP_SECONDS, FINDINGS, MODEL_CALLS,
    MODEL_TOKENS, MODEL_COST, SECURITY, PLACES, CITED,
)  # fmt: skip
