"""Services: all that the API's endpoints may use, one frozen value, made in `bot/open_services.py`."""

from dataclasses import dataclass

from handlers.api.access_tokens import Tokens
from handlers.api.passwords import Passwords
from handlers.host import SignIn
from handlers.mailing import Mailing
from handlers.sight_on_github import SightOnGitHub
from handlers.uploads.receiving import Receiving
from storage.accounts.administration import Administration
from storage.accounts.api_keys import ApiKeys
from storage.accounts.github_accounts import GitHubAccounts
from storage.accounts.links import Links
from storage.accounts.members import Members
from storage.accounts.reading import Reading
from storage.accounts.sessions import Sessions
from storage.accounts.sign_ins import SignIns
from storage.accounts.tickets import Tickets
from storage.accounts.tries import Tries
from storage.accounts.users import Users
from storage.analyses import Analyses
from storage.cache import Cache
from storage.counts import Counts
from storage.database import Database
from storage.deliveries import Deliveries
from storage.exports import Exports
from storage.idempotency import IdempotencyKeys
from storage.installations import Installations
from storage.limits import Limits
from storage.live import Live
from storage.objects import Objects
from storage.proposals import Proposals
from storage.queue import Queue
from storage.reports import Reports
from storage.repositories import KeptRepositories
from storage.shown_audit import ShownAudit
from storage.shown_deliveries import ShownDeliveries
from storage.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Services:
    """What a web process has at hand. Nothing heavy: work is put on the queue."""

    database: Database
    reading: Reading
    cache: Cache
    limits: Limits
    idempotency_keys: IdempotencyKeys
    deliveries: Deliveries
    installations: Installations
    queue: Queue
    counts: Counts
    analyses: Analyses
    proposals: Proposals
    reports: Reports
    objects: Objects
    uploads: Uploads
    exports: Exports
    receiving: Receiving
    live: Live
    users: Users
    administration: Administration
    links: Links
    tries: Tries
    mailing: Mailing
    sessions: Sessions
    sign_in: SignIn | None
    """None where nobody can sign in by GitHub."""
    sign_ins: SignIns
    github_accounts: GitHubAccounts
    sight: SightOnGitHub
    members: Members
    repositories: KeptRepositories
    tickets: Tickets
    api_keys: ApiKeys
    tokens: Tokens
    passwords: Passwords
    registration: bool
    """Whether anybody may make an account."""
    shown_deliveries: ShownDeliveries
    shown_audit: ShownAudit
