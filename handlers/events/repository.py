"""repository: one that was deleted leaves nothing behind here."""

from handlers.delivery import Delivery
from handlers.events.event import Decision, Ignored
from handlers.events.installed import installed_repository
from handlers.events.update_installation import repository_gone


def decide(delivery: Delivery) -> Decision:
    """A job that keeps that it is gone; whatever else becomes of a repository is read when it is needed."""
    action = delivery.payload.action or ""
    if action != "deleted":
        return Ignored(f"Ignored: nothing is kept of a repository that is `{action}`.")
    installed = installed_repository(delivery)
    if isinstance(installed, Ignored):
        return installed
    return repository_gone(delivery, installed)
