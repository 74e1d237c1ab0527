"""Settings in, Services out: what the endpoints of the web process use."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.checks import checks
from bot.github.sign_in import GitHubSignIn
from bot.leftovers import temporary_folder
from bot.mail import why_no_mail
from bot.secret_key import derived_key, secret_key
from bot.settings import Settings
from handlers.api.access_tokens import Tokens
from handlers.api.accounts import Accounts
from handlers.api.passwords import Passwords
from handlers.api.services import Services
from handlers.mailing import Mailing
from handlers.sight_on_github import SightOnGitHub
from handlers.uploads.bounds import Bounds
from handlers.uploads.receiving import Receiving
from storage.accounts.administration import Administration
from storage.accounts.api_keys import ApiKeys
from storage.accounts.github_accounts import GitHubAccounts
from storage.accounts.links import Links
from storage.accounts.members import Members
from storage.accounts.reading import Reading
from storage.accounts.seen_on_github import SeenOnGitHub
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
from storage.limits import Limits, Rate, Rates
from storage.live import Live
from storage.objects import Objects, open_store
from storage.proposals import Proposals
from storage.queue import Queue
from storage.redis_client import AnyRedis, open_redis
from storage.reports import Reports
from storage.repositories import KeptRepositories
from storage.shown_audit import ShownAudit
from storage.shown_deliveries import ShownDeliveries
from storage.uploads import Uploads


@asynccontextmanager
async def open_services(settings: Settings, database: Database, queue: Queue, counts: Counts) -> AsyncIterator[Services]:
    """All that the endpoints may use, open until the block ends. Nothing is connected before it is needed. Raises UserError."""
    async with AsyncExitStack() as stack:
        redis = open_redis(settings.redis_cache_url.get_secret_value() or settings.redis_url.get_secret_value())
        stack.push_async_callback(redis.aclose)
        live = await stack.enter_async_context(Live.open(settings.redis_url.get_secret_value()))
        cache = Cache(redis)
        replica = await stack.enter_async_context(_replica(settings))
        reading = Reading(database, replica, cache)
        objects = Objects(open_store(settings.storage_url, settings.data_dir))
        bounds = Bounds(settings.upload_max_bytes, settings.upload_max_files)
        yield Services(
            database=database,
            checks=checks(settings, database, replica, queue, redis, objects),
            accounts=await stack.enter_async_context(_accounts(settings, database, reading, queue, redis)),
            reading=reading,
            cache=cache,
            limits=Limits(redis, _rates(settings)),
            idempotency_keys=IdempotencyKeys(database),
            deliveries=Deliveries(database),
            installations=Installations(database),
            queue=queue,
            counts=counts,
            analyses=Analyses(database, reading),
            proposals=Proposals(database, reading),
            reports=Reports(database, reading),
            live=live,
            objects=objects,
            uploads=Uploads(database, reading, settings.upload_days),
            exports=Exports(database, reading, settings.export_days),
            receiving=Receiving(bounds, temporary_folder(settings.data_dir)),
            repositories=KeptRepositories(database, reading),
            shown_deliveries=ShownDeliveries(database, reading),
            shown_audit=ShownAudit(database, reading),
        )


@asynccontextmanager
async def _accounts(
    settings: Settings, database: Database, reading: Reading, queue: Queue, redis: AnyRedis
) -> AsyncIterator[Accounts]:
    async with GitHubSignIn.open(settings) as sign_in:
        github_accounts = GitHubAccounts(database, derived_key(secret_key(settings), "users"))
        sight = SightOnGitHub(database, github_accounts, SeenOnGitHub(database), sign_in, redis)
        yield Accounts(
            users=Users(database),
            administration=Administration(database),
            members=Members(database, reading),
            sessions=Sessions(redis),
            api_keys=ApiKeys(database),
            tickets=Tickets(redis),
            tokens=Tokens(derived_key(secret_key(settings), "login")),
            passwords=Passwords(),
            tries=Tries(redis),
            links=Links(database),
            mailing=Mailing(Deliveries(database), queue, why_no_mail(settings)),
            sign_in=sign_in,
            sign_ins=SignIns(redis, secure=settings.public_url.startswith("https:")),
            github_accounts=github_accounts,
            sight=sight,
            registration=settings.registration,
        )
        await sight.drain()


@asynccontextmanager
async def _replica(settings: Settings) -> AsyncIterator[Database | None]:
    """The database to read from, where one is set. It gets little time: the primary can always answer in its place."""
    url = settings.database_replica_url.get_secret_value()
    if not url:
        yield None
        return
    async with Database.open(url, wait=1.0) as replica:
        yield replica


def _rates(settings: Settings) -> Rates:
    return Rates(
        requests=Rate("requests", settings.requests_per_minute, 60),
        logins=Rate("logins", settings.logins_per_minute, 60),
        analyses=Rate("analyses", settings.analyses_per_hour, 3600),
    )
