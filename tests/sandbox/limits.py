"""GitHub's limits: the primary one by the hour, the secondary ones by the minute, both by installation."""

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from tests.sandbox.answering import Call, Refused, Route

PRIMARY_DOCS = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
SECONDARY_DOCS = f"{PRIMARY_DOCS}#about-secondary-rate-limits"
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
HOUR = 3600


@dataclass(slots=True)
class Bucket:
    """One installation's hour, and its last minutes."""

    used: int = 0
    reset: float = field(default_factory=lambda: time.time() + HOUR)
    points: deque[tuple[float, int]] = field(default_factory=deque)
    content: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class Limits:
    """What is allowed. Tests set smaller numbers; the defaults are GitHub's."""

    hourly: int = 5_000
    stranger_hourly: int = 60
    concurrent: int = 100
    points_by_minute: int = 900
    content_by_minute: int = 80
    content_by_hour: int = 500
    running: int = 0
    buckets: dict[int, Bucket] = field(default_factory=lambda: defaultdict(Bucket))

    def of(self, call: Call) -> tuple[Bucket, int]:
        """The caller's bucket and what it holds in an hour."""
        number, size = (call.installation.id, self.hourly) if call.token else (0, self.stranger_hourly)
        if call.person is not None:
            number, size = -call.person.user.id, self.hourly
        bucket = self.buckets[number]
        if time.time() >= bucket.reset:
            bucket.used, bucket.reset = 0, time.time() + HOUR
        return bucket, size

    def headers(self, call: Call) -> dict[str, str]:
        return {f"x-ratelimit-{key}": str(value) for key, value in self.core(call).items()} | {"x-ratelimit-resource": "core"}

    def core(self, call: Call) -> dict[str, int]:
        bucket, size = self.of(call)
        return {"limit": size, "remaining": max(size - bucket.used, 0), "reset": int(bucket.reset), "used": bucket.used}

    def charge(self, call: Call, route: Route) -> None:
        """Count one request. Raises 403 or 429 in GitHub's words when it is one too many."""
        if call.as_app or route.template == "/rate_limit":
            return
        bucket, size = self.of(call)
        if bucket.used >= size:
            raise exhausted(call, self)
        bucket.used += 1
        self._secondary(call, bucket, route)

    def refund(self, call: Call) -> None:
        """A 304 to somebody with a token costs nothing."""
        if call.token is not None:
            self.of(call)[0].used -= 1

    def _secondary(self, call: Call, bucket: Bucket, route: Route) -> None:
        moment = time.time()
        while bucket.points and bucket.points[0][0] < moment - 60:
            bucket.points.popleft()
        bucket.points.append((moment, 1 if route.method == "GET" else 5))
        if sum(points for _, points in bucket.points) > self.points_by_minute or self.running > self.concurrent:
            raise secondary(60)
        if not route.creates_content:
            return
        while bucket.content and bucket.content[0] < moment - HOUR:
            bucket.content.popleft()
        bucket.content.append(moment)
        if len(bucket.content) > self.content_by_hour or sum(t > moment - 60 for t in bucket.content) > self.content_by_minute:
            raise secondary(60)


def exhausted(call: Call, limits: Limits, reset_in: float | None = None) -> Refused:
    """The primary limit is used up, until `reset_in` seconds from now where told."""
    bucket, size = limits.of(call)
    bucket.used = size
    if reset_in is not None:
        bucket.reset = time.time() + reset_in
    who = f"installation ID {call.installation.id}" if call.token else "127.0.0.1"
    return Refused(403, f"API rate limit exceeded for {who}.", docs=PRIMARY_DOCS)


def secondary(retry_after: float | None, status: int = 403) -> Refused:
    headers = {} if retry_after is None else {"retry-after": str(int(retry_after))}
    return Refused(status, SECONDARY, headers=headers, docs=SECONDARY_DOCS)
