"""Checkups of the secrets of our own. None is ever shown."""

from bot.checkups.checkup import Line, ok, warning, wrong
from bot.settings import SHORTEST_KEY, Settings

SHORTEST_SECRET = 16


async def secret_key(settings: Settings) -> list[Line]:
    """What signs the marks in our reviews and encrypts what waits in Redis."""
    length = len(settings.secret_key.get_secret_value())
    if settings.production and length < SHORTEST_KEY:
        return []  # the settings themselves are refused for it, in their own words
    if not length:
        return [ok("SECRET_KEY", "is not set: one is made and kept in DATA_DIR. Production needs one of its own.")]
    if length < SHORTEST_KEY:
        return [warning("SECRET_KEY", f"is shorter than {SHORTEST_KEY} characters: make one with `openssl rand -hex 32`.")]
    return [ok("SECRET_KEY", "is set.")]


async def webhook_secret(settings: Settings) -> list[Line]:
    """What GitHub signs deliveries with."""
    given = [secret.get_secret_value() for secret in settings.github_webhook_secret]
    if not given:
        say = wrong if settings.github_app_id else warning
        return [say("GITHUB_WEBHOOK_SECRET", "is not set: no delivery is accepted. Set what you typed on GitHub.")]
    if min(map(len, given)) < SHORTEST_SECRET:
        return [warning("GITHUB_WEBHOOK_SECRET", f"is shorter than {SHORTEST_SECRET} characters: use `openssl rand -hex 32`.")]
    return [ok("GITHUB_WEBHOOK_SECRET", "is set." if len(given) == 1 else f"is set; {len(given)} secrets are accepted.")]
