"""`refactoriq web`, `worker` and `migrate`: one process each, as Procfile names them."""

from pydantic import SecretStr

from bot.settings import Settings, given, read_settings
from review.errors import UserError


def web() -> None:
    """Serve until stopped. Raises UserError where a setting is missing."""
    import uvicorn

    from bot.patience import PATIENT

    settings = read_settings()
    need(settings, "database_url", "redis_url")
    uvicorn.run(
        "bot.web:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        access_log=False,
        log_config=None,
        server_header=False,
        # Its own default trusts what any process of this machine says: see TRUSTED_PROXIES in `bot/web.py`.
        proxy_headers=False,
        timeout_graceful_shutdown=20,
        **PATIENT,
    )


def worker(*, burst: bool = False) -> None:
    """Work until stopped, or with `burst` until no job is left."""
    from bot.worker import run_worker

    settings = read_settings()
    need(settings, "database_url", "redis_url")
    run_worker(settings, burst=burst)


def migrate() -> None:
    """Migrate DATABASE_URL; harmless when there is nothing to do."""
    from storage.migrations import migrate as run

    settings = read_settings()
    need(settings, "database_url")
    run(settings.database_url.get_secret_value())


def with_running_services(settings: Settings) -> Settings:
    """With the Postgres and Redis of a `refactoriq serve` on the same DATA_DIR, where no others are named."""
    from storage.embedded import running_services

    running = running_services(settings.data_dir)
    if running is None:
        return settings
    own = {"database_url": SecretStr(running.database_url), "redis_url": SecretStr(running.redis_url)}
    return settings.model_copy(update={name: getattr(settings, name) or url for name, url in own.items()})


HOW = {
    "database_url": "DATABASE_URL is not set. Name a Postgres with pgvector, or use `refactoriq serve`, which brings its own.",
    "redis_url": "REDIS_URL is not set. Name a Redis, or use `refactoriq serve`, which brings its own.",
    "github_app_id": "GITHUB_APP_ID is not set. It stands on the app's settings page on GitHub.",
    "github_private_key": "GITHUB_PRIVATE_KEY is not set. Make one on the app's settings page on GitHub.",
}


def need(settings: Settings, *names: str) -> None:
    """Raises UserError with a sentence for each of these settings that is empty."""
    missing = [HOW[name] for name in names if not given(settings, name)]
    if missing:
        raise UserError("\n".join(missing))
