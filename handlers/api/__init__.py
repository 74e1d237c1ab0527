"""The REST API under /api/v1: the whole table of its endpoints. Start reading at `serve.py`."""

from handlers.api import audit, auth, deliveries, jobs, tickets, usage
from handlers.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *auth.ENDPOINTS,
    *tickets.ENDPOINTS,
    *deliveries.ENDPOINTS,
    *jobs.ENDPOINTS,
    *audit.ENDPOINTS,
    *usage.ENDPOINTS,
)
