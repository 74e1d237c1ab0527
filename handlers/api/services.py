"""Services: all that the API's endpoints may use, one frozen value, made in `bot/open_services.py`."""

from dataclasses import dataclass

from handlers.api.access_tokens import Tokens
from handlers.api.passwords import Passwords
from storage.accounts.api_keys import ApiKeys
from storage.accounts.reading import Reading
from storage.accounts.sessions import Sessions
from storage.accounts.users import Users
from storage.analyses import Analyses
from storage.database import Database
from storage.deliveries import Deliveries
from storage.installations import Installations
from storage.live import Live
from storage.objects import Objects
from storage.queue import Queue
from storage.shown_audit import ShownAudit
from storage.shown_deliveries import ShownDeliveries


@dataclass(frozen=True, slots=True)
class Services:
    """What a web process has at hand. Nothing heavy: work is put on the queue."""

    database: Database
    reading: Reading
    deliveries: Deliveries
    installations: Installations
    queue: Queue
    analyses: Analyses
    objects: Objects
    live: Live
    users: Users
    sessions: Sessions
    api_keys: ApiKeys
    tokens: Tokens
    passwords: Passwords
    shown_deliveries: ShownDeliveries
    shown_audit: ShownAudit
