"""Which function hears which event: the whole table."""

from handlers.events import installation, installation_repositories, ping, pull_request, push, repository
from handlers.events.event import Event

EVENTS: dict[str, Event] = {
    "pull_request": pull_request.decide,
    "push": push.decide,
    "installation": installation.decide,
    "installation_repositories": installation_repositories.decide,
    "repository": repository.decide,
    "ping": ping.decide,
}
