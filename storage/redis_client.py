"""A client for any Redis that a URL can name: one server by TCP, TLS or a unix socket, or a cluster."""

import re

from redis.asyncio import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from review.errors import UserError

SECONDS = 2.0
"""For a connection, and for an answer. Whoever needs longer counts as away."""

AnyRedis = Redis | RedisCluster

REDIS_ERRORS = (RedisError, RedisClusterException)
"""What every command may raise. A cluster that cannot be found raises the second, which is none of the first."""


def open_redis(url: str) -> AnyRedis:
    """A client for redis://, rediss:// or unix://, or for redis-cluster:// or rediss-cluster:// (any one node of it).

    Nothing is connected yet; close it with `aclose()`. Raises UserError, which repeats nothing of the URL.
    """
    scheme, cluster, rest = _parts(url)
    # A connection may have died of old age, so there is a second attempt; the client's own would go on for many seconds.
    retry = Retry(NoBackoff(), 1)
    kind: type[Redis] | type[RedisCluster] = RedisCluster if cluster else Redis
    try:
        return kind.from_url(
            f"{scheme}://{rest}",
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=retry,
        )
    except (ValueError, RedisClusterException):
        raise UserError(
            "This is no address of a Redis: write redis://:password@host:port, for a cluster without /number."
        ) from None


def _parts(url: str) -> tuple[str, bool, str]:
    found = re.fullmatch(r"(redis|rediss|unix)(-cluster)?://(.+)", url)
    if found is None or (found[1] == "unix" and found[2]):
        raise UserError(
            "The address of a Redis must start with redis://, rediss://, unix://, redis-cluster:// or rediss-cluster://."
        )
    return found[1], found[2] is not None, found[3]
