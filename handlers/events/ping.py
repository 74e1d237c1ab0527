"""ping: GitHub asks whether anybody is there, when the webhook is set up."""

from handlers.delivery import Delivery
from handlers.events.event import Decision, Noted


def decide(_: Delivery) -> Decision:
    """Nothing to do but to answer."""
    return Noted("Answered GitHub's ping.")
