"""Settings in, Context out: the one place where the objects of a job meet."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from bot.embedders import embedders
from bot.git.cache import Repositories
from bot.git.fetching import Fetcher
from bot.github.absent import NoGitHub
from bot.github.client import Client
from bot.github.host import GitHubHost
from bot.github.http import Http
from bot.github.identity import Identity
from bot.mail import mailer, public_url
from bot.providers import providers, why_no_models
from bot.secret_key import marker_key, secret_key
from bot.settings import Settings, has_github_app
from bot.source import GitHubSource, Web
from handlers.context import Context
from handlers.host import CodeHost, Source
from handlers.measures import STEP_SECONDS
from review.analyzers import ANALYZERS
from review.reviewer import OnStep, Reviewer
from storage.accounts.links import Links
from storage.accounts.reading import Reading
from storage.accounts.users import Users
from storage.analyses import Analyses
from storage.code.indexes import CodeIndexes
from storage.counts import Counts
from storage.database import Database
from storage.deliveries import Deliveries
from storage.expired import Expired
from storage.exports import Exports
from storage.installations import Installations
from storage.live import Live
from storage.objects import Objects, open_store
from storage.proposals import Proposals
from storage.queue import Queue
from storage.reports import Reports
from storage.repositories import KeptRepositories
from storage.reviews import Reviews
from storage.tokens import Tokens
from storage.uploads import Uploads

log = structlog.get_logger()


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    """All that a job may use, open until the block ends. Nothing is connected before it is needed. Raises UserError."""
    secret, redis_url = secret_key(settings), settings.redis_url.get_secret_value()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(settings.database_url.get_secret_value()))
        queue, tokens, counts, live = await stack.enter_async_context(_in_redis(redis_url, secret))
        host, source = await stack.enter_async_context(_github(settings, tokens))
        asked = await stack.enter_async_context(providers(settings))
        embed = await stack.enter_async_context(embedders(settings))
        reading = Reading(database)
        yield Context(
            database=database,
            deliveries=Deliveries(database),
            installations=Installations(database),
            repositories=KeptRepositories(database, reading),
            reviews=Reviews(database),
            analyses=Analyses(database, reading),
            proposals=Proposals(database, reading),
            reports=Reports(database, reading),
            uploads=Uploads(database, reading, settings.upload_days),
            exports=Exports(database, reading, settings.export_days),
            expired=Expired(database),
            code_indexes=CodeIndexes(database),
            queue=queue,
            objects=Objects(open_store(settings.storage_url, settings.data_dir)),
            live=live,
            counts=counts,
            host=host,
            source=source,
            mailer=mailer(settings),
            users=Users(database),
            links=Links(database),
            embedders=embed,
            reviewer=Reviewer(tuple(analyzer() for analyzer in ANALYZERS), asked, why_no_models(settings), steps(counts)),
            public_url=public_url(settings),
            marker_key=marker_key(secret),
            on_step=steps(counts),
        )


@asynccontextmanager
async def _in_redis(url: str, secret: str) -> AsyncIterator[tuple[Queue, Tokens, Counts, Live]]:
    async with Queue.open(url) as queue, Tokens.open(url, secret) as tokens, Counts.open(url) as counts, Live.open(url) as live:
        yield queue, tokens, counts, live


@asynccontextmanager
async def _github(settings: Settings, tokens: Tokens) -> AsyncIterator[tuple[CodeHost, Source]]:
    """GitHub as the app sees it; what refuses with a sentence where no app is set up."""
    if not has_github_app(settings):
        yield NoGitHub(), NoGitHub()
        return
    async with Http(settings.github_api_url, proxy=settings.https_proxy, ca_file=settings.ssl_cert_file) as http:
        key = settings.github_private_key.get_secret_value()
        client = Client(http, Identity(http, settings.github_app_id, key, cache=tokens))
        yield GitHubHost(client), _source(settings, client)


def _source(settings: Settings, client: Client) -> GitHubSource:
    fetcher = Fetcher(Repositories(settings.data_dir.resolve() / "repositories"))
    return GitHubSource(fetcher, client, Web(settings.web_url, settings.https_proxy, settings.ssl_cert_file))


def steps(counts: Counts) -> OnStep:
    """One line in the log for each step of a job, and its time among the counts."""

    def on_step(step: str, seconds: float) -> None:
        log.info("step", step=step, seconds=round(seconds, 3))
        counts.note(STEP_SECONDS.observed(seconds, step))

    return on_step
