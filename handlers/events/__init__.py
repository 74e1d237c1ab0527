"""Which function hears which event: the whole table."""

from handlers.events import installation, installation_repositories, ping, pull_request
from handlers.events.event import Event

EVENTS: dict[str, Event] = {
    "pull_request": pull_request.decide,
    "installation": installation.decide,
    "installation_repositories": installation_repositories.decide,
    "ping": ping.decide,
}
