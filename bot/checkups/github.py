"""Checkup of GitHub: is the API within reach, is the app's key accepted, may the app do what it must?"""

from collections.abc import Mapping
from typing import Any

from bot.checkups.checkup import Line, ok, warning, wrong
from bot.settings import Settings
from review.errors import TryAgain

PERMISSIONS = {"contents": "read", "metadata": "read", "members": "read", "pull_requests": "write"}
EVENTS = ("pull_request", "push", "repository")
"""What `app.yml` asks for; a test holds them together."""

LEVELS = ("", "read", "write", "admin")
SECONDS = 6.0


async def github(settings: Settings) -> list[Line]:
    """GET /app as the app itself, and what its settings on GitHub allow. Raises UserError where the key is no key."""
    key = settings.github_private_key.get_secret_value()
    if not settings.github_app_id or not key:
        return [warning("GitHub", "GITHUB_APP_ID and GITHUB_PRIVATE_KEY are not both set: nothing is reviewed on GitHub yet.")]
    from bot.github.http import Http
    from bot.github.identity import Identity, MemoryCache

    url = settings.github_api_url
    async with Http(url, proxy=settings.https_proxy, ca_file=settings.ssl_cert_file, seconds=SECONDS) as http:
        identity = Identity(http, settings.github_app_id, key, cache=MemoryCache())
        try:
            answer = await http.send("GET", "/app", identity.app_authorization())
            app = answer.json()
        except TryAgain as error:
            return [wrong("GitHub", f"{url}: {error} Check GITHUB_API_URL, the network, HTTPS_PROXY and SSL_CERT_FILE.")]
    if answer.status == 401:
        advice = "check GITHUB_APP_ID, GITHUB_PRIVATE_KEY, and this machine's clock."
        return [wrong("GitHub", f"does not know the app by its key ({answer.message}): {advice}")]
    if answer.status != 200 or not isinstance(app, dict):
        return [wrong("GitHub", f"{url} answered {answer.status} ({answer.message}): check GITHUB_API_URL.")]
    known = ok("GitHub", f"{url} knows the app as {app.get('slug') or app.get('name')}.")
    return [known, *_permissions(app.get("permissions") or {}), *_events(app.get("events") or ())]


def _permissions(held: Mapping[str, Any]) -> list[Line]:
    lacks = [f"{name}: {level}" for name, level in PERMISSIONS.items() if _level(held.get(name)) < _level(level)]
    more = [f"{name}: {level}" for name, level in held.items() if _level(level) > _level(PERMISSIONS.get(name))]
    if lacks:
        advice = "grant it on the app's settings page; each account that installed the app must then accept it."
        return [wrong("permissions", f"The app lacks {', '.join(lacks)}: {advice}")]
    if more:
        return [warning("permissions", f"The app may do more than it needs ({', '.join(more)}): take it away.")]
    return [ok("permissions", "The app may do what it needs, and no more.")]


def _level(name: object) -> int:
    return LEVELS.index(name) if isinstance(name, str) and name in LEVELS else 0


def _events(heard: object) -> list[Line]:
    missing = [event for event in EVENTS if not isinstance(heard, list | tuple) or event not in heard]
    if missing:
        advice = "tick it under Permissions & events on the app's settings page."
        return [wrong("events", f"The app does not hear of {', '.join(missing)}: {advice}")]
    return [ok("events", f"The app hears of {', '.join(EVENTS)}.")]
