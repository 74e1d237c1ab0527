"""The REST API under /api/v1: the whole table of its endpoints. Start reading at `serve.py`."""

from handlers.api import (
    account,
    analyses,
    api_keys,
    audit,
    auth,
    deliveries,
    exports,
    github_sign_in,
    health,
    jobs,
    organizations,
    proposals,
    reports,
    repositories,
    tickets,
    uploads,
    usage,
    users,
)
from handlers.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *health.ENDPOINTS,
    *auth.ENDPOINTS,
    *account.ENDPOINTS,
    *github_sign_in.ENDPOINTS,
    *api_keys.ENDPOINTS,
    *users.ENDPOINTS,
    *tickets.ENDPOINTS,
    *organizations.ENDPOINTS,
    *repositories.ENDPOINTS,
    *deliveries.ENDPOINTS,
    *jobs.ENDPOINTS,
    *audit.ENDPOINTS,
    *uploads.ENDPOINTS,
    *analyses.ENDPOINTS,
    *reports.ENDPOINTS,
    *proposals.ENDPOINTS,
    *exports.ENDPOINTS,
    *usage.ENDPOINTS,
)
