"""installation_repositories: repositories came under the app's eyes, or left them."""

from handlers.delivery import Delivery
from handlers.events.event import Decision, Ignored
from handlers.events.update_installation import update_installation


def decide(delivery: Delivery) -> Decision:
    """A job that keeps which repositories were added and removed."""
    payload = delivery.payload
    action = payload.action or ""
    if action not in ("added", "removed"):
        return Ignored(f"Ignored: nothing is kept of repositories that are `{action}`.")
    # Either action may carry both lists.
    return update_installation(delivery, action, payload.repositories_added or [], payload.repositories_removed or [])
