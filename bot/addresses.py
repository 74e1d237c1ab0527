"""Addresses as settings write them. Each function gives the one that is meant, or raises ValueError with the rest of a sentence
that begins with the setting's name."""

import re
from ipaddress import ip_network
from urllib.parse import urlsplit


def http_address(value: str) -> str:
    """An address of the web, without a slash at its end; or none."""
    if value and urlsplit(value).scheme not in ("http", "https"):
        raise ValueError("must start with https:// (or http:// on a private network)")
    return value.rstrip("/")


def redis_address(value: str, *, clusters: bool) -> str:
    """The address of a Redis, or none. The queue needs one server; what is only cached may be in a cluster."""
    schemes = ["redis", "rediss", "unix", *(["redis-cluster", "rediss-cluster"] if clusters else [])]
    if value and urlsplit(value).scheme not in schemes:
        raise ValueError(f"must start with {'://, '.join(schemes[:-1])}:// or {schemes[-1]}://")
    return value


def networks(value: str) -> str:
    """Networks and single addresses, with commas between them."""
    try:
        return ",".join(str(ip_network(part.strip())) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be networks or addresses with commas, such as 10.0.0.0/8, 192.0.2.7") from None


def origins(value: str) -> tuple[str, ...]:
    """Origins of pages (RFC 6454), or `*` for all, with commas between them."""
    parts = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    if any(part != "*" and not re.fullmatch(r"https?://[^/\s]+", part) for part in parts):
        raise ValueError("must be origins with commas, such as https://app.example.com, or *")
    return parts
