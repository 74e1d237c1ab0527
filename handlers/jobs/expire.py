"""Remove what has had its time, and files that belong to nothing: the scheduler's own two jobs."""

from collections.abc import Mapping
from typing import Any

from handlers import expire as expiry
from handlers.context import Context


async def expire(context: Context, _: Mapping[str, Any]) -> str:
    """Remove what has expired; gives the outcome as a sentence. Raises TryAgain."""
    return str(await expiry.expire(context.expired, context.objects))


async def remove_orphans(context: Context, _: Mapping[str, Any]) -> str:
    """Remove files that belong to nothing; gives the outcome as a sentence. Raises TryAgain."""
    return str(await expiry.remove_orphans(context.expired, context.objects))
