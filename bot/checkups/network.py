"""Checkups of the ways in and out: the public address, the proxy, further certificates."""

import ssl
from urllib.parse import urlsplit

from bot.checkups.checkup import Line, ok, warning, wrong
from bot.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")


async def public_url(settings: Settings) -> list[Line]:
    """How the world reaches the web process."""
    parts = urlsplit(settings.public_url)
    if not settings.public_url:
        return [warning("PUBLIC_URL", "is not set: GitHub needs an address to send webhooks to. Set it once there is one.")]
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        return [warning("PUBLIC_URL", "is not https: signatures keep deliveries genuine, but everybody on the way reads them.")]
    return [ok("PUBLIC_URL", f"{settings.public_url}; GitHub's webhook goes to {settings.public_url}/webhooks/github.")]


async def proxy(settings: Settings) -> list[Line]:
    """The company's proxy. Whether it lets us through shows where GitHub is asked."""
    parts = urlsplit(settings.https_proxy)
    if not settings.https_proxy:
        return []
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return [wrong("HTTPS_PROXY", "is no address of a proxy: write http://HOST:PORT.")]
    return [ok("HTTPS_PROXY", f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}.")]


async def certificates(settings: Settings) -> list[Line]:
    """The company's own certificate authority."""
    if not settings.ssl_cert_file:
        return []
    try:
        count = len(ssl.create_default_context(cafile=settings.ssl_cert_file).get_ca_certs())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [wrong("SSL_CERT_FILE", f"{settings.ssl_cert_file} cannot be read ({reason}): name a PEM file.")]
    return [ok("SSL_CERT_FILE", f"{count} certificate authorit{'y' if count == 1 else 'ies'} in {settings.ssl_cert_file}.")]
