"""The way out to other machines: through a company's proxy or not, and whose certificates count."""

import ssl
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from review.errors import UserError


def proxy_to(url: str, proxy: str) -> str:
    """The proxy (HTTPS_PROXY) on the way to that address; an empty string for plain http, and for hosts that NO_PROXY names."""
    parts = urlsplit(url)
    return proxy if parts.scheme == "https" and not proxy_bypass(parts.hostname or "") else ""


def trusted_at(url: str, ca_file: str) -> ssl.SSLContext | bool:
    """Whose certificates count at that address: those in `ca_file` (SSL_CERT_FILE), or True for the system's.

    Plain http needs none, and reading the system's takes 30 ms: a context that trusts nobody is made at once and lets nobody
    in. Raises UserError where the file cannot be read.
    """
    if urlsplit(url).scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=ca_file) if ca_file else True
    except OSError as error:
        raise UserError(f"SSL_CERT_FILE: {ca_file} cannot be read as certificates ({error.strerror}).") from None
