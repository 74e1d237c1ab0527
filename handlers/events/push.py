"""push: what came onto the default branch is indexed; other branches are read when they are reviewed."""

from handlers.delivery import Delivery
from handlers.events.event import Decision, Ignored, PutJob
from handlers.events.index_repository import KIND, index_arguments
from handlers.events.installed import installed_repository

BRANCH = "refs/heads/"


def decide(delivery: Delivery) -> Decision:
    """A job that indexes what changed, or the reason why nothing does. Who pushed does not matter: bots merge too."""
    payload = delivery.payload
    installed = installed_repository(delivery)
    if isinstance(installed, Ignored):
        return installed
    if not (payload.ref or "").startswith(BRANCH):
        return Ignored("Ignored: only branches are indexed, and this is none.")
    if payload.deleted:
        return Ignored("Ignored: a branch was deleted.")
    if payload.ref != BRANCH + installed.repository.default_branch:
        return Ignored("Ignored: only the default branch is indexed; others are read when they are reviewed.")
    return PutJob(KIND, index_arguments(delivery.id, installed), "low")
