"""installation: the app was installed, removed, suspended, woken up, or given new permissions."""

from handlers.delivery import Delivery
from handlers.events.event import Decision, Ignored
from handlers.events.update_installation import update_installation

KEPT = frozenset({"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"})


def decide(delivery: Delivery) -> Decision:
    """A job that brings our records of the installation up to date; `created` brings its first repositories along."""
    action = delivery.payload.action or ""
    if action not in KEPT:
        return Ignored(f"Ignored: nothing is kept of an installation that is `{action}`.")
    added = (delivery.payload.repositories or []) if action == "created" else []
    return update_installation(delivery, action, added, [])
