"""May the app act on this repository at all?"""

from storage.installations import Tenant


def why_no_access(tenant: Tenant) -> str:
    """The outcome of a job that must not go on, as a sentence; an empty string where it may."""
    if tenant.removed:
        return "Skipped: the app was removed from this account or repository."
    if tenant.suspended:
        return "Skipped: the app is suspended on this account."
    return ""
